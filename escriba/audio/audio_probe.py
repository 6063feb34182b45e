"""Facts about a file before it is decoded. Loads no decoder, so that any process may know them."""

from dataclasses import dataclass


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
