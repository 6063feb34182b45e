"""The only place where ffmpeg opens a user's file.

The bytes of a file choose its demuxer, and some demuxers (playlists, concat scripts, SDP, DASH)
open other files or URLs. Therefore only listed demuxers and no protocols are allowed, and ffmpeg
gets an open file object instead of a name, which it can neither parse as a URL nor reopen. The file
object costs nothing: demuxing a 2 h MP3 took 0.61 s of CPU this way and with a `file:` URL.
"""

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, Final, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard

from escriba.recording_warnings import RecordingWarning

from .audio_errors import (
    AudioRefused,
    DrmProtected,
    EmptyFile,
    NoAudioStream,
    NotAudio,
    Truncated,
    UnknownCodec,
)
from .audio_format import check_format
from .chunk_sizes import check_chunks
from .decoder_view import decoder_view, without_tags
from .file_kinds import HEAD_BYTES, kind_of
from .mp4_boxes import Mp4Facts, read_mp4_facts
from .readable_file import ReadableFile
from .track_choice import SpeechShare, best_track, candidates, track_by_number
from .track_names import ANY_TRACK, TrackRequest
from .track_speech import speech_shares

# Formats that contain their own audio and are recognized by their bytes, not by their name.
DEMUXERS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dhav,dsf,dss,dts,dtshd,dv,eac3,flac,flv,gxf,ircam,loas,"
    "matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,ogg,oma,qcp,rm,shn,sox,tak,truehd,"
    "tta,voc,w64,wav,wtv,wv"
)
MATROSKA_HEAD_BYTES: Final = 65_536  # tracks and lengths come before the first cluster
# Their headers list no streams: a stream is known from its first packet, and ffmpeg gives up after
# 5 s. Packets read so far are kept in memory, hence the limit.
LATE_STARTERS: Final = ("flv", "mpeg", "mpegts")
PATIENT: Final = {"analyzeduration": "600000000", "probesize": "100000000"}  # microseconds, bytes
OPTIONS: Final = {"format_whitelist": DEMUXERS, "protocol_whitelist": "none"}


@dataclass(frozen=True)
class AudioSource:
    """An open recording.

    Attributes:
        container: The demuxer; every stream except `stream` discards its packets.
        stream: The chosen audio track (see `track_choice.py`).
        track: Its number among the audio tracks, from 1.
        warnings: Warnings about the choice.
        file: The open file; its position shows how far the demuxer has read.
        size_bytes: Length of the file.
        mp4: Facts from the boxes, for MP4 and related formats.
    """

    container: InputContainer
    stream: AudioStream
    file: BinaryIO
    size_bytes: int
    mp4: Mp4Facts | None
    track: int = 1
    warnings: tuple[RecordingWarning, ...] = ()


@contextmanager
def open_audio(
    path: ReadableFile, request: TrackRequest = ANY_TRACK, measure_speech: SpeechShare | None = None
) -> Iterator[AudioSource]:
    """Opens a recording for reading.

    Args:
        path: The file.
        request: Which of several audio tracks is wanted.
        measure_speech: Measures the share of speech in samples of several tracks; None: the track
            is chosen by the metadata of the file alone.

    Raises:
        AudioRefused: EmptyFile, NotAudio, Truncated (an MP4 without its index), DrmProtected,
            NoAudioStream, UnknownCodec or NoSuchTrack.
        OSError: The file itself cannot be read.
    """
    with _open_file(path) as (container, file, size_bytes, mp4):
        tracks = container.streams.audio
        decodable = candidates(tracks, request.language)
        if not decodable:
            raise UnknownCodec(f"{_codec_named(file, mp4)} is not supported")
        if request.number is not None:
            choice = track_by_number(tracks, request.number)
        else:
            shares: dict[int, float | None] = {}
            if measure_speech and len(decodable) > 1:
                shares = _speech_shares(path, decodable, measure_speech)
            choice = best_track(tracks, decodable, shares)
        stream = tracks[choice.number - 1]
        check_format(stream.codec_context.sample_rate, stream.codec_context.channels)
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        yield AudioSource(container, stream, file, size_bytes, mp4, choice.number, choice.warnings)


def count_tracks(path: ReadableFile) -> int:
    """The number of audio tracks; raises the errors of `open_audio`."""
    with _open_file(path) as (container, _, _, _):
        return len(container.streams.audio)


def _speech_shares(
    path: ReadableFile, numbers: Sequence[int], measure_speech: SpeechShare
) -> dict[int, float | None]:
    """The share of speech in each of these tracks; opens the file a second time."""
    with _open_file(path) as (container, _, _, _):
        return speech_shares(container, numbers, measure_speech)


@contextmanager
def _open_file(
    path: ReadableFile,
) -> Iterator[tuple[InputContainer, BinaryIO, int, Mp4Facts | None]]:
    """An open file with an audio track."""
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise EmptyFile("the file is empty (0 bytes)")
    with path.open("rb", buffering=0) as raw:
        file = cast("BinaryIO", raw)
        content = without_tags(file)
        content_bytes = content.seek(0, os.SEEK_END)
        mp4 = read_mp4_facts(cast("BinaryIO", content), content_bytes)
        if mp4 and mp4.protected_entries:
            raise DrmProtected(f"the audio is encrypted ({', '.join(mp4.protected_entries)})")
        check_chunks(cast("BinaryIO", content), content_bytes)
        with _open_container(file, size_bytes, mp4) as container:
            _check_audio(container)
            yield container, file, size_bytes, mp4


def _open_container(file: BinaryIO, size_bytes: int, mp4: Mp4Facts | None) -> InputContainer:
    try:
        container = _opened(file, {})
        if container.streams.audio or container.format.name not in LATE_STARTERS:
            return container
        container.close()
        return _opened(file, PATIENT)
    except (av.FFmpegError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENOMEM:
            raise
        if mp4 and not mp4.has_index:
            raise Truncated(
                f"the end of this MP4 file is missing: its {size_bytes} bytes hold no index (moov)"
            ) from error
        raise _unsupported(file) from error


def _opened(file: BinaryIO, more: dict[str, str]) -> InputContainer:
    view = decoder_view(file)
    options = OPTIONS | {"codec_whitelist": _audio_decoders()} | more
    return av.open(view, "r", options=options, metadata_errors="ignore")


@cache
def _audio_decoders() -> str:
    """Decoders that ffmpeg may use while it opens a file: none of pictures, which need no look."""
    return ",".join(name for name in sorted(av.codecs_available) if _is_audio_decoder(name))


def _is_audio_decoder(name: str) -> bool:
    try:
        return bool(av.Codec(name, "r").type == "audio")
    except ValueError:  # an encoder
        return False


def _unsupported(file: BinaryIO) -> AudioRefused:
    """The error for a file that no demuxer accepts."""
    file.seek(0)
    start = file.read(HEAD_BYTES)
    kind = kind_of(start)
    begins = f"it starts with {start[:16]!r}"
    if kind is None:
        return NotAudio(f"the file is not in a supported audio format: {begins}")
    message = f"the file is {kind.name}: {begins}"
    return UnknownCodec(message) if kind.is_audio else NotAudio(message)


def _check_audio(container: InputContainer) -> None:
    if not container.streams.audio:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "none"
        raise NoAudioStream(
            f"the {container.format.name} file has no audio track; its streams: {kinds}"
        )


def _codec_named(file: BinaryIO, mp4: Mp4Facts | None) -> str:
    """The name that the file gives to a codec unknown to ffmpeg."""
    if mp4:
        return f"the MP4 codec {', '.join(mp4.entries)}"
    position = file.tell()
    file.seek(0)
    head = file.read(MATROSKA_HEAD_BYTES)
    file.seek(position)
    if head[:4] == b"RIFF" and (start := head.find(b"fmt ")) > 0:
        return f"the WAV format {int.from_bytes(head[start + 8 : start + 10], 'little'):#06x}"
    track = re.search(rb"\x86.(A_[A-Z0-9_/.]+)", head, re.DOTALL)  # Matroska's CodecID
    return f"the codec {track[1].decode()}" if track else "its codec, which the file does not name,"
