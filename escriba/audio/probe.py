"""Facts about a file before it is decoded: container, codec, channels, declared length."""

from .audio_probe import AudioProbe
from .declared_length import read_declared
from .open_audio import AudioSource, open_audio
from .readable_file import ReadableFile
from .track_names import ANY_TRACK, TrackRequest


def probe(path: ReadableFile, request: TrackRequest = ANY_TRACK) -> AudioProbe:
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
