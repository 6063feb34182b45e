"""Batches of windows with their targets, as tensors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from demo.training.acoustics import Dice
from demo.training.material import PER_SECOND, Material
from demo.training.targets import Target, TargetWriter
from demo.training.tokens import END, NOT_SCORED
from demo.training.whisper_model import FRAMES
from demo.training.windows import Window, WindowMixer


@dataclass(frozen=True)
class Mixture:
    """How the windows of a run are drawn."""

    english: float = 0.53  # share of English windows
    prompts: float = 0.15  # share of windows with a prompt; above 0.2 also long prompts


@dataclass(frozen=True)
class Batch:
    """B windows of T frames (10 ms) and N tokens.

    mel (B, 80, T), shift (B,), phones and words (B, T / 2), tokens and targets (B, N - 1),
    spans (B, N, 2): the half-open range of positions in which a token is heard, or -1.
    """

    mel: Tensor
    shift: Tensor
    phones: Tensor
    words: Tensor
    tokens: Tensor
    targets: Tensor
    spans: Tensor


@dataclass(frozen=True)
class _Item:
    window: Window
    shift: int
    target: Target


class Mixer:
    """Endless batches from one pool; the same seed gives the same batches."""

    def __init__(self, pool: Path, seed: int, mixture: Mixture) -> None:
        self.material, self.dice = Material(pool), Dice(seed)
        self.vocabulary = self.material.vocabulary
        self._windows = WindowMixer(self.material, self.dice, mixture.english)
        self._targets = TargetWriter(self.material, self.dice, mixture.prompts)

    def batch(self, size: int, seconds: int, *, full: bool) -> Batch:
        """`size` windows of `seconds`; full ones start the 30 s axis, others lie anywhere on it."""
        return _stack([self._item(seconds, full=full) for _ in range(size)])

    def _item(self, seconds: int, *, full: bool) -> _Item:
        window = self._windows.window(seconds, full=full)
        shift = 0 if full else self._shift(seconds)
        return _Item(window, shift, self._targets.target(window, shift, full=full))

    def _shift(self, seconds: int) -> int:
        anywhere = self.dice.one.randint(0, FRAMES - seconds * PER_SECOND)
        return self.dice.one.choice([0, anywhere])


def _stack(items: list[_Item]) -> Batch:
    tokens, targets, spans = _pad([item.target for item in items])
    return Batch(
        mel=torch.from_numpy(np.stack([item.window.mel for item in items])),
        shift=torch.tensor([item.shift for item in items]),
        phones=torch.from_numpy(np.stack([item.window.phones for item in items])),
        words=torch.from_numpy(np.stack([item.window.words for item in items])),
        tokens=tokens,
        targets=targets,
        spans=spans,
    )


def _pad(found: list[Target]) -> tuple[Tensor, Tensor, Tensor]:
    longest = max(len(target.tokens) for target in found)
    tokens = torch.full((len(found), longest - 1), END)
    targets = torch.full((len(found), longest - 1), NOT_SCORED)
    spans = torch.full((len(found), longest, 2), -1)
    for row, target in enumerate(found):
        tokens[row, : len(target.tokens) - 1] = torch.tensor(target.tokens[:-1])
        targets[row, : len(target.scored)] = torch.tensor(target.scored)
        spans[row, : len(target.spans)] = torch.tensor(target.spans)
    return tokens, targets, spans
