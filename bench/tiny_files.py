"""Thousands of tiny recordings with a word in each, no two alike."""

import wave
from pathlib import Path

RATE_HZ = 16_000
SECONDS = 1.2
TENANT = "bench"


def make(inbox: Path, count: int) -> list[str]:
    """WAV files below `inbox`; their partition keys."""
    import av  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    source = Path(__file__).parents[1] / "demo" / "recordings" / "english-2-voices.mp3"
    resampler, pieces = av.AudioResampler("s16", "mono", RATE_HZ), []
    with av.open(str(source)) as container:
        for frame in container.decode(audio=0):
            pieces += [each.to_ndarray().ravel() for each in resampler.resample(frame)]
    sound = np.concatenate(pieces)[4_000 : 4_000 + int(SECONDS * RATE_HZ)]
    inbox.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        one = sound.copy()
        one[:64] = np.random.default_rng(i).integers(-3, 3, 64)
        with wave.open(str(inbox / f"{i:05}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(one.tobytes())
    return [f"{TENANT}/{i:05}.wav" for i in range(count)]
