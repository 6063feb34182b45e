"""What every diarizer does, whatever finds the speakers."""

from typing import Protocol

from ..audio import Samples
from ..contract import Speakers, SpeechRegion, Turn


class Diarizer(Protocol):
    """Who speaks when."""

    def turns(
        self, samples: Samples, regions: tuple[SpeechRegion, ...], speakers: Speakers
    ) -> tuple[Turn, ...]:
        """Turns in time order, labelled SPEAKER_00, SPEAKER_01, … in the order of appearance.

        `samples` is int16 (channels, n) at 16 kHz, of which the first channel is heard.
        """
        ...
