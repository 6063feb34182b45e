"""Where a voice begins and ends in a clip, by energy alone: no diarizer judges its own detector."""

import numpy as np
import numpy.typing as npt

FRAME_SAMPLES = 320  # 20 ms at 16 kHz
_QUIET, _LOUD = 5, 95  # percentiles of the frames' level
_RISE = 0.35  # of the way from quiet to loud, in dB
_RANGE_DB = 35.0  # and no further below loud: in a clip without noise, quiet is digital silence
_RUN = 5  # frames; three of them must be voiced: a click is not a voice
_VOICED = 3

Sound = npt.NDArray[np.int16]


def voiced(sound: Sound) -> tuple[int, int]:
    """The first voiced sample at 16 kHz, and the one after the last; all, where nothing stands out.

    A frame is voiced where its level is above a third of the way from the clip's quietest to its
    loudest, in dB, and its neighbours are too. What lies between two voiced frames is the clip's.
    """
    count = len(sound) // FRAME_SAMPLES
    if count < _RUN:
        return 0, len(sound)
    frames = sound[: count * FRAME_SAMPLES].reshape(count, FRAME_SAMPLES).astype(np.float64)
    level = 10 * np.log10((frames**2).mean(axis=1) + 1)
    quiet, loud = np.percentile(level, [_QUIET, _LOUD])
    above = level > max(quiet + _RISE * (loud - quiet), loud - _RANGE_DB)
    near = np.convolve(above, np.ones(_RUN), "same") >= _VOICED
    found = np.flatnonzero(above & near)
    if not len(found):
        return 0, len(sound)
    return int(found[0]) * FRAME_SAMPLES, (int(found[-1]) + 1) * FRAME_SAMPLES
