"""The tables of the ledger: their folders, column types, and the order that picks current rows."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from escriba.billing.cost_tags import TagRow
from escriba.billing.invoice_rows import InvoiceRow
from escriba.billing.ledger_rows import Int64, LedgerRow
from escriba.billing.worker_sessions import SessionRow

if TYPE_CHECKING:
    import pyarrow as pa

ATTEMPTS, INSTANCES = "ledger/attempts/", "ledger/instances/"
INVOICES, TAGS = "ledger/invoices/", "ledger/tags/"
Row = LedgerRow | SessionRow | InvoiceRow | TagRow


@dataclass(frozen=True)
class LedgerTable:
    """One folder of the ledger.

    began: the time column that gives a file its UTC date. key: the column that identifies a row.
    last_word: the SQL order of the rows of one key, with the current one first. It depends on the
    rows alone and not on their files, so that files may be combined.
    """

    name: str
    folder: str
    kind: type[Row]
    began: str
    key: str
    last_word: str

    def latest(self, source: str) -> str:
        """The query for the current row of each key."""
        return (
            f"SELECT * FROM ({source}) "  # noqa: S608  # our own words
            f"QUALIFY row_number() OVER (PARTITION BY {self.key} ORDER BY {self.last_word}) = 1"
        )


# an attempt that was declared lost but delivered the result is done, whatever the clocks say
LEDGER_ATTEMPTS = LedgerTable(
    "attempts",
    ATTEMPTS,
    LedgerRow,
    "started_at",
    "attempt_id",
    "status = 'done' DESC, ended_at DESC, schema_version DESC, spot_usd_per_hour IS NULL, "
    "cost_usd DESC, started_at DESC",
)
LEDGER_SESSIONS = LedgerTable(
    "sessions",
    INSTANCES,
    SessionRow,
    "job_started_at",
    "row_id",
    "job_ended_at DESC, schema_version DESC, spot_usd_per_hour IS NULL, usd_per_hour DESC, "
    "job_started_at DESC",
)
LEDGER_INVOICES = LedgerTable(
    "invoices",
    INVOICES,
    InvoiceRow,
    "period_start",
    "row_id",
    "imported_at DESC, schema_version DESC, amount_usd DESC",
)
LEDGER_TAGS = LedgerTable(
    "tags",
    TAGS,
    TagRow,
    "tagged_at",
    "recording",
    "tagged_at DESC, schema_version DESC, cost_center DESC, project DESC",
)
LEDGER = (LEDGER_ATTEMPTS, LEDGER_SESSIONS, LEDGER_INVOICES, LEDGER_TAGS)


def schema(kind: type[Row] = LedgerRow) -> "pa.Schema":
    """Columns and Arrow types of a row, in its order, from the annotations of its fields.

    int is int32 (Int64: int64), float is float64, Decimal is money as DECIMAL(18, 9), datetime is
    in microseconds of UTC. Every column may be NULL, since older files lack some.

    Raises:
        TypeError: a field's annotation has no column type; names row and field.
    """
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s

    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind)]
    return pa.schema(
        [(name, _arrow_type(hints[name], f"{kind.__name__}.{name}")) for name in names]
    )


def _arrow_type(hint: Any, where: str) -> "pa.DataType":  # noqa: ANN401  # an annotation
    import pyarrow as pa  # noqa: PLC0415  # 0.3 s

    types: dict[object, pa.DataType] = {
        bool: pa.bool_(),
        str: pa.string(),
        int: pa.int32(),
        Int64: pa.int64(),
        float: pa.float64(),
        Decimal: pa.decimal128(18, 9),
        datetime: pa.timestamp("us", tz="UTC"),
    }
    plain = _plain(hint)
    if plain not in types:
        known = ", ".join(getattr(one, "__name__", "Int64") for one in types)
        raise TypeError(
            f"{where}: the ledger has no column type for {hint}. Annotate it as one of {known}, "
            "with `| None` if it may be missing, or add its type in resources/ledger/tables.py."
        )
    return types[plain]


def _plain(hint: Any) -> Any:  # noqa: ANN401  # an annotation
    """The annotation without `| None`; a Literal of strings is str."""
    if get_origin(hint) in {Union, UnionType}:
        others = [one for one in get_args(hint) if one is not NoneType]
        return _plain(others[0]) if len(others) == 1 else hint
    words = get_args(hint) if get_origin(hint) is Literal else ()
    return str if words and all(isinstance(word, str) for word in words) else hint
