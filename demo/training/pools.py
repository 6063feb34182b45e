"""A pool: thousands of synthesised utterances in one .npz file, as log-mel features.

It holds `mel` (bands, all frames) of float16 log10 power, `frames` (utterances,) with the length of
each, and `meta`, a JSON list with text, voice, word and phoneme times of each.
"""

import json
import multiprocessing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from demo.training.espeak import Espeak, Voice
from demo.training.spectrogram import Floats, mel_power

Meta = dict[str, Any]


@dataclass(frozen=True)
class Utterance:
    """One sentence to be spoken; `label` goes into the pool's meta (language, or speaker)."""

    text: str
    voice: Voice
    label: dict[str, str | int]


@dataclass
class _Worker:
    """What each synthesising process holds."""

    espeak: Espeak
    filters: Floats


_worker: list[_Worker] = []  # of this process; filled by _start


def _start(filters: Floats) -> None:
    _worker.append(_Worker(Espeak(), filters))


def _speak(utterance: Utterance) -> tuple[npt.NDArray[np.float16], Meta]:
    worker = _worker[0]
    spoken = worker.espeak.say(utterance.text, utterance.voice)
    power = np.maximum(mel_power(spoken.audio, worker.filters), 1e-10)
    meta = {
        **utterance.label,
        "text": utterance.text,
        "voice": utterance.voice.name,
        "words": [(word, round(start, 3), round(end, 3)) for word, start, end in spoken.words],
        "phones": [(phone, round(start, 3)) for phone, start in spoken.phones],
    }
    return np.log10(power).astype(np.float16), meta


def write_pool(utterances: list[Utterance], filters: Floats, path: Path, processes: int) -> None:
    """Speak all utterances, in order, and store their features."""
    path.parent.mkdir(parents=True, exist_ok=True)
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(processes, _start, (filters,)) as workers:
        done = list(workers.imap(_speak, utterances, chunksize=32))
    mel = np.concatenate([features for features, _ in done], axis=1)
    frames = np.array([features.shape[1] for features, _ in done])
    np.savez(path, mel=mel, frames=frames, meta=json.dumps([meta for _, meta in done]))
    print(f"{path}: {len(done)} utterances, {mel.shape[1] / 6000:.0f} min")


class Pool:
    """A stored pool; `mel(i)` is one utterance."""

    def __init__(self, path: Path) -> None:
        stored = np.load(path)
        self._mel, self._edges = stored["mel"], np.r_[0, np.cumsum(stored["frames"])]
        self.meta: list[Meta] = json.loads(str(stored["meta"]))

    def frames(self, i: int) -> int:
        """Length of utterance `i` in frames of 10 ms."""
        return int(self._edges[i + 1] - self._edges[i])

    def mel(self, i: int) -> Floats:
        """log10 mel power of utterance `i`, (bands, frames)."""
        return self._mel[:, self._edges[i] : self._edges[i + 1]].astype(np.float32)
