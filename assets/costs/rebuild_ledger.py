"""Rebuilds the ledger from the records of all recordings and attempts.

The source of truth is `attempt-<n>.json` for an attempt, and the last record for a recording
without a job.
"""

import re

from pydantic import ValidationError

from escriba.billing.attempts import Attempt
from escriba.billing.ledger_rows import LedgerRow, ledger_row, row_without_job
from escriba.billing.price_book import PriceBook, Tariff
from escriba.billing.worker_sessions import session_row
from escriba.recordings import Recording, from_work_key
from escriba.stages import COST_METRICS, TRANSCRIPT
from intake.stage_records import CostFacts, TranscriptFacts, read_record
from resources.ledger.tables import Row
from resources.ledger.writer import write_rows
from resources.storage.base import Storage, StoredObject
from resources.storage.read_documents import read_or_remake

_ATTEMPT = re.compile(r"work/[^/]+/jobs/[0-9a-f]{64}/attempt-\d+\.json")
_COSTS = f"stages/{COST_METRICS}.json"
_WITHOUT_JOB = ":none:"


def rebuild_ledger(storage: Storage, prices: PriceBook) -> int:
    """Add a row for every finished attempt and for every recording without a job.

    Readers of the ledger count a row once, so existing rows do no harm. Damaged records are
    skipped: the next run writes them again. Returns the number of attempts.
    """
    found = [one.key for one in storage.list("work/") if isinstance(one, StoredObject)]
    attempts = (_attempt(storage, key) for key in found if _ATTEMPT.fullmatch(key))
    rows: list[Row] = []
    for attempt in attempts:
        if attempt is not None and attempt.end is not None:
            price = prices.tariff(attempt.backend, attempt.sku, attempt.created_at)
            rows += _rows_of(attempt, price)
    recordings = (from_work_key(key, _COSTS) for key in found)
    without_job = (_row_without_job(storage, r) for r in recordings if r is not None)
    rows += [row for row in without_job if row is not None]
    write_rows(storage, rows)
    return sum(isinstance(row, LedgerRow) for row in rows)


def _rows_of(attempt: Attempt, price: Tariff) -> list[Row]:
    """The rows of the attempt and of its share of a worker's session."""
    session = session_row(attempt, price)
    return [ledger_row(attempt, price), *([session] if session else [])]


def _row_without_job(storage: Storage, recording: Recording) -> LedgerRow | None:
    record = read_record(storage, recording, COST_METRICS)
    transcript = read_record(storage, recording, TRANSCRIPT)
    if record is None or transcript is None:
        return None
    try:
        costs = CostFacts.model_validate(record.facts)
        facts = TranscriptFacts.model_validate(transcript.facts)
    except ValidationError:
        return None
    ids = [one for one in costs.attempt_ids if _WITHOUT_JOB in one]
    if not ids:
        return None
    return row_without_job(
        attempt_id=ids[0],
        job_id=facts.job,
        tenant=recording.tenant,
        recording=recording.name,
        audio_seconds=costs.audio_seconds,
        speech_seconds=facts.speech_ms / 1000,
        now=record.made_at,
    )


def _attempt(storage: Storage, key: str) -> Attempt | None:
    return read_or_remake(storage, key, Attempt)
