"""transcript: one job for what was said, unless nobody speaks or a result stands already."""

import asyncio
import time
from dataclasses import dataclass

from gpu_job.contract import JobOptions, JobResult
from pipelines.billing.attempts import Attempt
from pipelines.billing.routing import told
from pipelines.speech.recording_warnings import warnings_of_job
from pipelines.speech_models import DEMO_MODEL
from resources.failures import RecordingError
from resources.gpu.identity import job_id
from resources.gpu.job_folder import FrozenRequest, JobFolder, now
from resources.gpu.orders import Finished, Order, order_of
from resources.models import model_revision

from .names import A_REAL_MODEL_HEARD_IT, OPTIMIZED_AUDIO, RAW_AUDIO, TRANSCRIPT
from .progress import Checked, Numbers, StageMade
from .records import OptimizedAudioFacts, RawAudio, TranscriptFacts, stage_fingerprint
from .workshop import Desk

TRANSCRIPT_FILE = "transcript.json"
_NOTHING_SAID = b'{"version": 1, "job": "", "language": "", "segments": [], "turns": []}'


async def transcript(desk: Desk) -> StageMade:
    """The job's result, copied to where people look for it."""
    since = time.perf_counter()
    print_ = stage_fingerprint(TRANSCRIPT, await asyncio.to_thread(_content, desk))
    reused = await asyncio.to_thread(desk.stands, TRANSCRIPT, print_)
    if not reused:
        again = _again(desk, print_)
        job = await asyncio.to_thread(_job, desk, again)
        finished = await _finished(desk, job) if job else None
        made = _Made(job, again, print_, finished.attempts if finished else (), since)
        async with desk.workshop.hands:
            await asyncio.to_thread(_save, desk, made)
    facts = desk.facts(TRANSCRIPT, TranscriptFacts)
    file = desk.recording.transcript_key(TRANSCRIPT_FILE)
    seconds = time.perf_counter() - since
    toy = facts.toy or (bool(facts.job) and desk.options.job.model == DEMO_MODEL)
    real = Checked(A_REAL_MODEL_HEARD_IT, not toy, {"model": facts.model or desk.options.job.model})
    checks = (real,) if facts.job else ()
    return StageMade(TRANSCRIPT, reused, seconds, _numbers(facts), checks, files=(file,))


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
    }


def stale(what: str) -> RecordingError:
    """What was made of another version of the file than is looked at now."""
    return RecordingError(
        "upstream_stale",
        f"The {what} is of an older version of the file.",
        "Materialize all assets of this recording.",
        permanent=False,
    )


async def _finished(desk: Desk, job: str) -> Finished:
    """The order is written in a thread: no other recording waits for the bucket."""
    order = await asyncio.to_thread(_order, desk, job)
    desk.put_away()  # the job may wait for hours
    return await desk.workshop.engine.run(order)


def _again(desk: Desk, print_: str) -> str:
    """The run that forces this transcript, or that forced the one that is lost now."""
    if TRANSCRIPT in desk.workshop.forced:
        return desk.workshop.run_id
    record = desk.record(TRANSCRIPT)
    if record is None or record.fingerprint != print_:
        return ""
    return TranscriptFacts.model_validate(record.facts).again


def _content(desk: Desk) -> str:
    """What the transcript is of: a job, or a file in which nobody speaks."""
    return _job(desk, "") or desk.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts).content_sha256


def _job(desk: Desk, again: str) -> str:
    """The job's identity; empty where there is nothing to transcribe."""
    audio = desk.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    if not audio.regions:
        return ""
    options = _job_options(desk, audio)
    revision = revision_of(options)
    return job_id(audio.content_sha256, options, revision, again=again)


def _job_options(desk: Desk, audio: OptimizedAudioFacts) -> JobOptions:
    streams = desk.facts(RAW_AUDIO, RawAudio).audio_streams
    return as_the_file_allows(desk.options.job, audio.channels, streams)


def as_the_file_allows(options: JobOptions, channels: int, audio_streams: int) -> JobOptions:
    """As wished, but for channels and tracks that the file does not have."""
    return options.model_copy(
        update={
            "channels": "separate" if channels > 1 else "mixed",
            "track": options.track if audio_streams > 1 else "",
        }
    )


def revision_of(options: JobOptions) -> str:
    """What of the models changes a result with these options."""
    return model_revision(options.model, options.diarizer, options.diarization_model)


def is_as_wished(desk: Desk, said: TranscriptFacts) -> bool:
    """Whether the transcript that stands is the one that the options of now would give."""
    return not said.job or said.job == _job(desk, said.again)


def heard_by(desk: Desk, said: TranscriptFacts) -> str:
    """The model of a transcript; an older version left it in the job's request alone."""
    if said.model or not said.job:
        return said.model
    folder = JobFolder(desk.workshop.storage, desk.recording.tenant, said.job)
    asked = folder.asked()
    return asked.options.model if asked else ""


def _order(desk: Desk, job: str) -> Order:
    audio = desk.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    options = _job_options(desk, audio)
    request = FrozenRequest(
        job=job,
        content_sha256=audio.content_sha256,
        options=options,
        model_revision=revision_of(options),
        regions=audio.regions,
        audio_ms=audio.audio_ms,
        recording=desk.recording.name,
        created_at=now(),
    )
    recording, told, speech_ms = desk.recording, desk.workshop.progress, audio.speech_ms
    return order_of(
        JobFolder(desk.workshop.storage, recording.tenant, job),
        request,
        audio_key=audio.audio_key,
        audio_sha256=audio.audio_sha256,
        audio_channels=audio.channels,
        audio_bytes=audio.size_bytes,
        progress=lambda done_ms: told.working(recording, TRANSCRIPT, done_ms, speech_ms),
        permission=desk.permission,
        retry=desk.workshop.retry,
    )


@dataclass(frozen=True)
class _Made:
    """What the record of a transcript is made of; no job where nobody speaks."""

    job: str
    again: str
    print_: str
    attempts: tuple[Attempt, ...]
    since: float


def marked(result: JobResult, model: str) -> JobResult:
    """With the model that heard it, where a worker of an older version did not say."""
    heard_by = result.model or model
    return result.model_copy(update={"model": heard_by, "toy": heard_by == DEMO_MODEL})


def _save(desk: Desk, made: _Made) -> None:
    audio = desk.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    key = desk.recording.transcript_key(TRANSCRIPT_FILE)
    folder = JobFolder(desk.workshop.storage, desk.recording.tenant, made.job)
    result = folder.result() if made.job else None
    result = marked(result, desk.options.job.model) if result else None
    body = result.model_dump_json().encode() if result else _NOTHING_SAID
    etag = desk.workshop.storage.write(key, body)
    last = next((a for a in made.attempts if result and a.attempt == result.attempt), None)
    facts = TranscriptFacts(
        content_sha256=audio.content_sha256,
        job=made.job,
        again=made.again,
        own_attempts=tuple(
            a.attempt_id for a in made.attempts if a.recording == desk.recording.name
        ),
        audio_ms=audio.audio_ms,
        speech_ms=audio.speech_ms,
        language=result.language if result else "",
        language_probability=result.language_probability if result else 0.0,
        words=sum(len(segment.words) for segment in result.segments) if result else 0,
        timings=result.usage.timings if result else None,
        backend=f"{last.backend}/{last.sku}" if last else "",
        route=told(last.route) if last and last.route else "",
        model=result.model if result else "",
        model_revision=result.model_revision if result else "",
        weights=result.weights if result else "",
        toy=bool(result and result.toy),
        console=desk.workshop.engine.console_url(folder, last) if last else "",
        warnings=warnings_of_job(result.warnings) if result else (),
    )
    seconds = time.perf_counter() - made.since
    desk.save(TRANSCRIPT, made.print_, facts, {key: etag}, seconds)
