"""How fast the backends were of late, read from the ledger."""

import logging
from datetime import datetime, timedelta

from pipelines.billing.speeds import MEASURED_DAYS, Key, Measured, Run, measured_of

from .ledger import open_ledger
from .storage.base import Storage, StorageError
from .storage.clock import utc_now

_LOG = logging.getLogger("escriba")
_FILES = 300  # the newest; a median needs no more, and a night can write thousands
_QUERY = """
    SELECT backend, sku, model, diarizer <> 'none', rtf, audio_seconds, start_seconds
    FROM attempts
    WHERE status = 'done' AND rtf > 0 AND diarizer <> '' AND started_at >= ?
"""


def recent_speeds(storage: Storage) -> dict[Key, Measured]:
    """Of the last MEASURED_DAYS."""
    return measured_speeds(storage, utc_now() - timedelta(days=MEASURED_DAYS))


def measured_speeds(storage: Storage, since: datetime) -> dict[Key, Measured]:
    """By backend, sku, model and whether speakers were told apart; of jobs done since then.

    Where the ledger cannot be read there are none: a job is planned then, and still routed.
    """
    try:
        with open_ledger(storage, since, at_most_files=_FILES, tables=["attempts"]) as ledger:
            rows = ledger.execute(_QUERY, [since]).fetchall()
    except StorageError as error:
        _LOG.warning("Speeds are planned, not measured: %s", error)
        return {}
    return measured_of(Run((row[0], row[1], row[2], row[3]), *row[4:]) for row in rows)
