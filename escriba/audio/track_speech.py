"""Measures speech in samples of several tracks, with bounded work for a file of any length."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av import AudioFrame, AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from .track_choice import SpeechShare

PLACES: Final = 16  # spread over the file; meetings have silent minutes, but seldom a silent eighth
SECONDS: Final = 4.0  # at each
MOST_PACKETS: Final = 2000  # at each, for all tracks together: a track may have no audio there
RATE_HZ: Final = 16_000


def speech_shares(
    container: InputContainer, numbers: Sequence[int], measure_speech: SpeechShare
) -> dict[int, float | None]:
    """The share of speech in each track (1 is the first); None for a track without audio.

    Args:
        container: An open file; its position changes.
        numbers: Numbers of the tracks.
        measure_speech: Gives the share of speech in mono samples at 16 kHz.
    """
    streams = {container.streams.audio[n - 1].index: n for n in numbers}
    found: dict[int, list[float]] = {n: [] for n in numbers}
    for second in _places(container):
        with suppress(av.FFmpegError):  # some formats cannot seek: then the next packets are used
            if second:
                container.seek(int(second * 1e6))
        for index, samples in _excerpt(container, list(streams)).items():
            if len(samples):
                found[streams[index]].append(measure_speech(samples))
    return {n: float(np.mean(shares)) if shares else None for n, shares in found.items()}


def _places(container: InputContainer) -> list[float]:
    """The positions in the file, in seconds."""
    begin, length = (container.start_time or 0) / 1e6, (container.duration or 0) / 1e6
    if length <= PLACES * SECONDS:
        return [0.0] + [begin + SECONDS * n for n in range(1, int(length / SECONDS))]
    return [0.0] + [begin + length * n / PLACES for n in range(1, PLACES)]


def _excerpt(container: InputContainer, indices: Sequence[int]) -> dict[int, npt.NDArray[np.int16]]:
    """The next SECONDS of each stream, or less where there is less."""
    kept: dict[int, list[AudioFrame]] = {index: [] for index in indices}
    length = dict.fromkeys(indices, 0.0)
    with suppress(av.FFmpegError, IndexError):
        for index, frame in _frames(container, indices):
            if length[index] < SECONDS:
                kept[index].append(frame)
                length[index] += frame.samples / max(frame.sample_rate, 1)
            if min(length.values()) >= SECONDS:
                break
    return {index: _mono(frames) for index, frames in kept.items()}


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
