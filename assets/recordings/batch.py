"""Processes many recordings concurrently; each fails or succeeds on its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace

from escriba.audio.audio_errors import DecodeStopped
from escriba.billing.price_book import PriceBookError
from escriba.errors import BackendUnavailableError, KilledError, OverBudgetError, RecordingError
from escriba.known_secrets import masked
from escriba.recording_warnings import RecordingWarning
from escriba.recordings import Recording
from escriba.settings import SettingsError
from escriba.stages import (
    COST_METRICS,
    DIARIZED_TRANSCRIPT,
    FILE_STAGES,
    OPTIMIZED_AUDIO,
    RAW_AUDIO,
    STAGES,
    TRANSCRIPT,
)
from escriba.text_for.plain_lines import log_line
from intake.quarantine import refusal_key, write_refusal
from resources.media.media_messages import MediaProcessError
from resources.silero_vad import DetectorMissingError
from resources.storage.base import Storage, StorageError
from resources.storage.read_documents import DamagedError

from .cost_metrics import cost_metrics
from .cpu_slots import NoSparePlaceError
from .diarized_transcript import diarized_transcript
from .engine_reporter import end_reports, report_engine
from .optimized_audio import optimized_audio
from .progress import Failed, RecordingOutcome, StageMade
from .raw_audio import raw_audio
from .run_context import RecordingContext, RunContext
from .stage_warnings import warnings_in
from .transcript import transcript
from .waiting_notices import tell_waiting

_THREADS = 32  # for short waits on the store; files being decoded or uploaded have their own
_LOG = logging.getLogger("escriba")
_CANNOT_START = (  # the installation must change, not the file
    BackendUnavailableError,
    SettingsError,
    PriceBookError,
    MediaProcessError,
    DetectorMissingError,
)

Stage = Callable[[RecordingContext], Awaitable[StageMade]]


async def run_batch(
    run_context: RunContext,
    recordings: Sequence[Recording],
    stages: Collection[str] = STAGES,
    on_done: Callable[[RecordingOutcome], None] = lambda _: None,
) -> list[RecordingOutcome]:
    """Run the selected stages of every recording; outcomes in the order of `recordings`.

    `on_done` is called in the event loop as soon as a recording is finished.

    On cancellation all work stops, here and at the backend, and finished work is recorded.
    """
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="escriba"))
    notices = loop.create_task(tell_waiting(run_context.engine.fleet.waiting, run_context.progress))
    reports = loop.create_task(report_engine(run_context.storage, run_context.engine))
    try:
        outcomes = (_process(run_context, recording, stages) for recording in recordings)
        return await asyncio.gather(*(_reported(outcome, on_done) for outcome in outcomes))
    finally:
        notices.cancel()
        run_context.stop.set()
        try:  # paid machines first: a second interrupt may end what follows
            await asyncio.shield(run_context.engine.close())
            await end_reports(reports)
        finally:
            await asyncio.to_thread(run_context.media.close)
            run_context.audio_threads.shutdown(wait=False)


async def _reported(
    process: Awaitable[RecordingOutcome], on_done: Callable[[RecordingOutcome], None]
) -> RecordingOutcome:
    outcome = await process
    on_done(outcome)
    return outcome


async def _process(
    run_context: RunContext, recording: Recording, stages: Collection[str]
) -> RecordingOutcome:
    context, outcome = RecordingContext(recording, run_context), RecordingOutcome(recording)
    selected = [stage for stage in STAGES if stage in stages]
    try:
        await _prepare_audio(
            context, [stage for stage in selected if stage in _AUDIO_STAGES], outcome
        )
        for stage in selected:
            if stage in _LATER_STAGES:
                await _run(context, stage, _LATER_STAGES[stage], outcome)
    finally:
        await asyncio.to_thread(context.release_source)
    await asyncio.to_thread(_record, context, outcome, selected)
    run_context.progress.finished(outcome)
    return outcome


async def _prepare_audio(
    context: RecordingContext, stages: list[str], outcome: RecordingOutcome
) -> None:
    """The CPU-bound stages; the user's file is fetched once for both."""
    if not stages:
        return
    slots = context.run_context.cpu_slots
    try:
        async with slots.place() as context.slot:
            await _run_audio(context, stages, outcome)
    except NoSparePlaceError:
        async with slots.spare() as context.slot:
            await _run_audio(context, stages, outcome)


async def _run_audio(
    context: RecordingContext, stages: list[str], outcome: RecordingOutcome
) -> None:
    made = {each.stage for each in outcome.made}
    for stage in stages:
        if stage not in made:
            await _run(context, stage, _AUDIO_STAGES[stage], outcome)
    await asyncio.to_thread(context.release_source)


async def _run(
    context: RecordingContext, name: str, stage: Stage, outcome: RecordingOutcome
) -> None:
    if outcome.failed is not None:
        return
    try:
        made = await stage(context)
        made = await asyncio.to_thread(_versioned, context, made, outcome.warnings)
    except NoSparePlaceError:
        raise
    except Exception as error:  # noqa: BLE001  # no error may affect another recording
        outcome.failed = classify(name, error)
    else:
        outcome.made.append(made)
        context.log(made.stage, seconds=round(made.seconds, 3), reused=made.reused, **made.numbers)
        for warning in made.warnings:
            context.log("warning", stage=made.stage, code=warning.code, message=warning.message)


def _versioned(
    context: RecordingContext, made: StageMade, known: Collection[RecordingWarning]
) -> StageMade:
    """Adds the fingerprints of its record and of the stage before, and its new warnings."""
    at = STAGES.index(made.stage)
    own = context.record(made.stage)
    before = context.record(STAGES[at - 1]) if at else None
    return replace(
        made,
        version=own.fingerprint if own else "",
        made_from=before.fingerprint if before else "",
        warnings=tuple(each for each in warnings_in(own) if each not in known),
    )


def classify(stage: str, error: Exception) -> Failed:
    """The failure to report for an error, with advice and whether a retry may help.

    It goes to Dagster, the bucket and mails, so no secret is in it.
    """
    failed = _failure_of(stage, error)
    return replace(failed, message=masked(failed.message), advice=masked(failed.advice))


def _failure_of(stage: str, error: Exception) -> Failed:
    match error:
        case RecordingError():
            needs_usd = error.needs_usd if isinstance(error, OverBudgetError) else None
            kills = error.kills if isinstance(error, KilledError) else 0
            message, advice = error.message, error.advice
            failed = Failed(stage, error.code, message, advice, error.permanent)
            return replace(failed, needs_usd=needs_usd, kills=kills)
        case _ if isinstance(error, _CANNOT_START):
            advice = "Fix this, then run again; finished work is kept."
            return Failed(stage, "cannot_start", str(error), advice, permanent=False, is_ours=True)
        case DecodeStopped():
            advice = "Run again; finished work is kept."
            return Failed(stage, "interrupted", "The run was stopped.", advice, permanent=False)
        case StorageError():
            return _storage_failure(stage, error)
        case OSError():
            return _disk_failure(stage, error)
    _LOG.exception("Stage %s failed with an unexpected error", stage, exc_info=error)
    advice = "This is a bug in Escriba: please report it. The next run tries again."
    return Failed(stage, "internal", type(error).__name__ + ".", advice, permanent=False)


def _storage_failure(stage: str, error: StorageError) -> Failed:
    if isinstance(error, DamagedError):
        told = f"{error.key!r} {error.reason}."
        return Failed(stage, "damaged", told, error.mend, permanent=False)
    advice = "Check that the bucket is reachable and has free space, then run again."
    return Failed(stage, "storage", str(error), advice, permanent=False)


def _disk_failure(stage: str, error: OSError) -> Failed:
    advice = "Check the disk of this machine, then run again."
    where = f" ({error.filename})" if error.filename else ""
    message = f"{error.strerror or type(error).__name__}{where}."
    return Failed(stage, "disk", message, advice, permanent=False)


def _record(context: RecordingContext, outcome: RecordingOutcome, stages: Collection[str]) -> None:
    """Write the recording's log and quarantine record; a failing store loses only these.

    If only its files could not be rewritten, a recording stays done, with its old files: in
    quarantine it would go through all stages again, and perhaps start a new, unwanted job.
    """
    recording, storage = context.recording, context.run_context.storage
    failed = outcome.failed
    try:
        if failed is not None:
            event = "deferred" if failed.is_deferred else "failed"
            context.log(event, stage=failed.stage, code=failed.code, message=failed.message)
        context.write_log()
        if failed is None:
            storage.delete(refusal_key(recording.inbox_key, recording.tenant))
        elif not failed.permanent and set(stages) <= set(FILE_STAGES):
            return
        elif not failed.is_ours and not failed.kills and failed.code != "interrupted":
            _quarantine(storage, recording, failed)
    except (StorageError, OSError) as error:
        _LOG.warning(
            "%s: its log could not be written: %s", log_line(recording.name), log_line(error)
        )


def _quarantine(storage: Storage, recording: Recording, failed: Failed) -> None:
    source = storage.head(recording.inbox_key)
    write_refusal(
        storage,
        recording.inbox_key,
        recording.tenant,
        etag=source.etag if source else "",
        stage=failed.stage,
        code=failed.code,
        message=failed.message,
        advice=failed.advice,
        permanent=failed.permanent,
        needs_usd=failed.needs_usd,
    )


def _in_audio_thread(stage: Callable[[RecordingContext], StageMade]) -> Stage:
    async def in_thread(context: RecordingContext) -> StageMade:
        threads, run = context.run_context.audio_threads, copy_context().run
        return await asyncio.get_running_loop().run_in_executor(threads, run, stage, context)

    return in_thread


def _in_result_slot(stage: Callable[[RecordingContext], StageMade]) -> Stage:
    async def with_slot(context: RecordingContext) -> StageMade:
        async with context.run_context.result_slots:
            return await asyncio.to_thread(stage, context)

    return with_slot


_AUDIO_STAGES: dict[str, Stage] = {
    RAW_AUDIO: _in_audio_thread(raw_audio),
    OPTIMIZED_AUDIO: _in_audio_thread(optimized_audio),
}
_LATER_STAGES: dict[str, Stage] = {
    TRANSCRIPT: transcript,
    DIARIZED_TRANSCRIPT: _in_result_slot(diarized_transcript),
    COST_METRICS: cost_metrics,
}
