"""Listens to samples of several tracks: bounded work, however long the file."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av import AudioFrame, AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from pipelines.speech.tracks import Hears

PLACES: Final = 16  # spread over the file; a meeting is silent for minutes, seldom for an eighth
SECONDS: Final = 4.0  # at each
MOST_PACKETS: Final = 2000  # at each, of all tracks together: a track may have no sound there
RATE_HZ: Final = 16_000


def listen(
    container: InputContainer, numbers: Sequence[int], hears: Hears
) -> dict[int, float | None]:
    """The share of speech of each track (1 is the first); None for one that gives no sound at all.

    Args:
        container: An open file, which is left somewhere.
        numbers: Of the tracks.
        hears: Tells of mono samples at 16 kHz how much of them is speech.
    """
    streams = {container.streams.audio[n - 1].index: n for n in numbers}
    found: dict[int, list[float]] = {n: [] for n in numbers}
    for second in _places(container):
        with suppress(av.FFmpegError):  # some formats cannot seek: then what comes next is heard
            if second:
                container.seek(int(second * 1e6))
        for index, samples in _stretch(container, list(streams)).items():
            if len(samples):
                found[streams[index]].append(hears(samples))
    return {n: float(np.mean(shares)) if shares else None for n, shares in found.items()}


def _places(container: InputContainer) -> list[float]:
    """Seconds, from the start on."""
    begin, length = (container.start_time or 0) / 1e6, (container.duration or 0) / 1e6
    if length <= PLACES * SECONDS:
        return [0.0] + [begin + SECONDS * n for n in range(1, int(length / SECONDS))]
    return [0.0] + [begin + length * n / PLACES for n in range(1, PLACES)]


def _stretch(container: InputContainer, indices: Sequence[int]) -> dict[int, npt.NDArray[np.int16]]:
    """The next seconds of each stream, as far as they come."""
    heard: dict[int, list[AudioFrame]] = {index: [] for index in indices}
    length = dict.fromkeys(indices, 0.0)
    with suppress(av.FFmpegError, IndexError):
        for index, frame in _frames(container, indices):
            if length[index] < SECONDS:
                heard[index].append(frame)
                length[index] += frame.samples / max(frame.sample_rate, 1)
            if min(length.values()) >= SECONDS:
                break
    return {index: _mono(frames) for index, frames in heard.items()}


def _frames(container: InputContainer, indices: Sequence[int]) -> Iterator[tuple[int, AudioFrame]]:
    streams = [stream for stream in container.streams.audio if stream.index in indices]
    for count, packet in enumerate(container.demux(streams)):
        if count > MOST_PACKETS:
            return
        with suppress(av.FFmpegError):
            if packet.size and isinstance(packet.stream, AudioStream):
                for frame in packet.decode():
                    if isinstance(frame, AudioFrame):
                        yield packet.stream.index, frame


def _mono(frames: Sequence[AudioFrame]) -> npt.NDArray[np.int16]:
    """The loudest channel, so that nothing cancels; frames of another shape are left out."""
    if not frames:
        return np.zeros(0, np.int16)
    with suppress(av.FFmpegError, ValueError):
        first = frames[0]
        resampler = AudioResampler("s16p", first.layout.name, RATE_HZ)
        pieces = []
        for frame in frames:
            if (frame.layout.name, frame.sample_rate) == (first.layout.name, first.sample_rate):
                frame.pts = None
                pieces += [made.to_ndarray() for made in resampler.resample(frame)]
        pieces += [made.to_ndarray() for made in resampler.resample(None)]
        sound = np.concatenate(pieces, 1)
        return np.asarray(sound[np.argmax((sound.astype(np.float32) ** 2).sum(1))], np.int16)
    return np.zeros(0, np.int16)
