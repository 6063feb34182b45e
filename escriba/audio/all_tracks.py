"""Every audio track of a file as a channel, for meetings with one track per person.

Each track is decoded separately, mixed to mono and aligned to the clock of the file, so that
simultaneous sounds stay simultaneous. The file is read once per track.
"""

from collections.abc import Callable, Iterator
from typing import Final, Self

import numpy as np

from escriba.recording_warnings import RecordingWarning, once

from .audio_errors import AudioRefused, NoSamples, UnknownCodec
from .audio_probe import AudioProbe
from .decode import BLOCK_SAMPLES, MAX_CHANNELS, Block, BlockDecoder
from .open_audio import count_tracks
from .readable_file import ReadableFile
from .track_names import TrackRequest

SAMPLE_RATE_HZ: Final = 16_000


class AllTracks(Iterator[Block]):
    """An iterator of int16 blocks (samples, tracks), with the attributes of a `BlockDecoder`.

    Shorter tracks end in silence. Tracks with an unsupported codec are silent, with a warning.
    """

    def __init__(self, path: ReadableFile, stop: Callable[[], bool], gain_db: float = 0.0) -> None:
        self.samples = 0
        self.warnings: tuple[RecordingWarning, ...] = ()
        self._track_count = count_tracks(path)
        self._tracks = [
            _Track(
                BlockDecoder(path, "mixed", stop, request=TrackRequest(number), gain_db=gain_db),
                number,
            )
            for number in range(1, min(self._track_count, MAX_CHANNELS) + 1)
        ]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Block:
        chunks = [track.take(BLOCK_SAMPLES) for track in self._tracks]
        length = max(map(len, chunks))
        if not length:
            self._end()
            raise StopIteration
        self.samples += length
        return np.stack([np.pad(chunk, (0, length - len(chunk))) for chunk in chunks], 1)

    @property
    def probe(self) -> AudioProbe | None:
        """The probe of the first track that can be decoded."""
        return next((track.decoder.probe for track in self._tracks if track.decoder.probe), None)

    @property
    def decoded_ms(self) -> int:
        """Length of the blocks so far, rounded down."""
        return self.samples * 1000 // SAMPLE_RATE_HZ

    @property
    def read_share(self) -> float:
        """Share of the file that has been read for the slowest track, 0 to 1."""
        return min(track.decoder.read_share for track in self._tracks if not track.fault)

    def close(self) -> None:
        """Closes the file."""
        for track in self._tracks:
            track.decoder.close()

    def _end(self) -> None:
        """Collects the warnings; raises the first fault if no track has audio."""
        faults = [track.fault for track in self._tracks]
        if all(faults) and faults[0]:
            raise faults[0]
        found = [w for track in self._tracks for w in (*track.decoder.warnings, *track.warnings())]
        if self._track_count > MAX_CHANNELS:
            kept = f"Only the first {MAX_CHANNELS} of {self._track_count} audio tracks"
            message = f"{kept} are kept as channels."
            found.append(RecordingWarning(code="tracks_left_out", message=message))
        self.warnings = once(found)


class _Track:
    """One decoder, with the samples that were decoded but not taken yet."""

    def __init__(self, decoder: BlockDecoder, number: int) -> None:
        self.decoder, self.number = decoder, number
        self.fault: AudioRefused | None = None
        self._rest = np.zeros(0, np.int16)

    def take(self, samples: int) -> Block:
        """The next samples of its channel; fewer at its end."""
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

    def warnings(self) -> tuple[RecordingWarning, ...]:
        """A warning if the track is silent because it cannot be decoded."""
        if self.fault is None:
            return ()
        message = f"Track {self.number} is silent: {self.fault}."
        return (RecordingWarning(code="track_without_sound", message=message),)
