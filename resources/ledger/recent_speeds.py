"""The recent speeds of the backends, read from the ledger."""

import logging
from datetime import datetime, timedelta

from escriba.billing.measured_speeds import (
    MEASURED_DAYS,
    CompletedRun,
    Key,
    MeasuredSpeed,
    measured_of,
)
from escriba.text_for.plain_lines import log_line
from resources.storage.base import Storage, StorageError
from resources.storage.clock import utc_now

from .queries import open_ledger

_LOG = logging.getLogger("escriba")
_FILES = 300  # the newest; enough for a median, while one night can write thousands
_QUERY = """
    SELECT backend, sku, model, diarizer <> 'none', rtf, audio_seconds, start_seconds
    FROM attempts
    WHERE status = 'done' AND rtf > 0 AND diarizer <> '' AND started_at >= ?
"""


def recent_speeds(storage: Storage) -> dict[Key, MeasuredSpeed]:
    """The speeds measured in the last MEASURED_DAYS."""
    return measured_speeds(storage, utc_now() - timedelta(days=MEASURED_DAYS))


def measured_speeds(storage: Storage, since: datetime) -> dict[Key, MeasuredSpeed]:
    """Speeds by backend, sku, model and diarization, from jobs done since then.

    Empty if the ledger cannot be read: jobs are then routed with planned speeds.
    """
    try:
        with open_ledger(storage, since, at_most_files=_FILES, tables=["attempts"]) as ledger:
            rows = ledger.execute(_QUERY, [since]).fetchall()
    except StorageError as error:
        _LOG.warning("Using planned instead of measured speeds: %s", log_line(error))
        return {}
    return measured_of(CompletedRun((row[0], row[1], row[2], row[3]), *row[4:]) for row in rows)
