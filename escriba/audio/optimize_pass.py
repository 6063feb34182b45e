"""One pass over a recording: decode, encode and detect speech, block by block."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from escriba.recording_warnings import RecordingWarning
from gpu_job.contract import SpeechRegion

from .all_tracks import AllTracks
from .decode import BlockDecoder, decode_blocks
from .encode import AudioWriter
from .open_audio import count_tracks
from .optimized_audio import Channels, Format
from .readable_file import ReadableFile
from .speech_detection import SpeechDetector, SpeechFinder, speech_share
from .speech_level import SpeechLevel
from .track_names import ANY_TRACK, TrackRequest

PROJECTED_FROM_MS: Final = 600_000  # after ten minutes the compression ratio is known
CLEARLY: Final = 1.1  # projected size / limit; below it a quieter rest may still fit


@dataclass(frozen=True)
class OptimizeOptions:
    """The options of `optimize`, described there."""

    detector: SpeechDetector
    channels: Channels
    limit_bytes: int
    stop: Callable[[], bool]
    progress: Callable[[int], None]
    track: TrackRequest | Literal["all"] = ANY_TRACK


@dataclass(frozen=True)
class OutputTarget:
    """The file that a pass writes; `bitrate` (bit/s) is for Opus, `gain_db` the amplification."""

    path: Path
    format: Format
    bitrate: int = 0
    gain_db: float = 0.0


@dataclass(frozen=True)
class PassResult:
    """The results of a pass; the warnings include one for missing separate channels."""

    decoded_ms: int
    channels: int
    regions: tuple[SpeechRegion, ...]
    level: SpeechLevel
    warnings: tuple[RecordingWarning, ...]
    encode_seconds: float
    detect_seconds: float


class FlacTooLargeError(Exception):
    """FLAC exceeds the limit or clearly will; `total_ms` is the length as far as it is known."""

    def __init__(self, total_ms: int) -> None:
        super().__init__(f"a FLAC of about {total_ms} ms exceeds the limit")
        self.total_ms = total_ms


def run_pass(source: ReadableFile, target: OutputTarget, options: OptimizeOptions) -> PassResult:
    """Writes the target and finds the speech regions; leaves no file behind on failure.

    Raises:
        AudioRefused: As in `decode_blocks`.
        DecodeStopped: `options.stop()` became true.
        FlacTooLargeError: The target is FLAC and too large for the limit.
    """
    try:
        return _run(source, target, options)
    except BaseException:
        target.path.unlink(missing_ok=True)
        raise


def _run(source: ReadableFile, target: OutputTarget, options: OptimizeOptions) -> PassResult:
    encode_seconds, channels = 0.0, 0
    with ExitStack() as stack:
        blocks = stack.enter_context(closing(_open(source, options, target.gain_db)))
        finder = stack.enter_context(SpeechFinder(options.detector))
        writer: AudioWriter | None = None
        for block in blocks:
            if writer is None:
                channels = block.shape[1]
                writer = stack.enter_context(
                    AudioWriter(target.path, target.format, channels, target.bitrate)
                )
            finder.feed(block)
            began = time.perf_counter()
            writer.write(block)
            encode_seconds += time.perf_counter() - began
            if target.format == "flac":
                _refuse_large(blocks, writer.written_bytes, options.limit_bytes)
            options.progress(blocks.decoded_ms)
        regions = finder.finish(blocks.decoded_ms)
    return PassResult(
        decoded_ms=blocks.decoded_ms,
        channels=channels,
        regions=regions,
        level=finder.level,
        warnings=blocks.warnings + _channel_warning(blocks, channels, options.channels),
        encode_seconds=encode_seconds,
        detect_seconds=finder.busy_seconds,
    )


def _open(
    source: ReadableFile, options: OptimizeOptions, gain_db: float
) -> BlockDecoder | AllTracks:
    if options.track == "all" and count_tracks(source) > 1:
        return AllTracks(source, options.stop, gain_db)
    return decode_blocks(
        source,
        channels=options.channels,
        stop=options.stop,
        request=ANY_TRACK if options.track == "all" else options.track,
        measure_speech=partial(speech_share, options.detector),
        gain_db=gain_db,
    )


def _refuse_large(blocks: BlockDecoder | AllTracks, written_bytes: int, limit_bytes: int) -> None:
    done_ms = blocks.decoded_ms
    is_projectable = done_ms >= PROJECTED_FROM_MS
    if written_bytes <= limit_bytes and not is_projectable:
        return
    total_ms = _total_ms(blocks)
    if written_bytes > limit_bytes or (written_bytes * total_ms > CLEARLY * limit_bytes * done_ms):
        raise FlacTooLargeError(total_ms)


def _total_ms(blocks: BlockDecoder | AllTracks) -> int:
    """The declared length if it can be trusted, else an estimate from the share of bytes read."""
    probe = blocks.probe
    if probe and probe.declared_is_trusted and probe.declared_ms:
        return max(probe.declared_ms, blocks.decoded_ms)
    return round(blocks.decoded_ms / max(blocks.read_share, 1e-6))


def _channel_warning(
    blocks: BlockDecoder | AllTracks, channels: int, requested: Channels
) -> tuple[RecordingWarning, ...]:
    if requested == "mixed" or channels != 1 or blocks.probe is None:
        return ()
    found = blocks.probe.channels
    message = (
        f"Separate channels were requested, but this recording of {found} channel(s) is mixed."
    )
    return (RecordingWarning(code="mixed_though_separate", message=message),)
