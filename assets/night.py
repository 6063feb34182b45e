"""What a night asks for, and what it tells in the morning. Knows no Dagster."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pydantic import ValidationError

from pipelines.digest import Digest, Failure, Warned, page
from pipelines.recordings import Recording
from resources.duplicates import JUDGED
from resources.ledger import open_ledger
from resources.storage.base import Storage, Stored

from .inbox import Survey, survey
from .requests import WorkRequest, ask, new_request

DIGESTS = "digests/"
_FIRST = timedelta(days=1)  # what the first digest looks back on
_SPENT = f"""
    SELECT count(DISTINCT recording) FILTER (NOT is_wasted),
           coalesce(sum(audio_seconds) FILTER (NOT is_wasted), 0),
           coalesce(sum(cost_usd), 0),
           coalesce(sum(cost_usd) FILTER (is_wasted), 0),
           count(*) FILTER (backend <> 'none')
    FROM ({JUDGED}) WHERE ended_at > ? AND ended_at <= ?
"""  # noqa: S608  # our own words


def ask_for_missing(
    storage: Storage, night: str, missing: Iterable[Recording]
) -> WorkRequest | None:
    """One request a night for all that is missing; None where nothing is."""
    recordings = list(missing)
    if not recordings:
        return None
    request = new_request("the night", recordings, name=f"night-{night}")
    ask(storage, request)
    return request


def ask_for_failed(storage: Storage) -> WorkRequest | None:
    """A request for all that failed, with MAX_ATTEMPTS allowed again; None where nothing did."""
    seen = survey(storage)
    failed = sorted([*seen.failed, *seen.to_retry])
    if not failed:
        return None
    request = new_request("retry of what failed", failed, retry=True)
    ask(storage, request)
    return request


def write_digest(storage: Storage, night: str, now: datetime | None = None) -> Digest:
    """`digests/<night>.md` and `.json`; written again, it tells the same span to its new end."""
    until = now or datetime.now(UTC)
    digest = make_digest(storage, night, last_digest(storage, night) or until - _FIRST, until)
    storage.write(f"{DIGESTS}{night}.md", page(digest).encode())
    storage.write(f"{DIGESTS}{night}.json", digest.model_dump_json(indent=1).encode())
    return digest


def make_digest(storage: Storage, night: str, since: datetime, until: datetime) -> Digest:
    """From the ledger what was done and spent, from the inbox what waits and what failed."""
    seen = survey(storage)
    with open_ledger(storage, tables=["attempts"]) as ledger:
        done, audio, spent, wasted, attempts = ledger.execute(_SPENT, [since, until]).fetchone()
    oldest = _oldest(storage, seen)
    return Digest(
        night=night,
        since=since,
        until=until,
        done=done,
        audio_seconds=audio,
        spent_usd=Decimal(spent),
        wasted_usd=Decimal(wasted),
        attempts=attempts,
        waiting=len(seen.new),
        deferred=len(seen.deferred),
        oldest_waiting=oldest[1].name if oldest else "",
        oldest_waiting_since=oldest[0] if oldest else None,
        failures=tuple(
            Failure(recording=r.name, message=f.message, advice=f.advice, permanent=f.permanent)
            for r, f in sorted((*seen.failed.items(), *seen.to_retry.items()))
        ),
        refused_names=len(seen.refused),
        left_out=len(seen.left_out),
        warnings=tuple(
            Warned(recording=r.name, code=warning.code, message=warning.message)
            for r, end in sorted(seen.warned.items())
            if since < end.at <= until
            for warning in end.warnings
        ),
    )


def last_digest(storage: Storage, night: str) -> datetime | None:
    """Where the newest digest before this night ends."""
    until = None
    for found in storage.list(DIGESTS):
        before = found.key < f"{DIGESTS}{night}" and found.key.endswith(".json")
        body = storage.read(found.key) if before and isinstance(found, Stored) else None
        try:
            until = Digest.model_validate_json(body).until if body else until
        except ValidationError:
            continue
    return until


def _oldest(storage: Storage, seen: Survey) -> tuple[datetime, Recording] | None:
    there = ((storage.head(recording.inbox_key), recording) for recording in seen.new)
    return min(((head.modified, r) for head, r in there if head is not None), default=None)
