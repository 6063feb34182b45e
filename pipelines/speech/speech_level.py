"""How loud the speech of a recording is, and what makes quiet speech as loud as speech mostly is.

Detectors and Whispers were trained on speech between about -40 and -15 dBFS. Far below it the
detector hears nothing, and what the model hears it doubts: of 350 words that were read at -45 dB
a tenth was lost. So a recording that is quiet as a whole is read once more, louder.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

# quieter speech is made louder; by telephone it is at -35 or more, in far rooms (AMI) at -39
QUIET_DBFS: Final = -40.0
WISHED_DBFS: Final = -26.0  # the level of speech to which ITU-T P.56 tests are set
MOST_GAIN_DB: Final = 60.0  # what is quieter still is the noise of a converter
LEAST_HEARD_FRAMES: Final = 16  # half a second of speech: fewer are clicks
LOUD_SHARE: Final = 0.1  # the level that a tenth of the speech exceeds: vowels, not pauses
LOUDEST_SHARE: Final = 0.01  # where no speech was heard: of everything
FULL_SCALE: Final = 32_768.0
LOWEST_DB: Final = 120  # of digital silence
FRAME_SAMPLES: Final = 512  # of the speech detector: 32 ms
KNEE: Final = np.float32(0.7)  # of full scale


@dataclass(frozen=True)
class SpeechLevel:
    """The level (dBFS, RMS of 32 ms) that the louder tenth of the speech exceeds.

    dbfs: None where there is no sound at all.
    is_speech: False where the detector heard none: then it is the level of the loudest sound.
    """

    dbfs: float | None
    is_speech: bool

    def loudness(self) -> tuple[bool, float]:
        """By which levels are compared: speech before what is none, then by the level."""
        return self.is_speech, -float(LOWEST_DB) if self.dbfs is None else self.dbfs

    @property
    def gain_db(self) -> float:
        """What to add; 0 for a recording that is loud enough: it stays as it is, bit by bit."""
        if self.dbfs is None or self.dbfs >= QUIET_DBFS:
            return 0.0
        return round(min(WISHED_DBFS - self.dbfs, MOST_GAIN_DB), 1)


class LevelMeter:
    """Counts frames by their level, in steps of 1 dB: its memory does not grow."""

    def __init__(self) -> None:
        self._all = np.zeros(LOWEST_DB + 1, np.int64)
        self._heard = np.zeros(LOWEST_DB + 1, np.int64)
        self._rest = np.zeros(0, np.int16)

    def feed(self, samples: npt.NDArray[np.int16], is_speech: npt.NDArray[np.bool_]) -> None:
        """The next samples of a channel, and whether there is speech in each frame they complete.

        At the end of the recording a frame may be told of that is not complete: it is left out.
        """
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) - len(sound) % FRAME_SAMPLES
        self._rest = sound[whole:]
        frames = sound[:whole].reshape(-1, FRAME_SAMPLES)
        power = np.square(frames, dtype=np.float32).mean(axis=1) / np.float32(FULL_SCALE**2)
        below = np.rint(-10 * np.log10(np.maximum(power, 1e-12))).astype(np.int64)
        self._all += np.bincount(below, minlength=LOWEST_DB + 1)
        heard = below[is_speech[: len(below)]]
        self._heard += np.bincount(heard, minlength=LOWEST_DB + 1)

    @property
    def level(self) -> SpeechLevel:
        """Of what was fed so far; digital silence counts for nothing."""
        if self._heard[:-1].sum() >= LEAST_HEARD_FRAMES:
            return SpeechLevel(_exceeded_by(self._heard, LOUD_SHARE), is_speech=True)
        if not self._all[:-1].any():
            return SpeechLevel(None, is_speech=False)
        return SpeechLevel(_exceeded_by(self._all, LOUDEST_SHARE), is_speech=False)


def _exceeded_by(counts: npt.NDArray[np.int64], share: float) -> float:
    """The level that this share of the frames reaches."""
    reached = np.cumsum(counts[:-1])
    return -float(np.searchsorted(reached, reached[-1] * share))


def amplified(sound: npt.NDArray[np.float32], gain_db: float) -> npt.NDArray[np.int16]:
    """Floating-point sound, louder, as int16; nothing is clipped.

    Above KNEE a sound is bent towards full scale: a door that falls shut in a quiet recording.
    """
    louder = sound * np.float32(10 ** (gain_db / 20))
    over = np.abs(louder) > KNEE
    bent = KNEE + (1 - KNEE) * np.tanh((np.abs(louder[over]) - KNEE) / (1 - KNEE))
    louder[over] = np.copysign(bent, louder[over])
    return np.asarray(np.rint(louder * (FULL_SCALE - 1)), np.int16)
