"""What the two networks hear: who of three speaks when in each window, and with which voice."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ...audio import SAMPLE_RATE_HZ, Samples
from ..base import Check
from ..pyannote.chunks import Chunks, Floats, Indices
from .fbank import fbank
from .networks import Networks

Activity: TypeAlias = npt.NDArray[np.uint8]
Flags: TypeAlias = npt.NDArray[np.bool_]
Doubles: TypeAlias = npt.NDArray[np.float64]

WINDOW_SECONDS = 10.0  # what segmentation-3.0 was trained on
STEP_SECONDS = 5.0  # steps of 1 or 2.5 s cost as many times more, and are no better
# nobody; each of three; each two of them
POWERSET = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.uint8
)
# In nats, of the classes above: the network is too seldom sure of far speech and of two at once
FAVOUR = np.array([-0.5, 0, 0, 0, 0.5, 0.5, 0.5], np.float32)
DIMENSION = 192
MEL_HZ = 100
PIECE_SECONDS = 1.5  # heard at once: longer ones hide a change of speakers, shorter ones the voice
LEAST_SECONDS = 0.4  # of a voice; less says nothing of whose it is


@dataclass(frozen=True)
class Heard:
    """The part of one window that no other window hears better, and who speaks in it.

    start: in samples. active: (frames, 3) of `frame_samples` each. sure: the part of it that is
        beyond doubt, by which voices are told apart.
    """

    start: int
    active: Activity
    frame_samples: float
    sure: Activity

    def samples_of(self, frame: int) -> int:
        """Where a frame begins in the recording."""
        return self.start + round(frame * self.frame_samples)


@dataclass(frozen=True)
class Pieces:
    """Stretches of one voice, in the order of their windows and speakers.

    window, speaker: of `Heard`, and which of its three (n,).
    low, high: first frame and the one after the last, of that window (n,).
    vectors: of unit length (n, 192).
    seconds: in which nobody else was heard; 0 where all of it was together with another (n,).
    """

    window: Indices
    speaker: Indices
    low: Indices
    high: Indices
    vectors: Floats
    seconds: Doubles


def hear_activity(
    networks: Networks, samples: Samples, chunks: Chunks, check: Check
) -> list[Heard]:
    """Who speaks in each window that touches speech, in the middle of it.

    One window at a time: on a CPU more at once are slower.
    """
    found = []
    heard = set(chunks.heard.tolist())
    for number in chunks.heard.tolist():
        check()
        waveform = chunks.waveforms(samples, np.array([number]))
        chances = networks.segmentation.run(None, {"waveform": waveform})[0][0]
        classes, favoured = chances.argmax(1), (chances + FAVOUR).argmax(1)
        frame_samples = chunks.size / len(classes)
        edge = (chunks.size - chunks.step) / 2 / frame_samples
        low = round(edge) if number - 1 in heard else 0
        high = len(classes) - round(edge) if number + 1 in heard else len(classes)
        left = (chunks.length - number * chunks.step) / frame_samples
        high = max(low, min(high, round(left)))
        start = number * chunks.step + round(low * frame_samples)
        active, sure = POWERSET[favoured[low:high]], POWERSET[classes[low:high]]
        found.append(Heard(start, active, frame_samples, sure))
    return found


def hear_voices(networks: Networks, samples: Samples, heard: list[Heard], check: Check) -> Pieces:
    """The voice of each piece: alone, where there is enough, else together with another."""
    rows: list[tuple[int, int, int, int]] = []
    vectors, seconds = [], []
    for number, part in enumerate(heard):
        check()
        pieces = list(_pieces(part))
        if not pieces:
            continue
        end = part.samples_of(len(part.active)) + 240  # the last frame's window reaches beyond
        audio = samples[0, part.start : end].astype(np.float32) / np.float32(32768)
        mel = fbank(audio)
        hop = part.frame_samples / SAMPLE_RATE_HZ * MEL_HZ
        for speaker, low, high, alone in pieces:
            cut = mel[round(low * hop) : max(round(high * hop), round(low * hop) + 1)]
            if len(cut) < LEAST_SECONDS * MEL_HZ / 2:
                continue
            rows.append((number, speaker, low, high))
            vectors.append(voice_of(networks, cut))
            seconds.append((high - low) * part.frame_samples / SAMPLE_RATE_HZ * alone)
    table = np.array(rows, np.intp).reshape(-1, 4).T
    if not vectors:
        vectors = [np.zeros(DIMENSION, np.float32)][:0]
    return Pieces(*table, np.array(vectors, np.float32).reshape(-1, DIMENSION), np.array(seconds))


def _pieces(part: Heard) -> Iterator[tuple[int, int, int, bool]]:
    """Speaker, first frame, the one after the last, and whether nobody else speaks in it."""
    sure, active = part.sure.astype(bool), part.active.astype(bool)
    alone = sure & (sure.sum(1, keepdims=True) == 1)
    least = LEAST_SECONDS * SAMPLE_RATE_HZ / part.frame_samples
    most = PIECE_SECONDS * SAMPLE_RATE_HZ / part.frame_samples
    for speaker in np.flatnonzero(active.any(0)).tolist():
        runs = [run for run in runs_of(alone[:, speaker]) if run[1] - run[0] >= least]
        by_itself = bool(runs)
        for low, high in runs or runs_of(sure[:, speaker]) or runs_of(active[:, speaker]):
            count = max(1, round((high - low) / most))
            edges = np.linspace(low, high, count + 1).round().astype(int).tolist()
            for a, b in itertools.pairwise(edges):
                yield speaker, a, b, by_itself


def runs_of(flags: Flags) -> list[tuple[int, int]]:
    """First index of each stretch of true ones, and the one after its last."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def voice_of(networks: Networks, mel: Floats) -> Floats:
    """Of mel frames (n, 80), of unit length (192,)."""
    vector: Floats = networks.voiceprint.run(None, {"mel": (mel - mel.mean(0))[None]})[0][0]
    return vector / np.linalg.norm(vector)
