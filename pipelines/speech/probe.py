"""What a file is before it is decoded: container, codec, channels, and how long it says it is."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.speech.declared import read_declared
from pipelines.speech.safe_open import AudioSource, open_audio
from pipelines.speech.tracks import ANY_TRACK, TrackWish


@dataclass(frozen=True)
class AudioProbe:
    """The sound that will be transcribed (see `tracks.py`).

    Attributes:
        container: ffmpeg's name of the format, such as `mp3` or `mov,mp4,m4a,3gp,3g2,mj2`.
        codec: ffmpeg's name of the codec, such as `aac`.
        channels: As the header says; the decoder may find more (parametric stereo in AAC).
        sample_rate_hz: As the header says.
        declared_ms: Length of the sound; None where there is not even an estimate.
        declared_is_trusted: The file itself states that length (see `declared.py`).
        size_bytes: Length of the file.
        audio_streams: How many sounds the file holds.
        track: The number of this one among them.
    """

    container: str
    codec: str
    channels: int
    sample_rate_hz: int
    declared_ms: int | None
    declared_is_trusted: bool
    size_bytes: int
    audio_streams: int
    track: int = 1


def probe(path: Path, wish: TrackWish = ANY_TRACK) -> AudioProbe:
    """Reads the headers of a recording, and nothing of its sound.

    Of several sounds it describes the wished one, or the likeliest; nobody listens to them yet.

    Raises:
        AudioRefused: EmptyFile, NotAudio, Truncated, DrmProtected, NoAudioStream, UnknownCodec,
            NoSuchTrack.
        OSError: The file itself cannot be read.
    """
    with open_audio(path, wish) as source:
        return describe(source)


def describe(source: AudioSource) -> AudioProbe:
    """The probe of an open recording; moves its file position, so call it before demuxing ends."""
    position = source.file.tell()
    declared = read_declared(source)
    source.file.seek(position)
    context = source.stream.codec_context
    return AudioProbe(
        container=source.container.format.name,
        codec=context.codec.canonical_name,
        channels=context.channels,
        sample_rate_hz=context.sample_rate,
        declared_ms=declared.ms,
        declared_is_trusted=declared.is_trusted,
        size_bytes=source.size_bytes,
        audio_streams=len(source.container.streams.audio),
        track=source.track,
    )
