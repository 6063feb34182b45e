"""What `optimize` makes. Loads no decoder, so that any process may know it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from escriba.recording_warnings import RecordingWarning
from gpu_job.contract import SpeechRegion

Channels = Literal["mixed", "separate"]
Format = Literal["flac", "opus"]


@dataclass(frozen=True)
class OptimizeTimings:
    """Durations: wall seconds, except for the detector's thread, which has CPU seconds."""

    wall_seconds: float
    encode_seconds: float
    detect_cpu_seconds: float
    passes: int


@dataclass(frozen=True)
class OptimizedAudio:
    """The optimized audio of a recording.

    Attributes:
        path: `audio.flac` or `audio.opus` in the given folder.
        format: Format of the file.
        bitrate: Bitrate of all channels together, in bit/s; None for FLAC.
        decoded_ms: Length of the audio and of the file.
        channels: 1, or the number of recorded channels if they are kept separate.
        sha256: SHA-256 of the file, in hexadecimal.
        size_bytes: Size of the file.
        regions: Speech regions, ordered by start and channel.
        speech_dbfs: Level of the recorded speech; None without any sound.
        gain_db: Amplification of quiet speech; 0 for most recordings.
        warnings: Warnings about the recording.
        timings: Durations of the steps.
    """

    path: Path
    format: Format
    bitrate: int | None
    decoded_ms: int
    channels: int
    sha256: str
    size_bytes: int
    regions: tuple[SpeechRegion, ...]
    speech_dbfs: float | None
    gain_db: float
    warnings: tuple[RecordingWarning, ...]
    timings: OptimizeTimings
