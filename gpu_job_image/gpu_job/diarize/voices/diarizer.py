"""Who speaks when, by two small networks and in bounded memory."""

from pathlib import Path

import numpy as np

from ...audio import SAMPLE_RATE_HZ, Samples
from ...contract import SpeakerEmbedding, Speakers, SpeechRegion, Turn
from ..base import Check, Diarization
from ..pyannote.chunks import Chunks
from .grouping import Grouped, Rules, group
from .hearing import WINDOW_SECONDS, hear_activity, hear_voices
from .networks import Networks
from .turns import Run, turns_of

NAME = "light"
# Windows overlap the more, the shorter the recording: there each moment counts, and costs little.
_STEPS = ((90, 1.0), (600, 2.5), (float("inf"), 5.0))  # up to so many seconds, a step in seconds


class VoicesDiarizer:
    """Windows of 10 s, in each the speech of up to three, each voice a vector, vectors grouped."""

    def __init__(self, networks: Networks, rules: Rules | None = None) -> None:
        self._networks, self._rules = networks, rules or Rules()

    @classmethod
    def load(cls, folder: Path) -> "VoicesDiarizer":
        """From the folder that `gpu_job.voices` made.

        Raises:
            ModelMissingError: a file there is missing or damaged.
        """
        return cls(Networks.load(folder))

    @property
    def revision(self) -> str:
        """Of the networks, as jobs name it."""
        return f"voices@{self._networks.revision}"

    def diarize(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        speakers: Speakers,
        check: Check,
    ) -> Diarization:
        """See `Diarizer.diarize`."""
        step = step_seconds(samples.shape[1] / SAMPLE_RATE_HZ)
        chunks = Chunks.over(samples.shape[1], regions, WINDOW_SECONDS, step)
        if not len(chunks.heard):
            return Diarization(by=NAME)
        activity = hear_activity(self._networks, samples, chunks, check)
        voices = hear_voices(self._networks, samples, chunks, activity, check)
        check()
        if not len(voices.vectors):
            return _one_voice(regions)
        found = group(voices, speakers, step / WINDOW_SECONDS, self._rules)
        together, exclusive = turns_of(chunks, activity, voices, found, check)
        names = {
            one: f"SPEAKER_{i:02d}" for i, one in enumerate(dict.fromkeys(r[2] for r in together))
        }
        return Diarization(
            _turns(together, names), _turns(exclusive, names), _voices(found, names), NAME
        )


def _one_voice(regions: tuple[SpeechRegion, ...]) -> Diarization:
    """Somebody speaks, but too little in one piece to tell voices apart."""
    turns = (
        Turn(start_ms=region.start_ms, end_ms=region.end_ms, speaker="SPEAKER_00")
        for region in regions
        if region.end_ms > region.start_ms
    )
    return Diarization(tuple(turns), by=NAME)


def step_seconds(seconds: float) -> float:
    """How far one window is from the next in a recording of this length."""
    return next(step for up_to, step in _STEPS if seconds <= up_to)


def _turns(runs: list[Run], names: dict[int, str]) -> tuple[Turn, ...]:
    return tuple(
        Turn(start_ms=low, end_ms=high, speaker=names[one])
        for low, high, one in runs
        if one in names
    )


def _voices(found: Grouped, names: dict[int, str]) -> tuple[SpeakerEmbedding, ...]:
    return tuple(
        SpeakerEmbedding(
            speaker=name, vector=tuple(np.round(found.centroids[one].astype(float), 5).tolist())
        )
        for one, name in names.items()
    )
