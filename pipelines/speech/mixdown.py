"""Many channels as one, in which everybody who speaks is heard.

ffmpeg mixes for cinemas: it adds channels as they are, so that a voice with one leg of its cable
reversed is silence in the sum; it drops the channel that a table calls LFE, and of a recorder's 6
or 10 unnamed channels takes the fourth for one; and it has no table for most numbers above 8. Here:

- Every channel goes in, whatever it is called; an LFE with a name is left out while others sound.
- Two channels are averaged. Once they are seen to cancel (stretches of 50 ms, so that a voice
  against music is seen too), one is turned by 90° instead, by a Hilbert filter: then nothing that
  both hold can cancel, be it in phase, in opposite phase or first one and then the other.
- Of more, a channel is reversed for a second in which it is the opposite of another.
"""

from typing import Final, cast

import numpy as np
import numpy.typing as npt
from av import AudioFrame

Samples = npt.NDArray[np.float32]

STRETCH_MS: Final = 50  # a syllable is longer, and its phase does not change within it
OPPOSED: Final = (
    -0.3
)  # correlation; voices that have nothing to do with one another stay above -0.2
QUIET: Final = 1e-3  # -60 dBFS, RMS: what cancels below is noise
OPPOSED_SHARE: Final = 0.05  # of the stretches that are heard
HILBERT_MS: Final = 10  # to each side: flat from 100 Hz, below the lowest voice; the mix is so late
FULL_SCALE: Final = 0.99


class Mixer:
    """Mixes frames of one recording to mono; keeps what the next one needs to go on smoothly."""

    def __init__(self) -> None:
        self._turns = False
        self._before: Samples | None = None
        self._gain = 1.0
        self._sounding: frozenset[int] = frozenset()  # channels that were heard so far
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
        if not self._turns:
            self._turns = _cancel(left, right, rate_hz * STRETCH_MS // 1000)
        if not self._turns:
            self._before = sound
            return cast("Samples", (left + right) * np.float32(0.5))
        return self._turned(sound, rate_hz * HILBERT_MS // 1000)

    def _turned(self, sound: Samples, reach: int) -> Samples:
        """The left channel and the right one turned by 90°, both `reach` samples late."""
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
        """Spectrum of a Hilbert filter of 2 x reach + 1 taps, in Hamming's window."""
        if (reach, size) not in self._filters:
            place = np.arange(-reach, reach + 1)
            taps = np.where(place % 2, 2 / (np.pi * np.where(place == 0, 1, place)), 0)
            taps = taps * np.hamming(2 * reach + 1)
            self._filters[reach, size] = np.fft.rfft(taps, size).astype(np.complex64)
        return self._filters[reach, size]

    def _many(self, sound: Samples) -> Samples:
        """The sum by the root of how many sound, and quieter from where that would be too loud.

        One voice on one of 60 channels keeps its level so, where an average takes away 36 dB. The
        gain never rises: a gate that opens and shuts would be heard.
        """
        mixed = _signs(sound) @ sound
        levels = np.sqrt(np.einsum("cs,cs->c", sound, sound) / max(sound.shape[1], 1))
        self._sounding = self._sounding | frozenset(np.flatnonzero(levels > QUIET).tolist())
        fitting = max(len(self._sounding), 1) ** -0.5
        peak = float(np.abs(mixed).max(initial=0.0))
        self._gain = min(self._gain, fitting, FULL_SCALE / max(peak, FULL_SCALE))
        return cast("Samples", mixed * np.float32(self._gain))


def _signs(sound: Samples) -> Samples:
    """-1 for each channel that is opposed to the one before it that it resembles most, else 1."""
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
    """Whether the two, in stretches of that many samples, are opposed too often."""
    count = len(left) // length
    if not count:
        return False
    a, b = (side[: count * length].reshape(count, length) for side in (left, right))
    together = np.einsum("ns,ns->n", a, b)
    if together.min() >= 0:
        return False
    lefts, rights = np.einsum("ns,ns->n", a, a), np.einsum("ns,ns->n", b, b)
    heard = np.maximum(lefts, rights) > length * QUIET**2
    opposed = heard & (together < OPPOSED * np.sqrt(lefts * rights))
    return bool(opposed.sum() > max(1, heard.sum() * OPPOSED_SHARE))


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
