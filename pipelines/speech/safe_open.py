"""The only door through which a user's file reaches ffmpeg.

A file's bytes choose its demuxer, and some demuxers (playlists, concat scripts, SDP, DASH) open
other files or addresses. So: demuxers are whitelisted, no protocol is allowed, and ffmpeg gets an
open file object instead of a name, which it can neither parse as an address nor reopen. The file
object costs nothing: demuxing a 2 h MP3 took 0.61 s of CPU this way and by `file:` address alike.
"""

import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard

from pipelines.speech.audio_errors import (
    AudioRefused,
    DrmProtected,
    EmptyFile,
    NoAudioStream,
    NotAudio,
    Truncated,
    UnknownCodec,
)
from pipelines.speech.file_kinds import HEAD_BYTES, kind_of
from pipelines.speech.mp4_boxes import Mp4Facts, read_mp4_facts
from pipelines.speech.recording_warnings import RecordingWarning
from pipelines.speech.track_listening import listen
from pipelines.speech.tracks import ANY_TRACK, Hears, TrackWish, best, candidates, named

# Formats that hold their sound themselves and are known by their bytes, not by their name.
DEMUXERS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dhav,dsf,dss,dts,dtshd,dv,eac3,flac,flv,gxf,ircam,loas,"
    "matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,ogg,oma,qcp,rm,shn,sox,tak,truehd,"
    "tta,voc,w64,wav,wtv,wv"
)
MATROSKA_HEAD_BYTES: Final = 65_536  # tracks and lengths stand before the first cluster
# Their headers name no streams: one is known when its first packet comes, and ffmpeg gives up after
# 5 s. Packets read so far are kept in memory, so there is a limit.
LATE_STARTERS: Final = ("flv", "mpeg", "mpegts")
PATIENT: Final = {"analyzeduration": "600000000", "probesize": "100000000"}  # microseconds, bytes
OPTIONS: Final = {"format_whitelist": DEMUXERS, "protocol_whitelist": "none"}


@dataclass(frozen=True)
class AudioSource:
    """An open recording.

    Attributes:
        container: The demuxer; every stream but `stream` is told to discard its packets.
        stream: The chosen sound (see `tracks.py`).
        track: Its number among the sounds, from 1.
        warnings: What is to be said of the choice.
        file: The open file; its position shows how far the demuxer has read.
        size_bytes: Length of the file.
        mp4: What the boxes say, for MP4 and its relatives.
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
    path: Path, wish: TrackWish = ANY_TRACK, hears: Hears | None = None
) -> Iterator[AudioSource]:
    """Opens a recording for reading.

    Args:
        path: The file.
        wish: Which of several sounds is wanted.
        hears: Tells how much speech there is in samples of several; None: nobody listens, and the
            likeliest by what the file says is taken.

    Raises:
        AudioRefused: EmptyFile, NotAudio, Truncated (an MP4 without its index), DrmProtected,
            NoAudioStream, UnknownCodec or NoSuchTrack.
        OSError: The file itself cannot be read.
    """
    with _open_file(path) as (container, file, size_bytes, mp4):
        sounds = container.streams.audio
        able = candidates(sounds, wish.language)
        if not able:
            raise UnknownCodec(f"nothing here decodes {_codec_named(file, mp4)}")
        if wish.number is not None:
            choice = named(sounds, wish.number)
        else:
            shares = _listened(path, able, hears) if hears and len(able) > 1 else {}
            choice = best(sounds, able, shares)
        stream = sounds[choice.number - 1]
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        yield AudioSource(container, stream, file, size_bytes, mp4, choice.number, choice.warnings)


def count_tracks(path: Path) -> int:
    """How many sounds a file has; raises as `open_audio`."""
    with _open_file(path) as (container, _, _, _):
        return len(container.streams.audio)


def _listened(path: Path, numbers: Sequence[int], hears: Hears) -> dict[int, float | None]:
    """How much speech each of these tracks holds, by a second look at the file."""
    with _open_file(path) as (container, _, _, _):
        return listen(container, numbers, hears)


@contextmanager
def _open_file(
    path: Path,
) -> Iterator[tuple[InputContainer, BinaryIO, int, Mp4Facts | None]]:
    """An open file that has a sound."""
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise EmptyFile("the file has 0 bytes")
    with path.open("rb", buffering=0) as raw:
        file = cast("BinaryIO", raw)
        mp4 = read_mp4_facts(file, size_bytes)
        if mp4 and mp4.protected_entries:
            raise DrmProtected(f"the sound is encrypted ({', '.join(mp4.protected_entries)})")
        file.seek(0)
        with _open_container(file, size_bytes, mp4) as container:
            _check_sound(container)
            yield container, file, size_bytes, mp4


class _Nameless:
    """A file without its name: ffmpeg would guess by the ending, and the ending may lie."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.tell = file.read, file.tell
        self._seek = file.seek

    def seek(self, offset: int, whence: int = 0) -> int:
        """Damaged headers ask for impossible places: that is ffmpeg's error, not the disk's."""
        try:
            return self._seek(offset, whence)
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            return -errno.EINVAL


def _open_container(file: BinaryIO, size_bytes: int, mp4: Mp4Facts | None) -> InputContainer:
    try:
        container = av.open(_Nameless(file), "r", options=OPTIONS, metadata_errors="ignore")
        if container.streams.audio or container.format.name not in LATE_STARTERS:
            return container
        container.close()
        file.seek(0)
        return av.open(_Nameless(file), "r", options=OPTIONS | PATIENT, metadata_errors="ignore")
    except (av.FFmpegError, ValueError) as error:
        if mp4 and not mp4.has_index:
            raise Truncated(
                f"an MP4 of {size_bytes} bytes without its index (moov): its end is missing"
            ) from error
        raise _stranger(file) from error


def _stranger(file: BinaryIO) -> AudioRefused:
    """What to say of a file that no demuxer takes."""
    file.seek(0)
    start = file.read(HEAD_BYTES)
    kind = kind_of(start)
    seen = f"no audio format known here begins with {start[:16]!r}"
    if kind is None:
        return NotAudio(seen)
    message = f"{seen}; this is {kind.name}"
    return UnknownCodec(message) if kind.is_sound else NotAudio(message)


def _check_sound(container: InputContainer) -> None:
    if not container.streams.audio:
        seen = ", ".join(sorted({stream.type for stream in container.streams})) or "none"
        raise NoAudioStream(f"a {container.format.name} file without sound; its streams: {seen}")


def _codec_named(file: BinaryIO, mp4: Mp4Facts | None) -> str:
    """What the file calls a codec that ffmpeg knows nothing of."""
    if mp4:
        return f"the MP4 codec {', '.join(mp4.entries)}"
    position = file.tell()
    file.seek(0)
    head = file.read(MATROSKA_HEAD_BYTES)
    file.seek(position)
    if head[:4] == b"RIFF" and (start := head.find(b"fmt ")) > 0:
        return f"the WAV format {int.from_bytes(head[start + 8 : start + 10], 'little'):#06x}"
    track = re.search(rb"\x86.(A_[A-Z0-9_/.]+)", head, re.DOTALL)  # Matroska's CodecID
    return f"the codec {track[1].decode()}" if track else "a codec that the file does not name"
