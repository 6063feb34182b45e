"""Many recordings at once, each on its own way through the stages; one's failure is its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pipelines.billing.prices import PriceBookError
from pipelines.recordings import Recording
from pipelines.settings import SettingsError
from pipelines.speech.decode import DecodeStopped
from pipelines.speech.recording_warnings import RecordingWarning
from resources.failures import BackendUnavailableError, OverBudgetError, RecordingError
from resources.storage.base import StorageError

from .cost_metrics import cost_metrics
from .diarized_transcript import diarized_transcript
from .names import (
    COST_METRICS,
    DIARIZED_TRANSCRIPT,
    OPTIMIZED_AUDIO,
    RAW_AUDIO,
    STAGES,
    TRANSCRIPT,
)
from .optimized_audio import optimized_audio
from .progress import Failed, Outcome, StageMade
from .quarantine import refusal_key, write_refusal
from .raw_audio import raw_audio
from .transcript import transcript
from .warned import warnings_in
from .workshop import Desk, Workshop

_THREADS = 32  # for short waits on the store; what fills a core has its own limit
_LOG = logging.getLogger("escriba")

Stage = Callable[[Desk], Awaitable[StageMade]]


async def run_batch(
    workshop: Workshop,
    recordings: Sequence[Recording],
    stages: Collection[str] = STAGES,
    told: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Take every recording through the wanted stages, in the order of `recordings`.

    `told` hears of each in the event loop, as soon as its way is over.

    On cancellation all work stops, here and at the backend, and what had ended is recorded.
    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="escriba"))
    try:
        ways = (_told(_way(workshop, recording, stages), told) for recording in recordings)
        return await asyncio.gather(*ways)
    finally:
        workshop.stop.set()
        await asyncio.shield(workshop.engine.close())


async def _told(way: Awaitable[Outcome], told: Callable[[Outcome], None]) -> Outcome:
    outcome = await way
    told(outcome)
    return outcome


async def _way(workshop: Workshop, recording: Recording, stages: Collection[str]) -> Outcome:
    desk, outcome = Desk(recording, workshop), Outcome(recording)
    wanted = [stage for stage in STAGES if stage in stages]
    try:
        await _prepare(desk, [s for s in wanted if s in (RAW_AUDIO, OPTIMIZED_AUDIO)], outcome)
        for stage in wanted:
            if stage in _AFTER:
                await _run(desk, stage, _AFTER[stage], outcome)
    finally:
        await asyncio.to_thread(desk.release_source)
    await asyncio.to_thread(_note, desk, outcome)
    workshop.progress.finished(outcome)
    return outcome


async def _prepare(desk: Desk, stages: list[str], outcome: Outcome) -> None:
    """What fills a core, with the user's file fetched once for both stages."""
    if not stages:
        return
    async with desk.workshop.cpu:
        for stage in stages:
            await _run(desk, stage, _BEFORE[stage], outcome)
        await asyncio.to_thread(desk.release_source)


async def _run(desk: Desk, name: str, stage: Stage, outcome: Outcome) -> None:
    if outcome.failed is not None:
        return
    try:
        made = await stage(desk)
        made = await asyncio.to_thread(_versioned, desk, made, outcome.warnings)
    except Exception as error:  # noqa: BLE001  # whatever it is, it costs no other recording
        outcome.failed = classify(name, error)
    else:
        outcome.made.append(made)
        desk.log(made.stage, seconds=round(made.seconds, 3), reused=made.reused, **made.numbers)
        for warning in made.warnings:
            desk.log("warning", stage=made.stage, code=warning.code, message=warning.message)


def _versioned(desk: Desk, made: StageMade, told: Collection[RecordingWarning]) -> StageMade:
    """With the fingerprints of its record and of the stage before, and what it first warns of."""
    at = STAGES.index(made.stage)
    own = desk.record(made.stage)
    before = desk.record(STAGES[at - 1]) if at else None
    return replace(
        made,
        version=own.fingerprint if own else "",
        made_from=before.fingerprint if before else "",
        warnings=tuple(each for each in warnings_in(own) if each not in told),
    )


def classify(stage: str, error: Exception) -> Failed:
    """What to say of a failure, and whether another try could help."""
    match error:
        case RecordingError():
            needs_usd = error.needs_usd if isinstance(error, OverBudgetError) else None
            told = (error.code, error.message, error.advice, error.permanent)
            return Failed(stage, *told, needs_usd=needs_usd)
        case BackendUnavailableError() | SettingsError() | PriceBookError():
            advice = "Mend this and run again; what is done is kept."
            return Failed(stage, "cannot_start", str(error), advice, permanent=False, is_ours=True)
        case DecodeStopped():
            advice = "Run again; what is done is kept."
            return Failed(stage, "interrupted", "The run was stopped.", advice, permanent=False)
        case StorageError():
            advice = "Check that the bucket can be reached and has room, then run again."
            return Failed(stage, "storage", str(error), advice, permanent=False)
        case OSError():
            advice = "Check the disk of this machine, then run again."
            where = f" ({error.filename})" if error.filename else ""
            message = f"{error.strerror or type(error).__name__}{where}."
            return Failed(stage, "disk", message, advice, permanent=False)
    _LOG.exception("A stage broke", exc_info=error)
    advice = "This is a fault of Escriba: please report it. The next run tries again."
    return Failed(stage, "internal", type(error).__name__ + ".", advice, permanent=False)


def _note(desk: Desk, outcome: Outcome) -> None:
    """The recording's log and its place in quarantine; a store that is down costs neither."""
    recording, storage = desk.recording, desk.workshop.storage
    failed = outcome.failed
    try:
        if failed is not None:
            event = "deferred" if failed.is_deferred else "failed"
            desk.log(event, stage=failed.stage, code=failed.code, message=failed.message)
        desk.write_log()
        if failed is None:
            storage.delete(refusal_key(recording.inbox_key, recording.tenant))
        elif not failed.is_ours and failed.code != "interrupted":
            seen = storage.head(recording.inbox_key)
            write_refusal(
                storage,
                recording.inbox_key,
                recording.tenant,
                etag=seen.etag if seen else "",
                stage=failed.stage,
                code=failed.code,
                message=failed.message,
                advice=failed.advice,
                permanent=failed.permanent,
                needs_usd=failed.needs_usd,
            )
    except (StorageError, OSError) as error:
        _LOG.warning("%s: its log could not be written: %s", recording.name, error)


def _threaded(stage: Callable[[Desk], StageMade]) -> Stage:
    async def in_thread(desk: Desk) -> StageMade:
        return await asyncio.to_thread(stage, desk)

    return in_thread


def _by_hand(stage: Callable[[Desk], StageMade]) -> Stage:
    async def with_room(desk: Desk) -> StageMade:
        async with desk.workshop.hands:
            return await asyncio.to_thread(stage, desk)

    return with_room


_BEFORE: dict[str, Stage] = {
    RAW_AUDIO: _threaded(raw_audio),
    OPTIMIZED_AUDIO: _threaded(optimized_audio),
}
_AFTER: dict[str, Stage] = {
    TRANSCRIPT: transcript,
    DIARIZED_TRANSCRIPT: _by_hand(diarized_transcript),
    COST_METRICS: cost_metrics,
}
