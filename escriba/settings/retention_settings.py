from pathlib import Path

from pydantic import Field, field_validator

from .base import SettingsGroup
from .bucket_urls import check_bucket_url


class RetentionSettings(SettingsGroup):
    """How many days things are kept before `escriba cleanup` deletes them; 0 keeps them forever.

    Transcripts, results and the ledger have no age: they are never deleted.
    """

    originals_days: int = Field(
        30,
        ge=0,
        description="Days that a recording in inbox/ and its decoded audio are kept after it was "
        "uploaded and transcribed; 0: forever. A recording without a transcript is never deleted.",
    )
    job_records_days: int = Field(
        90,
        ge=0,
        description="Days that leases, submissions and partial results of a finished job are kept; "
        "0: forever. Its request, attempts and result stay, so that nothing is paid for twice.",
    )
    metrics_days: int = Field(
        180,
        ge=0,
        description="Days that logs of recordings, digests and daily reports are kept; 0: forever. "
        "The ledger stays.",
    )
    quarantine_days: int = Field(
        90,
        ge=0,
        description="Days that the record of a refused file is kept after the file was removed or "
        "replaced; 0: forever.",
    )
    backups_days: int = Field(
        30,
        ge=0,
        description="Days that a backup is kept; 0: forever. The newest whole one always stays.",
    )
    backup_url: str = Field(
        "",
        description="Where backups are written: a folder or a bucket, as in STORAGE_URL and with "
        "the same credentials, but another disk or account is better. Empty: ./data/backups.",
    )
    postgres_tools: str = Field(
        "",
        description="Folder of pg_dump and pg_restore, of at least the server's version. Empty: "
        "they are looked up in PATH.",
    )

    @field_validator("backup_url", mode="before")
    @classmethod
    def _backups_hold_no_credentials(cls, url: object) -> object:
        return check_bucket_url(url) if isinstance(url, str) else url

    @property
    def backups_url(self) -> str:
        """BACKUP_URL, or the URL of the folder that replaces it."""
        return self.backup_url or Path("data/backups").absolute().as_uri()

    partitions_days: int = Field(
        30,
        ge=1,
        description="Days that a recording stays in Dagster after its work is finished; less if "
        "more than 80,000 are there. Its transcripts stay.",
    )
    runs_days: int = Field(
        90,
        ge=7,
        description="Days that Dagster's runs, events and output are kept; not less than "
        "PARTITIONS_DAYS, and until the recordings of a run have left Dagster.",
    )
