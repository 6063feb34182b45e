"""What lies in the inbox, and how far each recording is: a set function over the bucket.

"New" is never "not yet a partition": a recording is done when its last record names the ETag
that the file has now.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from pipelines.no_recordings import is_no_recording
from pipelines.recordings import INBOX, NameRefusedError, Recording, from_inbox_key
from pipelines.speech.recording_warnings import RecordingWarning
from resources.storage.base import Oddity, Storage, Stored

from .diarized_transcript import DIARIZED_FILE
from .made_with import Made, made_of_facts
from .names import COST_METRICS, STAGES
from .quarantine import (
    Refusal,
    printable,
    read_refusal,
    read_refusals,
    refusal_key,
    write_refusal,
)
from .records import CostFacts, read_record

_READERS = 32


@dataclass(frozen=True)
class Refused:
    """Something in the inbox that can be no recording, whatever is inside."""

    key: str
    etag: str
    code: str
    message: str
    advice: str


@dataclass(frozen=True)
class LeftOut:
    """Something that lies beside recordings, such as slides; no failure."""

    key: str


@dataclass(frozen=True)
class Done:
    """The last record of a recording: of which version of the file, when, what is odd, how made."""

    etag: str
    at: datetime
    warnings: tuple[RecordingWarning, ...]
    made: Made


@dataclass
class Survey:
    """The inbox at one moment. Every recording is in exactly one of the first five.

    left_out: keys that are no recordings by their names, such as slides.
    warned: of those that are done, the ones with warnings.
    """

    done: list[Recording] = field(default_factory=list)
    new: list[Recording] = field(default_factory=list)
    failed: dict[Recording, Refusal] = field(default_factory=dict)
    to_retry: dict[Recording, Refusal] = field(default_factory=dict)
    deferred: dict[Recording, Refusal] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    warned: dict[Recording, Done] = field(default_factory=dict)
    made: dict[Recording, Made] = field(default_factory=dict)  # of the done ones

    @property
    def everyone(self) -> list[Recording]:
        """All recordings of the inbox, whatever their state."""
        return [*self.done, *self.new, *self.failed, *self.to_retry, *self.deferred]

    @property
    def work(self) -> list[Recording]:
        """What a run takes: all that is new, waits, or failed in a way another try may mend."""
        return sorted([*self.new, *self.to_retry, *self.deferred])


def survey(storage: Storage) -> Survey:
    """Look at the whole inbox; reads one small record for each recording."""
    found, result = _sort(storage), Survey()
    result.refused = [refused for _, refused in found if isinstance(refused, Refused)]
    result.left_out = [left.key for _, left in found if isinstance(left, LeftOut)]
    recordings = {r: s for r, s in found if r is not None and isinstance(s, Stored)}
    refusals = dict(read_refusals(storage))
    with ThreadPoolExecutor(_READERS) as pool:
        ends = pool.map(lambda recording: last_done(storage, recording), recordings)
        for (recording, seen), end in zip(recordings.items(), ends, strict=True):
            refusal = refusals.get(refusal_key(recording.inbox_key, recording.tenant))
            if refusal is not None and refusal.etag == seen.etag:
                _drawer(result, refusal)[recording] = refusal
            elif end is not None and end.etag == seen.etag:
                result.done.append(recording)
                result.made[recording] = end.made
                if end.warnings:
                    result.warned[recording] = end
            else:
                result.new.append(recording)
    return result


def _drawer(seen: Survey, refusal: Refusal) -> dict[Recording, Refusal]:
    if refusal.is_deferred:
        return seen.deferred
    return seen.failed if refusal.permanent else seen.to_retry


def of_tenant(seen: Survey, tenant: str | None) -> Survey:
    """What of it belongs to one tenant; all of it where none is named."""
    if tenant is None:
        return seen
    return Survey(
        done=[r for r in seen.done if r.tenant == tenant],
        new=[r for r in seen.new if r.tenant == tenant],
        failed={r: why for r, why in seen.failed.items() if r.tenant == tenant},
        to_retry={r: why for r, why in seen.to_retry.items() if r.tenant == tenant},
        deferred={r: why for r, why in seen.deferred.items() if r.tenant == tenant},
        refused=seen.refused,
        left_out=[key for key in seen.left_out if key.startswith(f"{INBOX}{tenant}/")],
        warned={r: end for r, end in seen.warned.items() if r.tenant == tenant},
        made={r: made for r, made in seen.made.items() if r.tenant == tenant},
    )


def done_etag(storage: Storage, recording: Recording) -> str | None:
    """The ETag of the file that went through all stages last."""
    end = last_done(storage, recording)
    return end.etag if end else None


def last_done(storage: Storage, recording: Recording) -> Done | None:
    """How a recording last went through all stages; None where it never did."""
    if storage.head(recording.transcript_key(DIARIZED_FILE)) is None:
        return None  # somebody removed it: the chain puts it there again, without a new job
    record = read_record(storage, recording, COST_METRICS)
    if record is None:
        return None
    try:
        facts = CostFacts.model_validate(record.facts)
    except ValidationError:
        return None
    return Done(facts.source_etag, record.made_at, facts.warnings, made_of_facts(facts))


def is_settled(storage: Storage, recording: Recording, etag: str) -> bool:
    """Whether this version of the file is done, or was refused for good."""
    if done_etag(storage, recording) == etag:
        return True
    refusal = read_refusal(storage, refusal_key(recording.inbox_key, recording.tenant))
    return refusal is not None and refusal.permanent and refusal.etag == etag


def quarantine_new(storage: Storage, refused: Iterable[Refused]) -> list[Refused]:
    """Keep a record of each name that can be no recording; those that had none yet."""
    new = [one for one in refused if storage.head(refusal_key(one.key, None)) is None]
    for one in new:
        write_refusal(
            storage,
            one.key,
            None,
            etag=one.etag,
            stage=STAGES[0],
            code=one.code,
            message=one.message,
            advice=one.advice,
            permanent=True,
        )
    return new


def standing(storage: Storage, inbox_key: str) -> Recording | None:
    """The recording of a key that somebody noted; None where no such file lies there now."""
    try:
        recording = from_inbox_key(inbox_key)
    except NameRefusedError:
        return None
    return recording if storage.head(recording.inbox_key) is not None else None


def _sort(storage: Storage) -> list[tuple[Recording | None, Stored | Refused | LeftOut]]:
    return [judge_name(found) for found in storage.list(INBOX)]


def judge_name(
    found: Stored | Oddity,
) -> tuple[Recording | None, Stored | Refused | LeftOut]:
    """The recording that an object is, or why it can be none."""
    if is_no_recording(found.key):
        return None, LeftOut(printable(found.key))
    if isinstance(found, Oddity):
        what = f"Not usable: {found.reason}."
        return None, Refused(found.key, "", "not_a_file", what, found.advice)
    try:
        return from_inbox_key(found.key), found
    except NameRefusedError as error:
        return None, Refused(found.key, found.etag, error.code, error.message, error.advice)
