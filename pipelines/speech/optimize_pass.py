"""One way through a recording: decode, encode and find speech, block by block."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from gpu_job.contract import SpeechRegion
from pipelines.speech.all_tracks import AllTracks
from pipelines.speech.decode import BlockDecoder, Channels, decode_blocks
from pipelines.speech.detection import SpeechDetector, SpeechFinder, speech_share
from pipelines.speech.encode import AudioWriter, Format
from pipelines.speech.recording_warnings import RecordingWarning
from pipelines.speech.safe_open import count_tracks
from pipelines.speech.speech_level import SpeechLevel
from pipelines.speech.tracks import ANY_TRACK, TrackWish

PROJECTED_FROM_MS: Final = 600_000  # ten minutes tell how well a recording compresses
CLEARLY: Final = 1.1  # projected size by limit; below it the rest may be quieter, and fit


@dataclass(frozen=True)
class Wishes:
    """What the caller of `optimize` asked for; see there."""

    detector: SpeechDetector
    channels: Channels
    limit_bytes: int
    stop: Callable[[], bool]
    progress: Callable[[int], None]
    track: TrackWish | Literal["all"] = ANY_TRACK


@dataclass(frozen=True)
class Target:
    """What a pass writes; `bitrate` is for Opus; `gain_db`: how much louder than it was."""

    path: Path
    format: Format
    bitrate: int = 0
    gain_db: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What a pass found; the warnings are the decoder's and one for channels that are not there."""

    decoded_ms: int
    channels: int
    regions: tuple[SpeechRegion, ...]
    level: SpeechLevel
    warnings: tuple[RecordingWarning, ...]
    encode_seconds: float
    detect_seconds: float


class FlacTooLargeError(Exception):
    """FLAC passes the limit, or clearly will; `total_ms` is the length as far as it is known."""

    def __init__(self, total_ms: int) -> None:
        super().__init__(f"a FLAC of about {total_ms} ms passes the limit")
        self.total_ms = total_ms


def run_pass(source: Path, target: Target, wishes: Wishes) -> Outcome:
    """Writes the target and finds the regions; leaves no file behind when it fails.

    Raises:
        AudioRefused: As `decode_blocks`.
        DecodeStopped: `wishes.stop()` became true.
        FlacTooLargeError: The target is FLAC and too large for the limit.
    """
    try:
        return _run(source, target, wishes)
    except BaseException:
        target.path.unlink(missing_ok=True)
        raise


def _run(source: Path, target: Target, wishes: Wishes) -> Outcome:
    encode_seconds, channels = 0.0, 0
    with ExitStack() as stack:
        blocks = stack.enter_context(closing(_open(source, wishes, target.gain_db)))
        finder = stack.enter_context(SpeechFinder(wishes.detector))
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
                _refuse_large(blocks, writer.written_bytes, wishes.limit_bytes)
            wishes.progress(blocks.decoded_ms)
        regions = finder.finish(blocks.decoded_ms)
    return Outcome(
        decoded_ms=blocks.decoded_ms,
        channels=channels,
        regions=regions,
        level=finder.level,
        warnings=blocks.warnings + _channel_warning(blocks, channels, wishes.channels),
        encode_seconds=encode_seconds,
        detect_seconds=finder.busy_seconds,
    )


def _open(source: Path, wishes: Wishes, gain_db: float) -> BlockDecoder | AllTracks:
    if wishes.track == "all" and count_tracks(source) > 1:
        return AllTracks(source, wishes.stop, gain_db)
    return decode_blocks(
        source,
        channels=wishes.channels,
        stop=wishes.stop,
        wish=ANY_TRACK if wishes.track == "all" else wishes.track,
        hears=partial(speech_share, wishes.detector),
        gain_db=gain_db,
    )


def _refuse_large(blocks: BlockDecoder | AllTracks, written_bytes: int, limit_bytes: int) -> None:
    done_ms = blocks.decoded_ms
    is_telling = done_ms >= PROJECTED_FROM_MS
    if written_bytes <= limit_bytes and not is_telling:
        return
    total_ms = _total_ms(blocks)
    if written_bytes > limit_bytes or (written_bytes * total_ms > CLEARLY * limit_bytes * done_ms):
        raise FlacTooLargeError(total_ms)


def _total_ms(blocks: BlockDecoder | AllTracks) -> int:
    """The declared length where it can be trusted, else judged by the share of bytes read."""
    probe = blocks.probe
    if probe and probe.declared_is_trusted and probe.declared_ms:
        return max(probe.declared_ms, blocks.decoded_ms)
    return round(blocks.decoded_ms / max(blocks.read_share, 1e-6))


def _channel_warning(
    blocks: BlockDecoder | AllTracks, channels: int, wished: Channels
) -> tuple[RecordingWarning, ...]:
    if wished == "mixed" or channels != 1 or blocks.probe is None:
        return ()
    found = blocks.probe.channels
    message = f"Separate channels were asked for; this recording of {found} channel(s) is mixed."
    return (RecordingWarning(code="mixed_though_separate", message=message),)
