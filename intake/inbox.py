"""The files in the inbox and the state of each recording: a set function over the bucket.

"New" never means "not yet a partition": a recording is done when its last record names the ETag
that the file has now.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from escriba.recording_warnings import RecordingWarning
from escriba.recordings import INBOX, NameRefusedError, Recording, from_inbox_key
from escriba.stages import COST_METRICS, STAGES
from escriba.transcripts.render_options import DIARIZED_FILE
from resources.storage.base import Storage, StoredObject, UnusableObject

from .ignored_files import is_ignored
from .made_with import Made, made_of_facts
from .quarantine import Refusal, printable, read_refusal, read_refusals, refusal_key, write_refusal
from .stage_records import CostFacts, read_record

_READERS = 32


@dataclass(frozen=True)
class RefusedObject:
    """An object in the inbox that cannot be a recording, whatever its content."""

    key: str
    etag: str
    code: str
    message: str
    advice: str


@dataclass(frozen=True)
class LeftOut:
    """A file next to recordings that is not a recording, such as slides; not a failure."""

    key: str


@dataclass(frozen=True)
class DoneRecording:
    """The last record of a recording: the version of its file, time, warnings and options."""

    etag: str
    at: datetime
    warnings: tuple[RecordingWarning, ...]
    made: Made


@dataclass
class Survey:
    """The inbox at one moment. Every recording is in exactly one of the first five fields.

    left_out: keys that are not recordings, judged by name, such as slides.
    warned: the done recordings that have warnings.
    """

    done: list[Recording] = field(default_factory=list)
    new: list[Recording] = field(default_factory=list)
    failed: dict[Recording, Refusal] = field(default_factory=dict)
    to_retry: dict[Recording, Refusal] = field(default_factory=dict)
    deferred: dict[Recording, Refusal] = field(default_factory=dict)
    refused: list[RefusedObject] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    warned: dict[Recording, DoneRecording] = field(default_factory=dict)
    made: dict[Recording, Made] = field(default_factory=dict)  # of the done recordings
    done_at: dict[Recording, datetime] = field(default_factory=dict)

    @property
    def everyone(self) -> list[Recording]:
        """All recordings in the inbox, in any state."""
        return [*self.done, *self.new, *self.failed, *self.to_retry, *self.deferred]

    @property
    def work(self) -> list[Recording]:
        """What a run processes: all that is new or deferred, or failed and may be retried."""
        return sorted([*self.new, *self.to_retry, *self.deferred])


def survey_inbox(storage: Storage) -> Survey:
    """The state of the whole inbox; reads one small record for each recording."""
    judged, result = [judge_name(found) for found in storage.list(INBOX)], Survey()
    result.refused = [what for _, what in judged if isinstance(what, RefusedObject)]
    result.left_out = [what.key for _, what in judged if isinstance(what, LeftOut)]
    recordings = {r: what for r, what in judged if r is not None and isinstance(what, StoredObject)}
    refusals = dict(read_refusals(storage))

    def known(recording: Recording) -> tuple[str, Refusal | None, DoneRecording | None]:
        refusal = refusals.get(refusal_key(recording.inbox_key, recording.tenant))
        last, listed = last_done(storage, recording), recordings[recording].etag
        return _etag_now(storage, recording, listed, refusal, last), refusal, last

    with ThreadPoolExecutor(_READERS) as pool:
        for recording, found in zip(recordings, pool.map(known, recordings), strict=True):
            _add_recording(result, recording, *found)
    return result


def _etag_now(
    storage: Storage,
    recording: Recording,
    listed: str,
    refusal: Refusal | None,
    last: DoneRecording | None,
) -> str:
    """The ETag to compare with the records of a file.

    A store may list another one than it gives elsewhere, which is where the records have it from.
    So a file that seems to have changed is asked for again.
    """
    recorded = {one.etag for one in (refusal, last) if one is not None}
    if not recorded or listed in recorded:
        return listed
    now = storage.head(recording.inbox_key)
    return now.etag if now is not None else listed


def _add_recording(
    result: Survey,
    recording: Recording,
    etag: str,
    refusal: Refusal | None,
    last: DoneRecording | None,
) -> None:
    """Put a recording into its state; records of another version of the file do not count."""
    if refusal is not None and refusal.etag == etag:
        _refused_state(result, refusal)[recording] = refusal
    elif last is not None and last.etag == etag:
        result.done.append(recording)
        result.made[recording] = last.made
        result.done_at[recording] = last.at
        if last.warnings:
            result.warned[recording] = last
    else:
        result.new.append(recording)


def _refused_state(result: Survey, refusal: Refusal) -> dict[Recording, Refusal]:
    if refusal.is_deferred:
        return result.deferred
    return result.failed if refusal.permanent else result.to_retry


def of_tenant(whole: Survey, tenant: str | None) -> Survey:
    """The part of a survey that belongs to a tenant; the whole survey if `tenant` is None."""
    if tenant is None:
        return whole
    return Survey(
        done=[r for r in whole.done if r.tenant == tenant],
        new=[r for r in whole.new if r.tenant == tenant],
        failed={r: why for r, why in whole.failed.items() if r.tenant == tenant},
        to_retry={r: why for r, why in whole.to_retry.items() if r.tenant == tenant},
        deferred={r: why for r, why in whole.deferred.items() if r.tenant == tenant},
        refused=whole.refused,
        left_out=[key for key in whole.left_out if key.startswith(f"{INBOX}{tenant}/")],
        warned={r: last for r, last in whole.warned.items() if r.tenant == tenant},
        made={r: made for r, made in whole.made.items() if r.tenant == tenant},
        done_at={r: at for r, at in whole.done_at.items() if r.tenant == tenant},
    )


def done_etag(storage: Storage, recording: Recording) -> str | None:
    """The ETag of the file that last went through all stages; None if none did."""
    last = last_done(storage, recording)
    return last.etag if last else None


def last_done(storage: Storage, recording: Recording) -> DoneRecording | None:
    """How a recording last went through all stages; None if it never did."""
    if storage.head(recording.transcript_key(DIARIZED_FILE)) is None:
        return None  # the file was removed: the chain writes it again, without a new job
    record = read_record(storage, recording, COST_METRICS)
    if record is None:
        return None
    try:
        facts = CostFacts.model_validate(record.facts)
    except ValidationError:
        return None
    return DoneRecording(facts.source_etag, record.made_at, facts.warnings, made_of_facts(facts))


def is_settled(storage: Storage, recording: Recording, etag: str) -> bool:
    """Whether this version of the file is done or permanently refused."""
    last = last_done(storage, recording)
    if last is not None and last.etag == etag:
        return True
    refusal = read_refusal(storage, refusal_key(recording.inbox_key, recording.tenant))
    now = _etag_now(storage, recording, etag, refusal, last)
    is_done = last is not None and last.etag == now
    return is_done or (refusal is not None and refusal.permanent and refusal.etag == now)


def quarantine_new(storage: Storage, refused: Iterable[RefusedObject]) -> list[RefusedObject]:
    """Write a record for each refused object; returns those that had none yet."""
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


def existing_recording(storage: Storage, inbox_key: str) -> Recording | None:
    """The recording of a key that a record names; None if the file no longer exists."""
    try:
        recording = from_inbox_key(inbox_key)
    except NameRefusedError:
        return None
    return recording if storage.head(recording.inbox_key) is not None else None


def judge_name(
    found: StoredObject | UnusableObject,
) -> tuple[Recording | None, StoredObject | RefusedObject | LeftOut]:
    """The recording that an object is, or the reason why it is not one."""
    if is_ignored(found.key):
        return None, LeftOut(printable(found.key))
    if isinstance(found, UnusableObject):
        message = f"The object cannot be used: {found.reason}."
        return None, RefusedObject(found.key, "", "not_a_file", message, found.advice)
    try:
        return from_inbox_key(found.key), found
    except NameRefusedError as error:
        return None, RefusedObject(found.key, found.etag, error.code, error.message, error.advice)
