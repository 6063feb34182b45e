"""The tables of the ledger: where their rows lie, and which row is the last word on a thing."""

from dataclasses import dataclass

from pipelines.billing.attempts import LedgerRow
from pipelines.billing.invoices import InvoiceRow
from pipelines.billing.sessions import SessionRow
from pipelines.billing.tags import TagRow

from .ledger_writer import ATTEMPTS, INSTANCES, INVOICES, TAGS, Row


@dataclass(frozen=True)
class LedgerTable:
    """One folder of the ledger.

    key: names what a row is about. last_word: the order in SQL of the rows of one key, the one
    that counts first. It looks at what the rows say and not at the files they lie in, so that
    files may be put together.
    """

    name: str
    folder: str
    kind: type[Row]
    key: str
    last_word: str

    def latest(self, source: str) -> str:
        """The query for one row of each key."""
        return (
            f"SELECT * FROM ({source}) "  # noqa: S608  # our own words
            f"QUALIFY row_number() OVER (PARTITION BY {self.key} ORDER BY {self.last_word}) = 1"
        )


# an attempt that was given up for lost and won all the same is done, whatever the clocks say
LEDGER_ATTEMPTS = LedgerTable(
    "attempts",
    ATTEMPTS,
    LedgerRow,
    "attempt_id",
    "status = 'done' DESC, ended_at DESC, schema_version DESC, cost_usd DESC, started_at DESC",
)
LEDGER_SESSIONS = LedgerTable(
    "sessions",
    INSTANCES,
    SessionRow,
    "row_id",
    "job_ended_at DESC, schema_version DESC, usd_per_hour DESC, job_started_at DESC",
)
LEDGER_INVOICES = LedgerTable(
    "invoices",
    INVOICES,
    InvoiceRow,
    "row_id",
    "imported_at DESC, schema_version DESC, amount_usd DESC",
)
LEDGER_TAGS = LedgerTable(
    "tags",
    TAGS,
    TagRow,
    "recording",
    "tagged_at DESC, schema_version DESC, cost_center DESC, project DESC",
)
LEDGER = (LEDGER_ATTEMPTS, LEDGER_SESSIONS, LEDGER_INVOICES, LEDGER_TAGS)
