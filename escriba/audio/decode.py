"""Decodes any recording into blocks of 16 kHz samples, in constant memory.

Samples follow one another from the first of the recording and keep to its clock: gaps become
silence, and drift is corrected by stretching (see `container_clock.py`). The decoded length is the
number of samples.
"""

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Final, Self, cast

import av
import numpy as np
import numpy.typing as npt
from av import AudioFrame, AudioLayout, AudioResampler

from .audio_errors import DecodeStopped, Undecodable
from .decoded_length import DecodedTotals, judge
from .mixdown import Mixer
from .native_frames import MissingAudio, NativeFrames, shape_of
from .open_audio import AudioSource, open_audio
from .optimized_audio import Channels
from .packet_reader import PacketReader
from .probe import describe
from .readable_file import ReadableFile
from .speech_level import amplified
from .track_choice import SpeechShare, loud_share
from .track_names import ANY_TRACK, TrackRequest

if TYPE_CHECKING:
    from escriba.recording_warnings import RecordingWarning

    from .audio_probe import AudioProbe

SAMPLE_RATE_HZ: Final = 16_000
BLOCK_SAMPLES: Final = 16_384  # 1.024 s: 32 windows of the speech detector
MAX_CHANNELS: Final = 8  # FLAC's limit; a file with more is mixed

Block = npt.NDArray[np.int16]


class BlockDecoder(Iterator[Block]):
    """An iterator of int16 blocks (samples, channels) of BLOCK_SAMPLES.

    Blocks are shorter at the end, before a gap, and where the recording changes its format.

    Attributes:
        probe: Facts from the headers of the file; known after the first block.
        samples: Samples per channel so far.
        skipped_ms: Jumps of the clock too long to fill with silence; known at the end.
        stretched_ms: How much longer (below 0: shorter) the audio became to keep to the clock.
        read_share: Share of the file's bytes that has been read, 0 to 1.
        warnings: Warnings about the recording; complete once the iterator is exhausted.
    """

    def __init__(  # noqa: PLR0913 - independent options, see decode_blocks
        self,
        path: ReadableFile,
        channels: Channels,
        stop: Callable[[], bool],
        *,
        request: TrackRequest = ANY_TRACK,
        measure_speech: SpeechShare | None = loud_share,
        gain_db: float = 0.0,
    ) -> None:
        self.probe: AudioProbe | None = None
        self.samples = 0
        self.skipped_ms = 0
        self.stretched_ms = self._silence_ms = self._due_seconds = 0.0
        self.read_share = 0.0
        self.warnings: tuple[RecordingWarning, ...] = ()
        self._path, self._channels, self._stop = path, channels, stop
        self._request, self._measure_speech = request, measure_speech
        self._gain_db = gain_db
        self._layout: AudioLayout | None = None
        self._mixer = Mixer()
        self._reader = PacketReader(self._check_stop)
        self._blocks = self._decode()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Block:
        return next(self._blocks)

    def close(self) -> None:
        """Closes the file."""
        self._blocks.close()

    @property
    def bad_packets(self) -> int:
        """Packets that could not be decoded so far; their audio is missing."""
        return self._reader.bad_packets

    @property
    def silence_ms(self) -> int:
        """Length of the silence that fills gaps in the timestamps."""
        return round(self._silence_ms)

    @property
    def decoded_ms(self) -> int:
        """Length of the blocks so far, rounded down."""
        return self.samples * 1000 // SAMPLE_RATE_HZ

    def _decode(self) -> Generator[Block]:
        with open_audio(self._path, self._request, self._measure_speech) as source:
            chosen = source.warnings
            self.probe = describe(source)
            for block in self._blocks_of(source):
                self._check_stop()
                self.samples += len(block)
                self.read_share = min(1.0, source.file.tell() / source.size_bytes)
                yield block
        self.warnings = chosen + judge(self.probe, self._totals())

    def _blocks_of(self, source: AudioSource) -> Iterator[Block]:
        resampler, shape = None, None
        try:
            for piece in self._pieces(source):
                if isinstance(piece, AudioFrame) and self._is_mixed(piece):
                    piece = self._mixer.mix(piece)  # noqa: PLW2901 - the same second of audio
                if resampler and (isinstance(piece, MissingAudio) or shape_of(piece) != shape):
                    yield from self._ended(resampler)
                    resampler = None
                if isinstance(piece, MissingAudio):
                    yield from self._silence(piece)
                    continue
                if resampler is None:
                    resampler, shape = self._resampler(piece), shape_of(piece)
                self._due_seconds += piece.samples / piece.sample_rate
                yield from map(self._block, resampler.resample(piece))
            if resampler:
                yield from self._ended(resampler)
        except (av.FFmpegError, ValueError) as error:
            raise Undecodable(f"audio of the form {shape} cannot be resampled: {error}") from error

    def _layout_for(self, frame: AudioFrame) -> AudioLayout:
        """The layout of all blocks; the first frame decides it."""
        if self._layout is None:
            is_kept = self._channels == "separate" and frame.layout.nb_channels <= MAX_CHANNELS
            self._layout = AudioLayout(frame.layout.name if is_kept else "mono")
        return self._layout

    def _is_mixed(self, piece: AudioFrame) -> bool:
        return piece.layout.nb_channels > 1 and self._layout_for(piece).nb_channels == 1

    def _resampler(self, chunk: AudioFrame) -> AudioResampler:
        layout = self._layout_for(chunk)
        # amplified before rounding to 16 bits: audio at -60 dBFS uses only six of them
        sample_format = "flt" if self._gain_db else "s16"
        return AudioResampler(sample_format, layout, SAMPLE_RATE_HZ, frame_size=BLOCK_SAMPLES)

    def _block(self, frame: AudioFrame) -> Block:
        samples = frame.to_ndarray().reshape(frame.samples, -1)
        if self._gain_db:
            return amplified(cast("npt.NDArray[np.float32]", samples), self._gain_db)
        return cast("Block", samples)

    def _ended(self, resampler: AudioResampler) -> Iterator[Block]:
        """The last samples of a resampler, to the exact count: rounding errors would add up."""
        rest = [self._block(frame) for frame in resampler.resample(None)]
        if not rest:
            return
        last = np.concatenate(rest)
        missing = self._due_samples() - len(last)
        yield (
            np.pad(last, ((0, missing), (0, 0)), "edge") if missing > 0 else last[: missing or None]
        )

    def _due_samples(self) -> int:
        """How many samples are due before the next piece, so that it begins at its time."""
        return max(0, round(self._due_seconds * SAMPLE_RATE_HZ) - self.samples)

    def _silence(self, gap: MissingAudio) -> Iterator[Block]:
        self._silence_ms += gap.ms
        self._due_seconds += gap.ms / 1000
        left = self._due_samples()
        channels = self._layout_for(gap.then).nb_channels
        for start in range(0, left, BLOCK_SAMPLES):
            yield np.zeros((min(BLOCK_SAMPLES, left - start), channels), np.int16)

    def _pieces(self, source: AudioSource) -> Iterator[AudioFrame | MissingAudio]:
        gathered = NativeFrames(source)
        for frame in self._reader.frames(source):
            yield from gathered.push(frame)
        yield from gathered.drain()
        self.skipped_ms, self.stretched_ms = gathered.clock.skipped_ms, gathered.stretched_ms

    def _check_stop(self) -> None:
        if self._stop():
            raise DecodeStopped(f"stopped after {self.decoded_ms} ms of audio")

    def _totals(self) -> DecodedTotals:
        return DecodedTotals(
            decoded_ms=self.decoded_ms,
            silence_ms=self.silence_ms,
            skipped_ms=self.skipped_ms,
            stretched_ms=round(self.stretched_ms),
            packets=self._reader.packets,
            bad_packets=self._reader.bad_packets,
            broken_by=self._reader.broken_by,
        )


def decode_blocks(  # noqa: PLR0913 - independent options
    path: ReadableFile,
    *,
    channels: Channels,
    stop: Callable[[], bool],
    request: TrackRequest = ANY_TRACK,
    measure_speech: SpeechShare | None = loud_share,
    gain_db: float = 0.0,
) -> BlockDecoder:
    """Decodes a recording, block by block.

    Args:
        path: The file; ffmpeg never sees its name.
        channels: `mixed` to mono, or `separate` as recorded (up to MAX_CHANNELS, else mixed).
        stop: Called before every block; True stops decoding.
        request: Which of several audio tracks is wanted.
        measure_speech: Measures the share of speech in samples of several tracks; None: the track
            is chosen by the metadata of the file alone.
        gain_db: Amplification (`speech_level.py`); 0 leaves the samples unchanged.

    Raises:
        AudioRefused: With the first block (the file cannot be opened) or after the last (no or too
            few samples, too many damaged packets).
        DecodeStopped: `stop()` became true.
        OSError: The file itself cannot be read.
    """
    return BlockDecoder(
        path, channels, stop, request=request, measure_speech=measure_speech, gain_db=gain_db
    )
