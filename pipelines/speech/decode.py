"""Any recording as blocks of 16 kHz samples, in constant memory.

Samples are laid end to end from the recording's first, and kept to its clock: what is missing
becomes silence, and what creeps is stretched (see `timeline.py`). The decoded length is the number
of samples.
"""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self, cast

import av
import numpy as np
import numpy.typing as npt
from av import AudioFrame, AudioLayout, AudioResampler

from pipelines.speech.audio_errors import Undecodable
from pipelines.speech.decode_verdict import Tally, judge
from pipelines.speech.mixdown import Mixer
from pipelines.speech.native_frames import Hole, NativeFrames, shape_of
from pipelines.speech.probe import AudioProbe, describe
from pipelines.speech.safe_open import AudioSource, open_audio
from pipelines.speech.speech_level import amplified
from pipelines.speech.tracks import ANY_TRACK, Hears, TrackWish, loud_share

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet

    from pipelines.speech.recording_warnings import RecordingWarning

SAMPLE_RATE_HZ: Final = 16_000
BLOCK_SAMPLES: Final = 16_384  # 1.024 s: 32 windows of the speech detector
MOST_CHANNELS: Final = 8  # FLAC's limit; a file with more is mixed
PACKETS_A_CHECK: Final = 1024  # a file of bad packets gives no blocks, and must stop too

Channels = Literal["mixed", "separate"]
Block = npt.NDArray[np.int16]


class DecodeStopped(Exception):  # noqa: N818 - the caller's wish, not a fault
    """`stop()` became true; nothing is known about the recording."""


class BlockDecoder(Iterator[Block]):
    """An iterator of int16 blocks (samples, channels) of BLOCK_SAMPLES.

    Shorter ones come at the end, before a hole, and where the recording changes its format.

    Attributes:
        probe: What the file says of itself; known after the first block.
        packets: Packets read so far.
        bad_packets: Those that the decoder refused; their sound is missing.
        samples: Samples given so far, in each channel.
        skipped_ms: Leaps that were too long for that; known at the end.
        stretched_ms: By how much sound was made longer (shorter, below 0) to keep to the clock.
        read_share: How much of the file's bytes has been read, 0 to 1.
        broken_by: What ended the reading before the file's end, if something did.
        warnings: What is odd about the recording; complete once the iterator is exhausted.
    """

    def __init__(  # noqa: PLR0913 - each is a wish of its own, see decode_blocks
        self,
        path: Path,
        channels: Channels,
        stop: Callable[[], bool],
        *,
        wish: TrackWish = ANY_TRACK,
        hears: Hears | None = loud_share,
        gain_db: float = 0.0,
    ) -> None:
        self.probe: AudioProbe | None = None
        self.packets = self.bad_packets = self.samples = 0
        self.skipped_ms = 0
        self.stretched_ms = self._silence_ms = self._due_seconds = 0.0
        self.read_share = 0.0
        self.broken_by = ""
        self.warnings: tuple[RecordingWarning, ...] = ()
        self._path, self._channels, self._stop = path, channels, stop
        self._wish, self._hears = wish, hears
        self._gain_db = gain_db
        self._layout: AudioLayout | None = None
        self._mixer = Mixer()
        self._blocks = self._decode()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Block:
        return next(self._blocks)

    def close(self) -> None:
        """Closes the file, however far it was read."""
        self._blocks.close()

    @property
    def silence_ms(self) -> int:
        """Silence put where the timestamps say that sound is missing."""
        return round(self._silence_ms)

    @property
    def decoded_ms(self) -> int:
        """Length of what was given so far, rounded down."""
        return self.samples * 1000 // SAMPLE_RATE_HZ

    def _decode(self) -> Generator[Block]:
        with open_audio(self._path, self._wish, self._hears) as source:
            chosen = source.warnings
            self.probe = describe(source)
            for block in self._blocks_of(source):
                self._check_stop()
                self.samples += len(block)
                self.read_share = min(1.0, source.file.tell() / source.size_bytes)
                yield block
        self.warnings = chosen + judge(self.probe, self._tally())

    def _blocks_of(self, source: AudioSource) -> Iterator[Block]:
        resampler, shape = None, None
        try:
            for piece in self._pieces(source):
                if isinstance(piece, AudioFrame) and self._is_mixed(piece):
                    piece = self._mixer.mix(piece)  # noqa: PLW2901 - the same second of sound
                if resampler and (isinstance(piece, Hole) or shape_of(piece) != shape):
                    yield from self._ended(resampler)
                    resampler = None
                if isinstance(piece, Hole):
                    yield from self._silence(piece)
                    continue
                if resampler is None:
                    resampler, shape = self._resampler(piece), shape_of(piece)
                self._due_seconds += piece.samples / piece.sample_rate
                yield from map(self._block, resampler.resample(piece))
            if resampler:
                yield from self._ended(resampler)
        except (av.FFmpegError, ValueError) as error:
            raise Undecodable(f"sound of shape {shape} cannot be resampled: {error}") from error

    def _layout_for(self, frame: AudioFrame) -> AudioLayout:
        """The first frame decides the channels of the whole recording."""
        if self._layout is None:
            is_kept = self._channels == "separate" and frame.layout.nb_channels <= MOST_CHANNELS
            self._layout = AudioLayout(frame.layout.name if is_kept else "mono")
        return self._layout

    def _is_mixed(self, piece: AudioFrame) -> bool:
        return piece.layout.nb_channels > 1 and self._layout_for(piece).nb_channels == 1

    def _resampler(self, chunk: AudioFrame) -> AudioResampler:
        layout = self._layout_for(chunk)
        # made louder before it is rounded to 16 bits: of sound at -60 dBFS these hold six
        kept = "flt" if self._gain_db else "s16"
        return AudioResampler(kept, layout, SAMPLE_RATE_HZ, frame_size=BLOCK_SAMPLES)

    def _block(self, frame: AudioFrame) -> Block:
        sound = frame.to_ndarray().reshape(frame.samples, -1)
        if self._gain_db:
            return amplified(cast("npt.NDArray[np.float32]", sound), self._gain_db)
        return cast("Block", sound)

    def _ended(self, resampler: AudioResampler) -> Iterator[Block]:
        """The last of a resampler, to the sample: its rounding would add up over thousands."""
        rest = [self._block(frame) for frame in resampler.resample(None)]
        if not rest:
            return
        last = np.concatenate(rest)
        missing = self._due_samples() - len(last)
        yield (
            np.pad(last, ((0, missing), (0, 0)), "edge") if missing > 0 else last[: missing or None]
        )

    def _due_samples(self) -> int:
        """How many samples are yet to be given, so that the next piece begins at its time."""
        return max(0, round(self._due_seconds * SAMPLE_RATE_HZ) - self.samples)

    def _silence(self, hole: Hole) -> Iterator[Block]:
        self._silence_ms += hole.ms
        self._due_seconds += hole.ms / 1000
        left = self._due_samples()
        channels = self._layout_for(hole.then).nb_channels
        for start in range(0, left, BLOCK_SAMPLES):
            yield np.zeros((min(BLOCK_SAMPLES, left - start), channels), np.int16)

    def _pieces(self, source: AudioSource) -> Iterator[AudioFrame | Hole]:
        gathered = NativeFrames(source)
        for packet in self._packets(source):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                self.bad_packets += 1
                continue
            for frame in frames:
                yield from gathered.push(frame)
        yield from gathered.drain()
        self.skipped_ms, self.stretched_ms = gathered.clock.skipped_ms, gathered.stretched_ms

    def _packets(self, source: AudioSource) -> "Iterator[Packet[AudioStream]]":
        try:
            for packet in source.container.demux(source.stream):
                self.packets += 1
                if self.packets % PACKETS_A_CHECK == 0:
                    self._check_stop()
                yield packet
        except av.FFmpegError as error:
            self.broken_by = str(error)
        except IndexError:  # PyAV 18.1, past the last packet, when a stream appeared midway
            return

    def _check_stop(self) -> None:
        if self._stop():
            raise DecodeStopped(f"stopped after {self.decoded_ms} ms of sound")

    def _tally(self) -> Tally:
        return Tally(
            decoded_ms=self.decoded_ms,
            silence_ms=self.silence_ms,
            skipped_ms=self.skipped_ms,
            stretched_ms=round(self.stretched_ms),
            packets=self.packets,
            bad_packets=self.bad_packets,
            broken_by=self.broken_by,
        )


def decode_blocks(  # noqa: PLR0913 - each is a wish of its own
    path: Path,
    *,
    channels: Channels,
    stop: Callable[[], bool],
    wish: TrackWish = ANY_TRACK,
    hears: Hears | None = loud_share,
    gain_db: float = 0.0,
) -> BlockDecoder:
    """Decodes a recording, block by block.

    Args:
        path: The file; its name is never shown to ffmpeg.
        channels: `mixed` to mono, or `separate` as recorded (up to MOST_CHANNELS, else mixed).
        stop: Asked before every block.
        wish: Which of several sounds is wanted.
        hears: Tells how much speech there is in samples of several; None: the file's word counts.
        gain_db: By how much the sound is made louder (`speech_level.py`); 0 leaves it as it is.

    Raises:
        AudioRefused: From the first block (the file cannot be opened) or after the last (none or
            too few samples, too many bad packets).
        DecodeStopped: `stop()` became true.
        OSError: The file itself cannot be read.
    """
    return BlockDecoder(path, channels, stop, wish=wish, hears=hears, gain_db=gain_db)
