"""What every diarizer does, whatever finds the speakers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..audio import Samples
from ..contract import SpeakerEmbedding, Speakers, SpeechRegion, Turn

TOY = "light-toy"  # made of synthetic voices; see toy.py
Check = Callable[[], None]  # raises where the work must stop


@dataclass(frozen=True)
class Diarization:
    """Who speaks when, labelled SPEAKER_00, SPEAKER_01, … in the order of appearance.

    turns: in time order; those of different speakers may overlap.
    exclusive: one speaker at a time, for giving each word one; empty where turns never overlap.
    embeddings: one for each speaker, where the model has them.
    by: which diarizer found them, as results name it.
    """

    turns: tuple[Turn, ...] = ()
    exclusive: tuple[Turn, ...] = ()
    embeddings: tuple[SpeakerEmbedding, ...] = ()
    by: str = ""


class Diarizer(Protocol):
    """Who speaks when."""

    def diarize(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        speakers: Speakers,
        check: Check,
    ) -> Diarization:
        """Find the speakers of a recording.

        Args:
            samples: int16 (channels, n) at 16 kHz, of which the first channel is heard.
            regions: where somebody speaks.
            speakers: how many, as far as somebody knows.
            check: called between batches, never more than 60 s apart; raises where the work
                must stop, and its error is let through.
        """
        ...
