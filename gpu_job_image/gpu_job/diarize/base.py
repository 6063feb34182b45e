"""The interface of diarizers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..common.audio import Samples
from ..common.purchases import Purchases
from ..contract import JobRequest, JobWarning, SpeakerEmbedding, Speakers, SpeechRegion, Turn

TOY = "light-toy"  # trained on synthetic voices; see toy.py
Check = Callable[[], None]  # raises where the work must stop


@dataclass(frozen=True)
class Diarization:
    """Who speaks when; speakers are SPEAKER_00, SPEAKER_01, … in order of appearance.

    turns: in time order; those of different speakers may overlap.
    exclusive: one speaker at a time, to assign words; empty if turns never overlap.
    embeddings: one per speaker, if the model provides them.
    by: the name of the diarizer, as in results.
    warnings: for readers of the result.
    bought_ms: audio that a service bills for them; whoever writes the result counts it.
    """

    turns: tuple[Turn, ...] = ()
    exclusive: tuple[Turn, ...] = ()
    embeddings: tuple[SpeakerEmbedding, ...] = ()
    by: str = ""
    warnings: tuple[JobWarning, ...] = ()
    bought_ms: int = 0


class Diarizer(Protocol):
    """Finds who speaks when."""

    def diarize(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        speakers: Speakers,
        check: Check,
    ) -> Diarization:
        """Find the speakers of a recording.

        Args:
            samples: int16 (channels, n) at 16 kHz; the first channel is used.
            regions: where there is speech.
            speakers: the known number of speakers, or bounds on it.
            check: called between batches, never more than 60 s apart; raises where the work
                must stop, and its exceptions propagate.
        """
        ...


class SpeakerService(Protocol):
    """Finds the speakers elsewhere, for money, from the address of the audio."""

    def diarize(
        self,
        request: JobRequest,
        bought: str,
        keep: Callable[[str], None],
        check: Check,
        purchases: Purchases,
    ) -> Diarization:
        """Find the speakers of a recording.

        Args:
            request: the job; its options are about speakers.
            bought: the service's id of a job that an earlier attempt submitted; empty: none.
            keep: called with the id of a new job before it is waited for, so that the next
                attempt does not submit it again; raises if it cannot be stored.
            check: called at least once a second while it waits; its exceptions propagate.
            purchases: jobs there that are, or may be, billed, and that no attempt can attach to.
        """
        ...
