"""transcript: the results of its jobs, unless there is no speech or a result already exists."""

import asyncio
import time
from collections.abc import Container, Iterable
from dataclasses import dataclass

from escriba.billing.attempts import Attempt
from escriba.billing.routing import route_reasons
from escriba.errors import RecordingError
from escriba.model_names import DEMO_MODEL
from escriba.recording_warnings import NO_SPEAKERS, warnings_of_job
from escriba.stages import A_REAL_MODEL_HEARD_IT, OPTIMIZED_AUDIO, TRANSCRIPT
from escriba.transcripts.merge_jobs import with_turns
from gpu_job.contract import JobResult
from intake.job_options import revision_of, words_alone
from intake.stage_records import (
    OptimizedAudioFacts,
    TranscriptFacts,
    facts_of,
    stage_fingerprint,
)
from resources.gpu.job_folder import JobFolder
from resources.gpu.job_orders import FinishedJob

from .progress import Checked, Numbers, StageMade
from .run_context import RecordingContext
from .transcript_jobs import (
    DoneJobs,
    file_options,
    fingerprints_now,
    job_folder,
    plan_jobs,
    run_jobs,
    words_identity,
)

TRANSCRIPT_FILE = "transcript.json"
_EMPTY_RESULT = b'{"version": 1, "job": "", "language": "", "segments": [], "turns": []}'


async def transcript(context: RecordingContext) -> StageMade:
    """Run the jobs, and write their results to the transcript's folder."""
    since = time.perf_counter()
    wanted = await asyncio.to_thread(fingerprints_now, context)
    reused = await asyncio.to_thread(_is_up_to_date, context, wanted)
    if not reused:
        forced_by = _forced_by(context, wanted)
        plan = await asyncio.to_thread(plan_jobs, context, forced_by)
        made = _Transcribed(await run_jobs(context, plan), forced_by, since)
        async with context.run_context.result_slots:
            await asyncio.to_thread(_save, context, made)
    facts = context.facts(TRANSCRIPT, TranscriptFacts)
    file = context.recording.transcript_key(TRANSCRIPT_FILE)
    seconds = time.perf_counter() - since
    checks = _checks(context, facts)
    return StageMade(TRANSCRIPT, reused, seconds, _numbers(facts), checks, files=(file,))


def _is_up_to_date(context: RecordingContext, wanted: Iterable[str]) -> bool:
    return any(context.is_up_to_date(TRANSCRIPT, fingerprint) for fingerprint in wanted)


def _checks(context: RecordingContext, facts: TranscriptFacts) -> tuple[Checked, ...]:
    if not facts.job:
        return ()
    model = context.options.job.model
    toy = facts.toy or model == DEMO_MODEL
    return (Checked(A_REAL_MODEL_HEARD_IT, not toy, {"model": facts.model or model}),)


def _numbers(facts: TranscriptFacts) -> Numbers:
    steps = facts.timings.model_dump() if facts.timings else {}
    return {
        "speech_seconds": facts.speech_ms / 1000,
        "words": facts.words,
        "language": facts.language,
        "language_probability": facts.language_probability,
        "model": facts.model,
        "model_revision": facts.model_revision,
        "toy": facts.toy,
        "attempts": len(facts.own_attempts),
        "job": facts.job,
        "backend": facts.backend,
        "route": facts.route,
        "console": facts.console,
        **steps,
        **_speakers_numbers(facts),
    }


def _speakers_numbers(facts: TranscriptFacts) -> Numbers:
    """The job for the speakers, if they have one of their own."""
    if not facts.speakers_job:
        return {}
    return {
        "speakers_job": facts.speakers_job,
        "speakers_backend": facts.speakers_backend,
        "speakers_route": facts.speakers_route,
        "speakers_console": facts.speakers_console,
    }


def stale_error(what: str) -> RecordingError:
    """The error of an asset that was made from another version of the file."""
    return RecordingError(
        "upstream_stale",
        f"The {what} was made from an older version of the file.",
        "Materialize all assets of this recording.",
        permanent=False,
    )


def _forced_by(context: RecordingContext, wanted: Container[str]) -> str:
    """The run that forces this transcript, or that forced an earlier one that is lost now."""
    if TRANSCRIPT in context.run_context.forced:
        return context.run_context.run_id
    record = context.record(TRANSCRIPT)
    if record is None or record.fingerprint not in wanted:
        return ""
    return facts_of(record, context.recording, TranscriptFacts).again


def model_of_transcript(context: RecordingContext, facts: TranscriptFacts) -> str:
    """The model of a transcript; an older version recorded it only in the job's request."""
    if facts.model or not facts.job:
        return facts.model
    folder = JobFolder(context.run_context.storage, context.recording.tenant, facts.job)
    asked = folder.find_request()
    return asked.options.model if asked else ""


@dataclass(frozen=True)
class _Transcribed:
    """The input of a transcript's record."""

    done: DoneJobs
    forced_by: str
    since: float

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Of both jobs."""
        ended = (self.done.speakers, self.done.words)
        return tuple(attempt for job in ended if job is not None for attempt in job.attempts)


def with_model(result: JobResult, model: str) -> JobResult:
    """The result with its model; `model` is used if a worker of an older version names none."""
    name = result.model or model
    return result.model_copy(update={"model": name, "toy": name == DEMO_MODEL})


def _save(context: RecordingContext, made: _Transcribed) -> None:
    key = context.recording.transcript_key(TRANSCRIPT_FILE)
    facts, body = _facts(context, made), _EMPTY_RESULT
    words = job_folder(context, made.done.plan.words).result() if made.done.plan.words else None
    if words is not None:
        result = with_model(words, context.options.job.model)
        speakers = _speakers_result(context, made.done)
        if speakers is not None:
            revision = revision_of(words_alone(file_options(context)))
            result = with_turns(result, speakers, revision)
        body = result.model_dump_json().encode()
        update = _result_facts(result, speakers) | _route_facts(context, made.done)
        warnings = (*facts.warnings, *warnings_of_job(result.warnings))
        facts = facts.model_copy(update=update | {"warnings": warnings})
    etag = context.run_context.storage.write(key, body)
    seconds = time.perf_counter() - made.since
    context.save(TRANSCRIPT, _fingerprint(context, made.done), facts, {key: etag}, seconds)


def _speakers_result(context: RecordingContext, done: DoneJobs) -> JobResult | None:
    found = done.plan.speakers if done.no_speakers is None else ""
    return job_folder(context, found).result() if found else None


def _fingerprint(context: RecordingContext, done: DoneJobs) -> str:
    """That of the options, or another one if the speakers were not found: a run tries again."""
    if done.no_speakers is not None:
        return stage_fingerprint(TRANSCRIPT, done.plan.words, NO_SPEAKERS)
    apart = bool(done.plan.speakers)
    found = fingerprints_now(context).items()
    return next(one for one, plan in found if bool(plan.speakers) == apart)


def _facts(context: RecordingContext, made: _Transcribed) -> TranscriptFacts:
    audio = context.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    name, plan = context.recording.name, made.done.plan
    attempts = (*made.attempts, *_failed_attempts(context, made.done))
    facts = TranscriptFacts(
        content_sha256=audio.content_sha256,
        job=plan.words,
        again=made.forced_by,
        own_attempts=tuple(a.attempt_id for a in attempts if a.recording == name),
        audio_ms=audio.audio_ms,
        speech_ms=audio.speech_ms,
        language="",
        language_probability=0.0,
        words=0,
        warnings=made.done.warnings,
    )
    if not plan.speakers:
        return facts
    found = plan.speakers if made.done.no_speakers is None else ""
    like = words_identity(context, made.forced_by)
    return facts.model_copy(update={"speakers_job": found, "words_like": like})


def _failed_attempts(context: RecordingContext, done: DoneJobs) -> list[Attempt]:
    """The attempts of a job for the speakers that failed: they may have cost something."""
    if done.no_speakers is None:
        return []
    return job_folder(context, done.plan.speakers).attempts()


def _result_facts(result: JobResult, speakers: JobResult | None) -> dict[str, object]:
    timings = result.usage.timings
    if speakers is not None:
        seconds = speakers.usage.timings.diarize_seconds
        timings = timings.model_copy(update={"diarize_seconds": seconds})
    return {
        "language": result.language,
        "language_probability": result.language_probability,
        "words": sum(len(segment.words) for segment in result.segments),
        "timings": timings,
        "model": result.model,
        "model_revision": result.model_revision,
        "weights": result.weights,
        "toy": result.toy,
    }


def _route_facts(context: RecordingContext, done: DoneJobs) -> dict[str, object]:
    """Where each job ran, why there, and its page at the provider."""
    facts: dict[str, object] = {}
    for prefix, job, ended in (
        ("", done.plan.words, done.words),
        ("speakers_", done.plan.speakers, done.speakers),
    ):
        last = _author(ended)
        if last is not None:
            folder = job_folder(context, job)
            facts[f"{prefix}backend"] = f"{last.backend}/{last.sku}"
            facts[f"{prefix}route"] = route_reasons(last.route) if last.route else ""
            facts[f"{prefix}console"] = context.run_context.engine.console_url(folder, last)
    return facts


def _author(ended: FinishedJob | None) -> Attempt | None:
    """The attempt that wrote the result."""
    if ended is None:
        return None
    return next((one for one in ended.attempts if one.attempt == ended.result.attempt), None)
