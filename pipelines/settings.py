"""Every setting, read from the environment and `.env` in this one place.

The name of a setting in capitals is its environment variable. Defaults spend no money.
"""

import os
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipelines.languages import check_candidates, check_language
from pipelines.looks import SubtitleSpeakers, check_formats, speakers_switch
from pipelines.mail_addresses import check_addresses
from pipelines.prompts import check_prompt
from pipelines.track_names import check_track

HOUSE = Path(__file__).resolve().parent.parent

MEGABYTE = 1_000_000
_BILLION = 1_000_000_000  # limits are below it: the cost tables have them as DECIMAL(18, 9)


class NightSettings(BaseSettings):
    """When the night is: all that the code location must know before anything runs."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    nightly_at: str = Field("02:00", description="When the nightly job asks for what is missing.")
    nightly_timezone: str = Field(
        "America/Sao_Paulo", description="By whose clocks, summer time and all."
    )

    report_at: str = Field(
        "09:00", description="When the report of costs is written, by the clocks of that zone."
    )

    @field_validator("nightly_at", "report_at")
    @classmethod
    def _time_of_day(cls, text: str) -> str:
        if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", text):
            raise ValueError(f"{text!r} is no time of day such as 02:00")
        return text

    @field_validator("nightly_timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is no time zone such as America/Sao_Paulo")
        return name


class Settings(NightSettings):
    """The settings of the orchestrator; `.env.example` shows them all."""

    storage_url: str = Field(
        "",
        description="Bucket: file:///folder, s3://bucket/prefix, gs://… or az://container/…; "
        "default: ./data/bucket.",
    )
    storage_backend: Literal["local", "s3", "gcs", "azure"] = Field(
        "local", description="With the bucket's name, forms STORAGE_URL where that is not set."
    )
    s3_bucket: str = Field("", description="Bucket name for STORAGE_BACKEND=s3.")
    gcs_bucket: str = Field("", description="Bucket name for STORAGE_BACKEND=gcs.")
    azure_container: str = Field("", description="Container name for STORAGE_BACKEND=azure.")
    aws_endpoint_url: str = Field(
        "", description="S3 endpoint of a store that is not AWS, such as MinIO."
    )
    aws_region: str = Field("us-east-1", description="Region of the S3 bucket.")
    aws_access_key_id: SecretStr = Field(
        SecretStr(""), description="S3 key; empty: AWS's chain (profile, container, instance)."
    )
    aws_secret_access_key: SecretStr = Field(SecretStr(""), description="S3 secret.")
    aws_session_token: SecretStr = Field(SecretStr(""), description="S3 session token, if any.")
    google_application_credentials: str = Field(
        "", description="GCS: file of a service account's key; empty: Google's chain."
    )
    gcs_endpoint_url: str = Field("", description="GCS endpoint that is not Google's, for tests.")
    azure_storage_account: str = Field("", description="Azure: name of the storage account.")
    azure_storage_key: SecretStr = Field(SecretStr(""), description="Azure: key of that account.")
    azure_login: Literal["key", "identity"] = Field(
        "key",
        description="Azure: by that key, or by an identity: of the machine, of AZURE_CLIENT_ID … "
        "in the environment, or who called `az login`.",
    )
    azure_endpoint_url: str = Field(
        "", description="Azure endpoint that is not Microsoft's, such as Azurite."
    )
    dagster_home: Path = Field(
        Path("data/dagster"), description="Folder of Dagster's own records (runs, events)."
    )
    dagster_postgres_url: SecretStr = Field(
        SecretStr(""),
        description="Dagster's records in PostgreSQL: postgresql://user:password@host/name.",
    )

    files_url: str = Field(
        "",
        description="Where browsers reach the bucket's files (`escriba up` sets its own).",
    )

    default_language: str = Field(
        "pt",
        description="Language code, or 'auto' to detect. Portuguese: what most recordings are.",
    )
    languages: str = Field(
        "",
        description="Codes among which the language is detected, apart by commas (pt,en,es); "
        "empty: all. Without DEFAULT_LANGUAGE they mean 'auto'.",
    )
    model: str = Field(
        "auto",
        validation_alias=AliasChoices("MODEL", "WHISPER_MODEL"),
        description="auto: large-v3-turbo where there is CUDA, else small; a hub name, a folder, "
        "or 'demo' (a toy that knows 200 words).",
    )
    language_detection: Literal["once", "along"] = Field(
        "once", description="'along': anew all the way, where the language may change."
    )
    diarizer: Literal["light", "pyannote", "none"] = Field(
        "light", description="Who finds the speakers: light (without torch), pyannote, or none."
    )
    diarization_model: str = Field(
        "",
        description="Of pyannote: a folder or a hub name; empty: speaker-diarization-community-1.",
    )
    speaker_embeddings: bool = Field(
        default=False, description="Keep a vector of each speaker's voice in transcript.json."
    )
    huggingface_token: SecretStr = Field(
        SecretStr(""), description="For models whose terms are to be accepted, such as pyannote's."
    )
    channels: Literal["mixed", "separate"] = Field(
        "mixed", description="'separate': the channels of a stereo file are the speakers."
    )
    track: str = Field(
        "auto",
        description="Of a file with several sounds: 'auto' takes the one in the wanted language, "
        "else the one that holds speech; a number takes that one; 'all' makes each a channel.",
    )
    beam_size: int = Field(2, ge=1, le=10, description="Beams of the decoder; 1 is fastest.")
    hotwords: str = Field("", description="Words to expect, such as names.")
    initial_prompt: str = Field("", description="Text that sets the style of the transcript.")
    translate: bool = Field(
        default=False, description="Write English, whatever is spoken; large-v3-turbo cannot."
    )
    min_speakers: int = Field(0, ge=0, description="At least so many people speak; 0: unknown.")
    max_speakers: int = Field(0, ge=0, description="At most so many people speak; 0: unknown.")
    previews: bool = Field(
        default=False,
        description="Show the beginning of a transcript in Dagster, whose events stay for ever.",
    )
    formats: str = Field(
        "all",
        description="Files of each transcript, apart by commas: txt, srt, vtt, tsv, csv, docx, "
        "rttm; json always is.",
    )
    subtitle_speakers: SubtitleSpeakers = Field(
        "none", description="'changes': SRT names the speaker wherever another one begins."
    )
    subtitle_highlight: bool = Field(
        default=False, description="WebVTT has the time of each word, to light it up."
    )
    tenants_file: Path = Field(
        Path("tenants.yaml"), description="What differs by tenant; no file: nothing does."
    )

    primary_backend: Literal["auto", "runpod", "aws_gpu", "gcp_gpu", "openai", "local"] = Field(
        "auto", description="Gets every job while healthy, able and within budget; auto: none does."
    )
    backend_selection_priority: Literal["cost", "latency", "quality"] = Field(
        "cost", description="By what the others are ordered, from quotes."
    )
    local_fallback: bool = Field(
        default=False, description="Let this machine take over from the others, CPU and all."
    )
    daily_cost_threshold: Decimal | None = Field(
        Decimal(50),
        ge=0,
        lt=_BILLION,
        description="USD a day (UTC) for paid backends, or none; what would pass it waits.",
    )
    monthly_cost_threshold: Decimal | None = Field(
        Decimal(1_000), ge=0, lt=_BILLION, description="The same for a month, in USD."
    )
    budget_warn_share: Decimal = Field(
        Decimal("0.8"), gt=0, le=1, description="Part of a limit from which on it is told, once."
    )
    shared_costs_by: Literal["apart", "cost", "audio"] = Field(
        "apart",
        description="Who carries what is billed beside machines (tax, storage, network, fees, "
        "credits): nobody, or the tenants of that day and backend, by cost or by hours of audio.",
    )
    focus_version: Literal["1.2", "1.4"] = Field(
        "1.2", description="Of FOCUS, the form in which `escriba costs --export-focus` writes."
    )
    queue_limit_seconds: int = Field(
        21_600, ge=60, description="A job that no worker took by then is submitted again."
    )
    runpod_api_key: SecretStr = Field(SecretStr(""), description="RunPod: key of the account.")
    runpod_endpoint_id: str = Field(
        "", description="RunPod: serverless endpoint, as `escriba deploy runpod` names it."
    )
    runpod_gpu: str = Field(
        "l4", description="RunPod: GPU of that endpoint, by its name in the price book."
    )
    runpod_endpoints: str = Field(
        "", description="RunPod: further endpoints, one for each GPU type: gpu=id,gpu=id."
    )
    runpod_regions: str = Field(
        "", description="RunPod: data centres of its workers, apart by commas; empty: any."
    )
    runpod_image: str = Field("", description="RunPod: the worker's image, for `escriba deploy`.")
    runpod_workers_max: int = Field(3, ge=1, description="RunPod: workers at once, for deploy.")
    runpod_workers_min: int = Field(
        0, ge=0, description="RunPod: workers kept warm and paid for, for deploy."
    )
    runpod_idle_seconds: int = Field(
        5, ge=1, description="RunPod: seconds that a worker waits for a job, and is paid for."
    )
    runpod_jobs_at_once: int = Field(
        200, ge=1, description="RunPod: jobs handed over at once; more wait here."
    )
    runpod_api_url: str = Field("https://api.runpod.ai/v2", description="RunPod: where jobs go.")
    runpod_control_url: str = Field(
        "https://api.runpod.io/v2", description="RunPod: where endpoints are made."
    )
    max_attempts: int = Field(
        3, ge=1, description="Attempts at one job that may end in failure; deaths count."
    )
    job_timeout_seconds: int = Field(7_200, ge=60, description="A job that runs longer is dead.")
    local_workers: int = Field(
        1, ge=1, description="Worker processes on this machine; each loads the model."
    )
    local_cpu_threads: int = Field(
        0, ge=0, description="Threads of each worker; 0 chooses by the model's size."
    )
    device: Literal["auto", "cuda", "cpu"] = Field(
        "auto", description="Where workers of this machine compute; auto: on its card, if any."
    )
    local_worker_python: Path | None = Field(
        None, description="Python with the worker's own packages, for DIARIZER=pyannote."
    )
    cpu_slots: int = Field(
        0, ge=0, description="Recordings decoded at once; 0: as many as there are cores."
    )
    batch_size: int = Field(
        500, ge=1, le=5_000, description="Recordings in one run; a run is one process."
    )
    models_folder: Path = Field(
        HOUSE / ".cache" / "models", description="Where embedded models are unpacked."
    )
    max_upload_mb: int = Field(
        500, gt=0, description="Larger files are refused (megabytes of 1,000,000 bytes)."
    )
    max_audio_hours: float = Field(
        24, gt=0, description="Longer recordings are refused; a few megabytes can hold days."
    )
    optimized_limit_mb: int = Field(
        100, gt=0, description="Optimized audio above it becomes Opus (megabytes)."
    )
    price_book: Path = Field(
        HOUSE / "dbt_costs" / "seeds" / "price_book.csv", description="The only place of prices."
    )
    aws_ec2_url: str = Field("", description="EC2 endpoint that is not AWS's, for tests.")
    google_api_key: SecretStr = Field(
        SecretStr(""),
        description="Google: key of the Cloud Billing API, for `escriba prices refresh`.",
    )
    gcp_region: str = Field("us-central1", description="Google: whose prices are asked for.")
    gcp_billing_url: str = Field(
        "https://cloudbilling.googleapis.com", description="Google: where they are asked for."
    )
    exchange_rates: Path = Field(
        HOUSE / "dbt_costs" / "seeds" / "exchange_rates.csv",
        description="USD for other currencies, by date; for invoices.",
    )
    committed_use: Path = Field(
        HOUSE / "dbt_costs" / "seeds" / "committed_use.csv",
        description="What is paid in advance, by term: spread over its days.",
    )
    costs_database: Path = Field(
        Path("data/costs.duckdb"),
        description="DuckDB file of the cost tables, for any client; made anew from the bucket.",
    )

    costs_postgres_url: SecretStr = Field(
        SecretStr(""),
        description="Mirror of the cost tables in PostgreSQL, schema `costs`: "
        "postgresql://user:password@host/name; empty: none.",
    )
    report_mail_to: str = Field(
        "", description="Who gets the report of each morning: addresses, apart by commas."
    )
    budget_owners: str = Field(
        "",
        description="Who is told by mail when a limit of the house is nearly used up, or is: "
        "addresses, apart by commas.",
    )
    report_mail_from: str = Field("", description="Whom it is from; needed to mail it.")
    smtp_host: str = Field("", description="Server that mails it; empty: it is not mailed.")
    smtp_port: int = Field(587, ge=1, le=65_535, description="Its port: 587, or 465 for tls.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is sealed; none: for a server beside us."
    )
    smtp_user: str = Field("", description="Login at that server, where it wants one.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Password of that login.")

    @field_validator(
        "dagster_home",
        "tenants_file",
        "models_folder",
        "price_book",
        "exchange_rates",
        "committed_use",
    )
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @field_validator("track")
    @classmethod
    def _known_track(cls, name: str) -> str:
        return check_track(name)

    @field_validator("costs_database")
    @classmethod
    def _without_links(cls, path: Path) -> Path:
        """DuckDB calls a database after its file, and a lock is one by either name."""
        return path.expanduser().resolve()

    @field_validator(
        "aws_endpoint_url",
        "aws_ec2_url",
        "gcp_billing_url",
        "gcs_endpoint_url",
        "azure_endpoint_url",
        "runpod_api_url",
        "runpod_control_url",
    )
    @classmethod
    def _plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("write it as http://host:port or https://host")
        if parts.username or parts.password:
            raise ValueError("no credentials in it: each has a setting of its own")
        return url

    @field_validator("daily_cost_threshold", "monthly_cost_threshold", mode="before")
    @classmethod
    def _amount_or_none(cls, told: object) -> object:
        if not isinstance(told, str):
            return told
        if told.strip().casefold() == "none":
            return None
        try:
            amount = Decimal(told.strip())
        except InvalidOperation:
            amount = Decimal("nan")
        if not amount.is_finite() or amount < 0:
            raise ValueError(f"{told!r} is no amount of USD such as 12.50; none: no limit")
        return amount

    @field_validator("default_language")
    @classmethod
    def _known_language(cls, code: str) -> str:
        return check_language(code)

    @field_validator("formats")
    @classmethod
    def _known_formats(cls, text: str) -> str:
        return ",".join(check_formats(text))

    @field_validator("subtitle_speakers", mode="before")
    @classmethod
    def _switched(cls, value: object) -> object:
        return speakers_switch(value)

    @field_validator("model")
    @classmethod
    def _of_the_house(cls, name: str) -> str:
        return str(Path(name).expanduser()) if name.startswith("~") else name

    @field_validator("initial_prompt")
    @classmethod
    def _bearable(cls, text: str) -> str:
        return check_prompt(text)

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, text: str) -> str:
        return ",".join(check_candidates(_split(text)))

    @field_validator("report_mail_to", "report_mail_from", "budget_owners")
    @classmethod
    def _addresses(cls, text: str) -> str:
        check_addresses(_split(text))
        return text

    @model_validator(mode="after")
    def _can_be_mailed(self) -> "Settings":
        for name in ("report_mail_to", "budget_owners"):
            if getattr(self, name) and not (self.report_mail_from and self.smtp_host):
                raise ValueError(f"{name.upper()} needs REPORT_MAIL_FROM and SMTP_HOST")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError(
                "SMTP_SECURITY=none would send SMTP_PASSWORD for all to read: use starttls or tls"
            )
        return self

    @model_validator(mode="after")
    def _speakers_fit(self) -> "Settings":
        if 0 < self.max_speakers < self.min_speakers:
            raise ValueError(
                f"MIN_SPEAKERS={self.min_speakers} is more than MAX_SPEAKERS={self.max_speakers}"
            )
        return self

    @model_validator(mode="after")
    def _tenants_are_there(self) -> "Settings":
        """A file that is named and missing would lift every tenant's permissions and budgets."""
        if "tenants_file" in self.model_fields_set and not self.tenants_file.is_file():
            raise ValueError(
                f"TENANTS_FILE={self.tenants_file} is not there, and with it what tenants permit "
                "and may spend: correct the path, or take the line out"
            )
        return self

    @property
    def report_recipients(self) -> tuple[str, ...]:
        """Addresses of REPORT_MAIL_TO."""
        return _split(self.report_mail_to)

    @property
    def owners_of_the_budget(self) -> tuple[str, ...]:
        """Addresses of BUDGET_OWNERS."""
        return _split(self.budget_owners)

    @property
    def wished_language(self) -> str:
        """The default language, or 'auto': who names candidates alone wants one of them found."""
        if self.languages and "default_language" not in self.model_fields_set:
            return "auto"
        return self.default_language

    @property
    def language_candidates(self) -> tuple[str, ...]:
        """The codes of LANGUAGES; empty: all."""
        return _split(self.languages)

    @property
    def language(self) -> str | None:
        """The default language; None to detect."""
        return None if self.wished_language == "auto" else self.wished_language

    @property
    def bucket_url(self) -> str:
        """STORAGE_URL, or what STORAGE_BACKEND and the bucket's name make of it."""
        if self.storage_url:
            return self.storage_url
        if self.storage_backend == "s3":
            return f"s3://{self.s3_bucket}"
        if self.storage_backend == "gcs":
            return f"gs://{self.gcs_bucket}"
        if self.storage_backend == "azure":
            return f"az://{self.azure_container}"
        return Path("data/bucket").absolute().as_uri()


def _split(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())


AnySettings = TypeVar("AnySettings", bound=NightSettings)


class SettingsError(ValueError):
    """A setting is wrong: names the variable, never its value where that may be a secret."""


def load_settings(**overrides: object) -> Settings:
    """The settings, or a SettingsError that names each variable that is wrong."""
    return _load(Settings, overrides)


def load_night_settings() -> NightSettings:
    """The same of those that a schedule is made of; reads no secret."""
    return _load(NightSettings, {})


def _load(kind: type[AnySettings], overrides: dict[str, object]) -> AnySettings:
    try:
        return kind(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [
            ": ".join(
                [*([".".join(map(str, e["loc"])).upper()] if e["loc"] else []), _plain(e["msg"])]
            )
            for e in error.errors()
        ]
        raise SettingsError("Wrong settings. " + "; ".join(lines)) from None
    except UnicodeDecodeError as error:
        raise SettingsError(".env is not UTF-8 text: save it as UTF-8.") from error


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def setting_names() -> set[str]:
    """Every environment variable that is a setting."""
    names = {name.upper() for name in Settings.model_fields}
    for field in Settings.model_fields.values():
        names |= {str(alias) for alias in getattr(field.validation_alias, "choices", ())}
    return names


def exported(settings: Settings) -> dict[str, str]:
    """What is not at its default, as the environment of a process that shall see the same."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


def inherited_environment() -> dict[str, str]:
    """This process's environment without credentials: what a child may see."""
    secret = ("AWS_", "RUNPOD_", "GOOGLE_", "AZURE_", "OPENAI_", "POSTGRES_", "DAGSTER_")
    secret += ("COSTS_POSTGRES_", "SMTP_")
    return {name: value for name, value in os.environ.items() if not name.startswith(secret)}
