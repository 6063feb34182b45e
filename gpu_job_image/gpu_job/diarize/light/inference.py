"""Runs the two networks: speaker activity in each window, and the embedding of each voice."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ...common.audio import SAMPLE_RATE_HZ, Samples
from ..base import Check
from ..chunks import Chunks, Floats, Indices
from .fbank import fbank
from .networks import Networks

Activity: TypeAlias = npt.NDArray[np.uint8]
Flags: TypeAlias = npt.NDArray[np.bool_]
Doubles: TypeAlias = npt.NDArray[np.float64]

WINDOW_SECONDS = 10.0  # the training window of segmentation-3.0
STEP_SECONDS = 5.0  # steps of 1 or 2.5 s cost more and are no better
# no speaker; each of three; each pair
POWERSET = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.uint8
)
# in nats, per class above: the network underestimates distant speech and overlaps
FAVOUR = np.array([-0.5, 0, 0, 0, 0.5, 0.5, 0.5], np.float32)
DIMENSION = 192
MEL_HZ = 100
PIECE_SECONDS = 1.5  # longer pieces hide speaker changes, shorter ones are unreliable
LEAST_SECONDS = 0.4  # of a voice; less does not identify it


@dataclass(frozen=True)
class Heard:
    """The middle of one window, which no other window covers better, and its speaker activity.

    start: in samples. active: (frames, 3) with `frame_samples` per frame. sure: the certain part
        of `active`, which is used for embeddings.
    """

    start: int
    active: Activity
    frame_samples: float
    sure: Activity

    def samples_of(self, frame: int) -> int:
        """The start of a frame in the recording, in samples."""
        return self.start + round(frame * self.frame_samples)


@dataclass(frozen=True)
class Pieces:
    """Spans of one voice, ordered by window and speaker.

    window, speaker: index of `Heard`, and of its three speakers (n,).
    low, high: first frame and the one after the last, in that window (n,).
    vectors: unit vectors (n, 192).
    seconds: of solo speech; 0 if all of it overlaps with another speaker (n,).
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
    """Speaker activity in the middle of each window that touches speech.

    One window at a time: on a CPU, batches are slower.
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
    """The embedding of each piece: solo speech if there is enough, otherwise overlapping speech."""
    rows: list[tuple[int, int, int, int]] = []
    vectors, seconds = [], []
    for number, part in enumerate(heard):
        check()
        pieces = list(_pieces(part))
        if not pieces:
            continue
        end = (
            part.samples_of(len(part.active)) + 240
        )  # the window of the last frame extends beyond it
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
    """Speaker, first frame, the one after the last, and whether the piece is solo speech."""
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
    """First index and the one after the last, of each run of true values."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False)).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def voice_of(networks: Networks, mel: Floats) -> Floats:
    """The unit voice embedding (192,) of mel frames (n, 80)."""
    vector: Floats = networks.voiceprint.run(None, {"mel": (mel - mel.mean(0))[None]})[0][0]
    return vector / np.linalg.norm(vector)
