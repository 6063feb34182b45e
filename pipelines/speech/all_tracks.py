"""Every sound of a file as a channel of its own: a meeting with a track for each person.

Each track is decoded by itself, mixed to mono, and kept to the one clock of the file, so that what
sounds together stands together. The file is read once for each track.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Self

import numpy as np

from pipelines.speech.audio_errors import AudioRefused, NoSamples, UnknownCodec
from pipelines.speech.decode import BLOCK_SAMPLES, MOST_CHANNELS, Block, BlockDecoder
from pipelines.speech.probe import AudioProbe
from pipelines.speech.recording_warnings import RecordingWarning, once
from pipelines.speech.safe_open import count_tracks
from pipelines.speech.tracks import TrackWish

SAMPLE_RATE_HZ: Final = 16_000


class AllTracks(Iterator[Block]):
    """An iterator of int16 blocks (samples, tracks); has what a `BlockDecoder` has.

    Shorter tracks end in silence; tracks that nothing here decodes are silent and told.
    """

    def __init__(self, path: Path, stop: Callable[[], bool], gain_db: float = 0.0) -> None:
        self.samples = 0
        self.warnings: tuple[RecordingWarning, ...] = ()
        self._there = count_tracks(path)
        self._tracks = [
            _Track(
                BlockDecoder(path, "mixed", stop, wish=TrackWish(number), gain_db=gain_db), number
            )
            for number in range(1, min(self._there, MOST_CHANNELS) + 1)
        ]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Block:
        pieces = [track.take(BLOCK_SAMPLES) for track in self._tracks]
        length = max(map(len, pieces))
        if not length:
            self._end()
            raise StopIteration
        self.samples += length
        return np.stack([np.pad(piece, (0, length - len(piece))) for piece in pieces], 1)

    @property
    def probe(self) -> AudioProbe | None:
        """Of the first track that decodes."""
        return next((track.decoder.probe for track in self._tracks if track.decoder.probe), None)

    @property
    def decoded_ms(self) -> int:
        """Length of what was given so far, rounded down."""
        return self.samples * 1000 // SAMPLE_RATE_HZ

    @property
    def read_share(self) -> float:
        """How much of the file has been read for the track that is furthest behind."""
        return min(track.decoder.read_share for track in self._tracks if not track.fault)

    def close(self) -> None:
        """Closes the file, however far it was read."""
        for track in self._tracks:
            track.decoder.close()

    def _end(self) -> None:
        """What is to be told; raises where no track gave any sound."""
        faults = [track.fault for track in self._tracks]
        if all(faults) and faults[0]:
            raise faults[0]
        told = [w for track in self._tracks for w in (*track.decoder.warnings, *track.told())]
        if self._there > MOST_CHANNELS:
            message = f"Of {self._there} tracks the first {MOST_CHANNELS} are kept as channels."
            told.append(RecordingWarning(code="tracks_left_out", message=message))
        self.warnings = once(told)


class _Track:
    """One decoder, and what it gave that was not taken yet."""

    def __init__(self, decoder: BlockDecoder, number: int) -> None:
        self.decoder, self.number = decoder, number
        self.fault: AudioRefused | None = None
        self._rest = np.zeros(0, np.int16)

    def take(self, samples: int) -> Block:
        """The next samples of its one channel; fewer at its end."""
        while len(self._rest) < samples and self.fault is None:
            try:
                block = next(self.decoder, None)
            except (NoSamples, UnknownCodec) as error:
                self.fault = error
                break
            if block is None:
                break
            self._rest = np.concatenate([self._rest, block[:, 0]])
        taken, self._rest = self._rest[:samples], self._rest[samples:]
        return taken

    def told(self) -> tuple[RecordingWarning, ...]:
        """That it is silent because it cannot be heard."""
        if self.fault is None:
            return ()
        message = f"Track {self.number} is silent: {self.fault}."
        return (RecordingWarning(code="track_without_sound", message=message),)
