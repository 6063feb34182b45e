"""transcript: one job for what was said, unless nobody speaks or a result stands already."""

import asyncio
import time

from gpu_job.contract import JobOptions, JobResult
from resources.failures import RecordingError
from resources.gpu.identity import job_id
from resources.gpu.job_folder import FrozenRequest, JobFolder, now
from resources.gpu.orders import Finished, Order
from resources.models import model_revision

from .names import OPTIMIZED_AUDIO, TRANSCRIPT
from .progress import StageMade
from .records import OptimizedAudioFacts, TranscriptFacts, fingerprint
from .workshop import Desk

VERSION = 1
TRANSCRIPT_FILE = "transcript.json"
_NOTHING_SAID = b'{"version": 1, "job": "", "language": "", "segments": [], "turns": []}'


async def transcript(desk: Desk) -> StageMade:
    """The job's result, copied to where people look for it."""
    since = time.perf_counter()
    audio, job = await asyncio.to_thread(_identify, desk)
    print_ = fingerprint(TRANSCRIPT, VERSION, job or audio.content_sha256)
    reused = await asyncio.to_thread(desk.stands, TRANSCRIPT, print_)
    if not reused:
        finished = await _finished(desk, audio, job) if job else None
        await asyncio.to_thread(_save, desk, audio, job, finished, print_, since)
    facts = desk.facts(TRANSCRIPT, TranscriptFacts)
    numbers = {
        "speech_seconds": facts.speech_ms / 1000,
        "words": facts.words,
        "language": facts.language,
        "language_probability": facts.language_probability,
        "attempts": len(facts.own_attempts),
        "job": facts.job,
    }
    return StageMade(TRANSCRIPT, reused, time.perf_counter() - since, numbers)


def stale(what: str) -> RecordingError:
    """What was made of another version of the file than is looked at now."""
    return RecordingError(
        "upstream_stale",
        f"The {what} is of an older version of the file.",
        "Materialize all assets of this recording.",
        permanent=False,
    )


async def _finished(desk: Desk, audio: OptimizedAudioFacts, job: str) -> Finished:
    """The order is written in a thread: no other recording waits for the bucket."""
    order = await asyncio.to_thread(_order, desk, audio, job)
    return await desk.workshop.engine.run(order)


def _identify(desk: Desk) -> tuple[OptimizedAudioFacts, str]:
    """The audio, and the job's identity; empty where there is nothing to transcribe."""
    audio = desk.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    if not audio.regions:
        return audio, ""
    options = _job_options(desk, audio)
    revision = model_revision(options.model, options.diarizer)
    return audio, job_id(audio.content_sha256, options, revision)


def _job_options(desk: Desk, audio: OptimizedAudioFacts) -> JobOptions:
    """As wished, but for channels that the file does not have."""
    separate = audio.channels > 1
    return desk.options.job.model_copy(update={"channels": "separate" if separate else "mixed"})


def _order(desk: Desk, audio: OptimizedAudioFacts, job: str) -> Order:
    options = _job_options(desk, audio)
    folder = JobFolder(desk.workshop.storage, desk.recording.tenant, job)
    request = FrozenRequest(
        job=job,
        content_sha256=audio.content_sha256,
        options=options,
        model_revision=model_revision(options.model, options.diarizer),
        regions=audio.regions,
        audio_ms=audio.audio_ms,
        recording=desk.recording.name,
        created_at=now(),
    )
    return Order(
        folder=folder,
        request=folder.freeze(request),
        audio_key=audio.audio_key,
        audio_sha256=audio.audio_sha256,
        audio_channels=audio.channels,
        recording=desk.recording.name,
        progress=lambda done_ms: desk.workshop.progress.working(
            desk.recording, TRANSCRIPT, done_ms, audio.speech_ms
        ),
        retry=desk.workshop.retry,
    )


def _save(  # noqa: PLR0913, PLR0917  # what was made, of what, and since when
    desk: Desk,
    audio: OptimizedAudioFacts,
    job: str,
    finished: Finished | None,
    print_: str,
    since: float,
) -> None:
    key = desk.recording.transcript_key(TRANSCRIPT_FILE)
    body = finished.result.model_dump_json().encode() if finished else _NOTHING_SAID
    etag = desk.workshop.storage.write(key, body)
    result: JobResult | None = finished.result if finished else None
    name = desk.recording.name
    facts = TranscriptFacts(
        content_sha256=audio.content_sha256,
        job=job,
        own_attempts=tuple(
            a.attempt_id for a in (finished.attempts if finished else ()) if a.recording == name
        ),
        audio_ms=audio.audio_ms,
        speech_ms=audio.speech_ms,
        language=result.language if result else "",
        language_probability=result.language_probability if result else 0.0,
        words=sum(len(segment.words) for segment in result.segments) if result else 0,
    )
    desk.save(TRANSCRIPT, print_, facts, {key: etag}, time.perf_counter() - since)
