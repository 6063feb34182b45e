"""Facts about a file before it is decoded: container, codec, channels, declared length."""

from dataclasses import dataclass
from pathlib import Path

from .declared_length import read_declared
from .open_audio import AudioSource, open_audio
from .track_choice import ANY_TRACK, TrackRequest


@dataclass(frozen=True)
class AudioProbe:
    """The audio track that will be transcribed (see `track_choice.py`).

    Attributes:
        container: ffmpeg's name of the format, such as `mp3` or `mov,mp4,m4a,3gp,3g2,mj2`.
        codec: ffmpeg's name of the codec, such as `aac`.
        channels: From the header; the decoder may find more (parametric stereo in AAC).
        sample_rate_hz: From the header.
        declared_ms: Length of the audio; None if there is not even an estimate.
        declared_is_trusted: The file itself states that length (see `declared_length.py`).
        size_bytes: Length of the file.
        audio_streams: Number of audio tracks in the file.
        track: Number of this track, from 1.
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


def probe(path: Path, request: TrackRequest = ANY_TRACK) -> AudioProbe:
    """Reads the headers of a recording, but not its audio.

    Of several tracks it describes the requested one or the likeliest, without measuring speech.

    Raises:
        AudioRefused: EmptyFile, NotAudio, Truncated, DrmProtected, NoAudioStream, UnknownCodec,
            NoSuchTrack.
        OSError: The file itself cannot be read.
    """
    with open_audio(path, request) as source:
        return describe(source)


def describe(source: AudioSource) -> AudioProbe:
    """The probe of an open recording; keeps the position of its file."""
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
