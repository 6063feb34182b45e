"""The four stages of the speech training."""

import math
from dataclasses import dataclass

WARM_UP_STEPS = 60


@dataclass(frozen=True)
class Stage:
    """`windows` of `seconds` in each step and worker; `full`: padded as faster-whisper pads."""

    steps: int
    peak_rate: float
    windows: int
    seconds: int
    full: bool
    encoder_only: bool = False
    deep: bool = False


STAGES = {
    "encoder": Stage(500, 2e-3, windows=16, seconds=8, full=False, encoder_only=True),
    "short": Stage(2000, 1.5e-3, windows=12, seconds=8, full=False),
    "full": Stage(1400, 1e-3, windows=4, seconds=30, full=True),
    "deep": Stage(1050, 1e-3, windows=4, seconds=30, full=True, deep=True),
}


def batch_shape(stage: Stage, step: int) -> tuple[int, int, bool]:
    """Windows, seconds, full: every third step of a full stage keeps other positions alive."""
    if stage.full and step % 3 == 0:
        short = STAGES["short"]
        return short.windows, short.seconds, False
    return stage.windows, stage.seconds, stage.full


def learning_rate(peak: float, step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to 3 % of the peak."""
    cosine = 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * (step / steps)))
    return peak * min(1, step / WARM_UP_STEPS) * cosine
