"""The requests of the nightly run and its digest. Independent of Dagster."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from escriba.recordings import Recording
from escriba.settings import Settings
from escriba.stages import FILE_STAGES
from gpu_job.contract.documents import MEDIUM
from resources.ledger.duplicates import ATTEMPTS_WITH_WASTE
from resources.ledger.queries import open_ledger
from resources.storage.base import Storage, StoredObject
from resources.storage.read_documents import read_or_remake

from .inbox import Survey, survey_inbox
from .night_digest import Digest, Failure, Warned, page
from .refresh_costs import refresh
from .upkeep_notes import notes_between
from .work_requests import WorkRequest, new_request, submit_request

if TYPE_CHECKING:
    from resources.costs_database.ended_between import Ended

DIGESTS = "digests/"
_MAX_REASON_LENGTH = 300
_FIRST_PERIOD = timedelta(days=1)  # that the first digest covers
_SPENT = f"""
    SELECT count(DISTINCT recording) FILTER (NOT is_wasted),
           coalesce(sum(audio_seconds) FILTER (NOT is_wasted), 0),
           count(*) FILTER (backend <> 'none'),
           coalesce(sum(cost_usd), 0),
           coalesce(sum(cost_usd) FILTER (is_wasted), 0)
    FROM ({ATTEMPTS_WITH_WASTE}) WHERE ended_at > ? AND ended_at <= ?
"""  # noqa: S608  # a constant, no input


def request_missing(
    storage: Storage, night: str, missing: Iterable[Recording]
) -> WorkRequest | None:
    """One request a night for all missing recordings; None if there are none."""
    recordings = list(missing)
    if not recordings:
        return None
    request = new_request("the night", recordings, name=f"night-{night}")
    submit_request(storage, request)
    return request


def request_files(
    storage: Storage, night: str, outdated: Iterable[Recording]
) -> WorkRequest | None:
    """One request a night for recordings with outdated files; None if there are none."""
    recordings = list(outdated)
    if not recordings:
        return None
    request = new_request(
        "changed output settings", recordings, name=f"files-{night}", stages=FILE_STAGES
    )
    submit_request(storage, request)
    return request


def request_failed(storage: Storage) -> WorkRequest | None:
    """A request for all failed recordings, with new MAX_ATTEMPTS; None if none failed."""
    inbox = survey_inbox(storage)
    failed = sorted([*inbox.failed, *inbox.to_retry])
    if not failed:
        return None
    request = new_request("retry of failed recordings", failed, retry=True)
    submit_request(storage, request)
    return request


def write_digest(
    settings: Settings, storage: Storage, night: str, now: datetime | None = None
) -> Digest:
    """Write `digests/<night>.md` and `.json`.

    Written again, a digest keeps the start of its period and ends now.
    """
    until = now or datetime.now(UTC)
    since = last_digest(storage, night) or until - _FIRST_PERIOD
    digest = make_digest(settings, storage, night, since, until)
    storage.write(f"{DIGESTS}{night}.md", page(digest).encode())
    storage.write(f"{DIGESTS}{night}.json", digest.model_dump_json(indent=1).encode())
    return digest


def make_digest(
    settings: Settings, storage: Storage, night: str, since: datetime, until: datetime
) -> Digest:
    """The digest, from the ledger (done), the cost tables (spent) and the inbox (waiting, failed).

    since is exclusive, until is inclusive.
    """
    inbox = survey_inbox(storage)
    oldest = _oldest(storage, inbox)
    return Digest(
        night=night,
        since=since,
        until=until,
        **_totals(settings, storage, since, until),
        waiting=len(inbox.new),
        deferred=len(inbox.deferred),
        oldest_waiting=oldest[1].name if oldest else "",
        oldest_waiting_since=oldest[0] if oldest else None,
        failures=_failures(inbox),
        refused_names=len(inbox.refused),
        left_out=len(inbox.left_out),
        warnings=_warnings(inbox, since, until),
        upkeep=tuple(note.headline for note in notes_between(storage, since, until)),
    )


def _totals(
    settings: Settings, storage: Storage, since: datetime, until: datetime
) -> dict[str, Any]:
    """The digest's fields on finished work and its cost."""
    with open_ledger(storage, tables=["attempts"]) as ledger:
        [(done, audio, attempts, *cost)] = ledger.execute(_SPENT, [since, until]).fetchall()
    spent, reason = _spent(settings, storage, since, until)
    spent_usd, wasted_usd = (spent.spent_usd, spent.wasted_usd) if spent else map(Decimal, cost)
    return {
        "done": done,
        "audio_seconds": audio,
        "attempts": attempts,
        "spent_usd": spent_usd,
        "wasted_usd": wasted_usd,
        "without_tables": reason,
    }


def _failures(inbox: Survey) -> tuple[Failure, ...]:
    return tuple(
        Failure(recording=r.name, message=f.message, advice=f.advice, permanent=f.permanent)
        for r, f in sorted((*inbox.failed.items(), *inbox.to_retry.items()))
    )


def _warnings(inbox: Survey, since: datetime, until: datetime) -> tuple[Warned, ...]:
    return tuple(
        Warned(recording=r.name, code=warning.code, message=warning.message)
        for r, last in sorted(inbox.warned.items())
        if since < last.at <= until
        for warning in last.warnings
    )


def _spent(
    settings: Settings, storage: Storage, since: datetime, until: datetime
) -> "tuple[Ended | None, str]":
    """What the updated cost tables say was spent, or why they are not available."""
    import duckdb  # noqa: PLC0415  # the UI process does not load DuckDB

    from resources.costs_database.build_marts import CostsBuildError  # noqa: PLC0415
    from resources.costs_database.database_file import CostsBusyError, CostsNotBuiltError  # noqa: PLC0415
    from resources.costs_database.ended_between import cost_of_ended  # noqa: PLC0415

    try:
        refresh(settings, storage, checks=False, unless_current=True)
        return cost_of_ended(settings.costs_database, since, until, storage.url), ""
    except (CostsBuildError, CostsBusyError, CostsNotBuiltError, duckdb.Error) as error:
        return None, " ".join(str(error).split())[:_MAX_REASON_LENGTH]


def last_digest(storage: Storage, night: str) -> datetime | None:
    """The end of the newest digest before this night; None if there is none."""
    until = None
    for found in storage.list(DIGESTS):
        before = found.key < f"{DIGESTS}{night}" and found.key.endswith(".json")
        if before and isinstance(found, StoredObject):
            digest = read_or_remake(storage, found.key, Digest, MEDIUM)
            until = digest.until if digest else until
    return until


def _oldest(storage: Storage, inbox: Survey) -> tuple[datetime, Recording] | None:
    heads = ((storage.head(recording.inbox_key), recording) for recording in inbox.new)
    return min(((head.modified, r) for head, r in heads if head is not None), default=None)
