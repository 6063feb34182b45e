"""optimized_audio: mono 16 kHz audio and its speech regions, made before any GPU is leased."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from escriba.audio.audio_errors import AudioRefused
from escriba.audio.decoded_length import length_agrees
from escriba.audio.optimized_audio import OptimizedAudio
from escriba.audio.track_names import is_all, number_of
from escriba.settings import MEGABYTE
from escriba.stages import LENGTH_AGREES, OPTIMIZED_AUDIO, RAW_AUDIO
from intake.stage_records import OptimizedAudioFacts, RawAudio, stage_fingerprint
from resources.media.media_messages import OptimizeTask
from resources.silero_vad import VAD_VERSION

from .input_limits import check_length
from .progress import Checked, Numbers, StageMade
from .raw_audio import check_unchanged
from .refused_files import refused_in
from .run_context import RecordingContext


def optimized_audio(context: RecordingContext) -> StageMade:
    """Decode, encode and detect speech in one pass over the file."""
    since = time.perf_counter()
    raw = context.facts(RAW_AUDIO, RawAudio)
    fingerprint = _fingerprint(context, raw)
    reused = context.is_up_to_date(OPTIMIZED_AUDIO, fingerprint)
    if not reused:
        facts, outputs = _make(context, raw)
        context.save(OPTIMIZED_AUDIO, fingerprint, facts, outputs, time.perf_counter() - since)
    facts = context.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    agrees = length_agrees(raw.declared_ms, facts.audio_ms)
    lengths = {"declared_ms": raw.declared_ms, "decoded_ms": facts.audio_ms}
    check = Checked(LENGTH_AGREES, agrees, lengths)
    seconds = time.perf_counter() - since
    return StageMade(OPTIMIZED_AUDIO, reused, seconds, _numbers(facts), (check,))


def _numbers(facts: OptimizedAudioFacts) -> Numbers:
    return {
        "audio_seconds": facts.audio_ms / 1000,
        "speech_seconds": facts.speech_ms / 1000,
        "regions": len(facts.regions),
        "format": facts.format,
        "size_bytes": facts.size_bytes,
        "speech_dbfs": facts.speech_dbfs,
        "gain_db": facts.gain_db,
    }


def _fingerprint(context: RecordingContext, raw: RawAudio) -> str:
    return stage_fingerprint(
        OPTIMIZED_AUDIO,
        VAD_VERSION,
        raw.sha256,
        context.options.channels,
        context.run_context.settings.optimized_limit_mb,
        *_track_parts(context, raw),
    )


def _track_parts(context: RecordingContext, raw: RawAudio) -> tuple[str, ...]:
    """The options that choose a track; empty if the file has only one."""
    if raw.audio_streams == 1:
        return ()
    return (context.options.track, context.options.job.language or "")


def _task(context: RecordingContext) -> OptimizeTask:
    track = context.options.track
    return OptimizeTask(
        channels=context.options.channels,
        track_number=number_of(track),
        language=context.options.job.language or "",
        all_tracks=is_all(track) is not None,
        limit_bytes=context.run_context.settings.optimized_limit_mb * MEGABYTE,
    )


def _make(context: RecordingContext, raw: RawAudio) -> tuple[OptimizedAudioFacts, dict[str, str]]:
    check_unchanged(context, raw.etag)
    with TemporaryDirectory(dir=context.run_context.scratch) as folder:
        made = _optimize(context, Path(folder), raw)
        check_unchanged(context, raw.etag)
        key = context.recording.work_key(made.path.name)
        etag = context.run_context.storage.upload(key, made.path)
    facts = OptimizedAudioFacts(
        content_sha256=raw.sha256,
        audio_key=key,
        audio_sha256=made.sha256,
        format=made.format,
        size_bytes=made.size_bytes,
        audio_ms=made.decoded_ms,
        channels=made.channels,
        regions=made.regions,
        warnings=made.warnings,
        speech_dbfs=made.speech_dbfs,
        gain_db=made.gain_db,
    )
    return facts, {key: etag}


def _optimize(context: RecordingContext, folder: Path, raw: RawAudio) -> OptimizedAudio:
    run_context = context.run_context

    def progress(done_ms: int) -> None:
        check_length(context.run_context.settings, done_ms)
        run_context.progress.working(context.recording, OPTIMIZED_AUDIO, done_ms, raw.declared_ms)

    try:
        made = run_context.media.optimize(
            context.source(),
            folder,
            _task(context),
            context.recording.tenant,
            context.watch(progress),
        )
    except AudioRefused as error:
        check_unchanged(context, raw.etag)  # a file that is still growing is not damaged
        raise refused_in(context, OPTIMIZED_AUDIO, raw.etag, error) from error
    progress(made.decoded_ms)
    return made
