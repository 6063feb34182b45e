"""Mixes channels to mono so that every speaker stays audible.

ffmpeg mixes for cinemas: it adds channels unchanged, so that a voice with one reversed wire cancels
out; it drops the channel that a table calls LFE, and takes the fourth of a recorder's 6 or 10
unnamed channels for it; and it has no table for most channel counts above 8. Here:

- Every channel counts, whatever its name; a named LFE is left out while other channels have sound.
- Two channels are averaged. Once they cancel (in windows of 50 ms, so that a voice over music is
  noticed too), a Hilbert filter turns one by 90° instead: then nothing that both hold can cancel,
  whether in phase, in opposite phase or alternating.
- With more channels, one is inverted during each second in which it is the opposite of another.
"""

from typing import Final, cast

import numpy as np
import numpy.typing as npt
from av import AudioFrame

Samples = npt.NDArray[np.float32]

WINDOW_MS: Final = 50  # shorter than a syllable, during which the phase does not change
OPPOSED: Final = -0.3  # correlation; unrelated voices stay above -0.2
QUIET: Final = 1e-3  # RMS, -60 dBFS: below it only noise cancels
OPPOSED_SHARE: Final = 0.05  # of the windows that are not quiet
HILBERT_MS: Final = (
    10  # to each side: flat from 100 Hz, below the lowest voice; delays the mix by as much
)
FULL_SCALE: Final = 0.99


class Mixer:
    """Mixes the frames of one recording to mono; keeps the state that the next frame needs."""

    def __init__(self) -> None:
        self._is_turned = False
        self._before: Samples | None = None
        self._gain = 1.0
        self._sounding: frozenset[int] = frozenset()  # channels with sound so far
        self._filters: dict[tuple[int, int], npt.NDArray[np.complex64]] = {}

    def mix(self, frame: AudioFrame) -> AudioFrame:
        """The same samples as one channel of 32-bit floats."""
        names = [channel.name for channel in frame.layout.channels]
        sound = _as_floats(frame)
        lfe = [n for n, name in enumerate(names) if name.startswith("LFE")]
        if lfe and len(lfe) < len(sound) and _loudest(np.delete(sound, lfe, 0)) > QUIET:
            sound = np.delete(sound, lfe, 0)
        is_pair = len(sound) == 2  # noqa: PLR2004 - a pair is two
        mixed = self._two(sound, frame.sample_rate) if is_pair else self._many(sound)
        made = AudioFrame.from_ndarray(mixed.reshape(1, -1), format="fltp", layout="mono")
        made.sample_rate = frame.sample_rate
        return made

    def _two(self, sound: Samples, rate_hz: int) -> Samples:
        left, right = sound
        if not self._is_turned:
            self._is_turned = _cancel(left, right, rate_hz * WINDOW_MS // 1000)
        if not self._is_turned:
            self._before = sound
            return cast("Samples", (left + right) * np.float32(0.5))
        return self._turned(sound, rate_hz * HILBERT_MS // 1000)

    def _turned(self, sound: Samples, reach: int) -> Samples:
        """The mean of the left channel and the right one turned by 90°, `reach` samples late."""
        before = np.zeros((2, 2 * reach), np.float32)
        if self._before is not None:
            kept = self._before[:, -2 * reach :]
            before[:, 2 * reach - kept.shape[1] :] = kept
        whole = np.concatenate([before, sound], 1)
        self._before = whole[:, -2 * reach :]
        size = 1 << (whole.shape[1] - 1).bit_length()
        turned = np.fft.irfft(np.fft.rfft(whole[1], size) * self._filter(reach, size), size)
        right = turned[2 * reach : whole.shape[1]].astype(np.float32)
        return cast("Samples", (whole[0, reach:-reach] + right) * np.float32(0.5))

    def _filter(self, reach: int, size: int) -> npt.NDArray[np.complex64]:
        """Spectrum of a Hilbert filter of 2 x reach + 1 taps with a Hamming window."""
        if (reach, size) not in self._filters:
            place = np.arange(-reach, reach + 1)
            taps = np.where(place % 2, 2 / (np.pi * np.where(place == 0, 1, place)), 0)
            taps = taps * np.hamming(2 * reach + 1)
            self._filters[reach, size] = np.fft.rfft(taps, size).astype(np.complex64)
        return self._filters[reach, size]

    def _many(self, sound: Samples) -> Samples:
        """The sum over the root of the number of channels with sound, or quieter if too loud.

        One voice on one of 60 channels keeps its level, while an average would cost 36 dB. The gain
        never rises, since a gate that opens and closes would be audible.
        """
        mixed = _signs(sound) @ sound
        levels = np.sqrt(np.einsum("cs,cs->c", sound, sound) / max(sound.shape[1], 1))
        self._sounding = self._sounding | frozenset(np.flatnonzero(levels > QUIET).tolist())
        fitting = max(len(self._sounding), 1) ** -0.5
        peak = float(np.abs(mixed).max(initial=0.0))
        self._gain = min(self._gain, fitting, FULL_SCALE / max(peak, FULL_SCALE))
        return cast("Samples", mixed * np.float32(self._gain))


def _signs(sound: Samples) -> Samples:
    """-1 for each channel that is opposed to the most similar louder channel, else 1."""
    products = sound @ sound.T
    levels = np.sqrt(np.maximum(np.diagonal(products), 1e-12))
    alike = products / np.outer(levels, levels)
    order = np.argsort(-levels)
    signs = np.ones(len(sound), np.float32)
    for place in range(1, len(order)):
        channel, earlier = order[place], order[:place]
        nearest = earlier[np.argmax(np.abs(alike[channel, earlier]))]
        is_alike = abs(alike[channel, nearest]) > -OPPOSED
        signs[channel] = signs[nearest] * np.sign(alike[channel, nearest]) if is_alike else 1
    return signs


def _cancel(left: Samples, right: Samples, length: int) -> bool:
    """Whether the two are opposed in too many windows of that many samples."""
    count = len(left) // length
    if not count:
        return False
    a, b = (side[: count * length].reshape(count, length) for side in (left, right))
    together = np.einsum("ns,ns->n", a, b)
    if together.min() >= 0:
        return False
    lefts, rights = np.einsum("ns,ns->n", a, a), np.einsum("ns,ns->n", b, b)
    audible = np.maximum(lefts, rights) > length * QUIET**2
    opposed = audible & (together < OPPOSED * np.sqrt(lefts * rights))
    return bool(opposed.sum() > max(1, audible.sum() * OPPOSED_SHARE))


def _loudest(sound: Samples) -> float:
    """RMS of the loudest channel."""
    return float(np.sqrt(np.einsum("cs,cs->c", sound, sound).max() / max(sound.shape[1], 1)))


def _as_floats(frame: AudioFrame) -> Samples:
    """Samples as (channels, samples), full scale 1."""
    raw = frame.to_ndarray()
    if not frame.format.is_planar:
        raw = raw.reshape(-1, frame.layout.nb_channels).T
    if raw.dtype == np.uint8:
        return ((raw.astype(np.float32) - 128) / 128).astype(np.float32)
    scale = 1.0 if raw.dtype.kind == "f" else 2.0 ** (8 * raw.dtype.itemsize - 1)
    return np.ascontiguousarray(raw, dtype=np.float32) * np.float32(1 / scale)
