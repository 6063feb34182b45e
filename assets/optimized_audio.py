"""optimized_audio: mono 16 kHz and the regions of speech, before any GPU is leased."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from pipelines.settings import MEGABYTE
from pipelines.speech.audio_errors import AudioRefused
from pipelines.speech.decode_verdict import length_agrees
from pipelines.speech.optimize import OptimizedAudio, optimize
from pipelines.speech.tracks import TrackWish
from pipelines.track_names import is_all, number_of

from .bounds import check_length, refused
from .names import LENGTH_AGREES, OPTIMIZED_AUDIO, RAW_AUDIO
from .progress import Checked, Numbers, StageMade
from .raw_audio import check_unchanged
from .records import OptimizedAudioFacts, RawAudio, stage_fingerprint
from .workshop import Desk


def optimized_audio(desk: Desk) -> StageMade:
    """One pass over the file: decode, encode, find speech."""
    since = time.perf_counter()
    raw = desk.facts(RAW_AUDIO, RawAudio)
    limit_mb = desk.workshop.settings.optimized_limit_mb
    heard_by = desk.workshop.detector.version
    print_ = stage_fingerprint(
        OPTIMIZED_AUDIO,
        heard_by,
        raw.sha256,
        desk.options.channels,
        limit_mb,
        *_track_parts(desk, raw),
    )
    reused = desk.stands(OPTIMIZED_AUDIO, print_)
    if not reused:
        facts, outputs = _make(desk, raw)
        desk.save(OPTIMIZED_AUDIO, print_, facts, outputs, time.perf_counter() - since)
    facts = desk.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    numbers: Numbers = {
        "audio_seconds": facts.audio_ms / 1000,
        "speech_seconds": facts.speech_ms / 1000,
        "regions": len(facts.regions),
        "format": facts.format,
        "size_bytes": facts.size_bytes,
        "speech_dbfs": facts.speech_dbfs,
        "gain_db": facts.gain_db,
    }
    agrees = length_agrees(raw.declared_ms, facts.audio_ms)
    lengths = {"declared_ms": raw.declared_ms, "decoded_ms": facts.audio_ms}
    check = Checked(LENGTH_AGREES, agrees, lengths)
    return StageMade(OPTIMIZED_AUDIO, reused, time.perf_counter() - since, numbers, (check,))


def _track_parts(desk: Desk, raw: RawAudio) -> tuple[str, ...]:
    """What chose the sound of a file with several; nothing where there is none to choose."""
    if raw.audio_streams == 1:
        return ()
    return (desk.options.track, desk.options.job.language or "")


def _wish(desk: Desk) -> TrackWish | Literal["all"]:
    track = desk.options.track
    return is_all(track) or TrackWish(number_of(track), desk.options.job.language or "")


def _make(desk: Desk, raw: RawAudio) -> tuple[OptimizedAudioFacts, dict[str, str]]:
    check_unchanged(desk, raw.etag)
    with TemporaryDirectory(dir=desk.workshop.scratch) as folder:
        made = _optimize(desk, Path(folder), raw)
        check_unchanged(desk, raw.etag)
        key = desk.recording.work_key(made.path.name)
        etag = desk.workshop.storage.upload(key, made.path)
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


def _optimize(desk: Desk, folder: Path, raw: RawAudio) -> OptimizedAudio:
    workshop = desk.workshop

    def progress(done_ms: int) -> None:
        check_length(desk.workshop.settings, done_ms)
        workshop.progress.working(desk.recording, OPTIMIZED_AUDIO, done_ms, raw.declared_ms)

    try:
        return optimize(
            desk.source(),
            folder,
            detector=workshop.detector,
            channels=desk.options.channels,
            track=_wish(desk),
            limit_bytes=workshop.settings.optimized_limit_mb * MEGABYTE,
            stop=workshop.stop.is_set,
            progress=progress,
        )
    except AudioRefused as error:
        check_unchanged(desk, raw.etag)  # a file that still grows is not a broken one
        raise refused(error) from error
