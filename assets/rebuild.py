"""The ledger made anew from what every recording and attempt keeps beside itself.

`attempt-<n>.json` is the truth of an attempt; of a recording that needed no job, its last record.
"""

import re

from pydantic import ValidationError

from pipelines.billing.attempts import Attempt, LedgerRow, ledger_row, row_without_job
from pipelines.billing.prices import PriceBook, Tariff
from pipelines.billing.sessions import session_row
from pipelines.recordings import INBOX, NameRefusedError, Recording, from_inbox_key
from resources.ledger_writer import Row, write_rows
from resources.storage.base import Storage, Stored

from .names import COST_METRICS, TRANSCRIPT
from .records import CostFacts, TranscriptFacts, read_record, record_key

_ATTEMPT = re.compile(r"work/[^/]+/jobs/[0-9a-f]{64}/attempt-\d+\.json")
_COSTS = re.compile(rf"work/([^/]+)/(.+)/stages/{COST_METRICS}\.json")
_JOBS_FOLDER = re.compile(r"\A(jobs~*)~(?=/|\Z)")  # `Recording.work_key` puts a ~ there
_WITHOUT_JOB = ":none:"


def rebuild_ledger(storage: Storage, prices: PriceBook) -> int:
    """Add a row for every attempt that has ended and for every recording without a job.

    Rows that are in the ledger already are counted once by whoever reads it. A damaged record is
    passed over: the next run makes it again. Returns the number of attempts.
    """
    found = [one.key for one in storage.list("work/") if isinstance(one, Stored)]
    attempts = (_attempt(storage, key) for key in found if _ATTEMPT.fullmatch(key))
    rows: list[Row] = []
    for attempt in attempts:
        if attempt is not None and attempt.end is not None:
            price = prices.tariff(attempt.backend, attempt.sku, attempt.created_at)
            rows += _rows_of(attempt, price)
    recordings = (_recording(key) for key in found)
    without_job = (_row_without_job(storage, r) for r in recordings if r is not None)
    rows += [row for row in without_job if row is not None]
    write_rows(storage, rows)
    return sum(isinstance(row, LedgerRow) for row in rows)


def _rows_of(attempt: Attempt, price: Tariff) -> list[Row]:
    """Of the attempt, and of its part in a worker's life."""
    session = session_row(attempt, price)
    return [ledger_row(attempt, price), *([session] if session else [])]


def _recording(key: str) -> Recording | None:
    """The recording whose last record this is, if it is one."""
    match = _COSTS.fullmatch(key)
    if match is None:
        return None
    path = _JOBS_FOLDER.sub(r"\1", match[2])
    try:
        recording = from_inbox_key(f"{INBOX}{match[1]}/{path}")
    except NameRefusedError:
        return None
    return recording if record_key(recording, COST_METRICS) == key else None


def _row_without_job(storage: Storage, recording: Recording) -> LedgerRow | None:
    record = read_record(storage, recording, COST_METRICS)
    transcript = read_record(storage, recording, TRANSCRIPT)
    if record is None or transcript is None:
        return None
    try:
        costs = CostFacts.model_validate(record.facts)
        said = TranscriptFacts.model_validate(transcript.facts)
    except ValidationError:
        return None
    ids = [one for one in costs.attempt_ids if _WITHOUT_JOB in one]
    if not ids:
        return None
    return row_without_job(
        attempt_id=ids[0],
        job_id=said.job,
        tenant=recording.tenant,
        recording=recording.name,
        audio_seconds=costs.audio_seconds,
        speech_seconds=said.speech_ms / 1000,
        now=record.made_at,
    )


def _attempt(storage: Storage, key: str) -> Attempt | None:
    body = storage.read(key)
    try:
        return Attempt.model_validate_json(body) if body else None
    except ValidationError:
        return None
