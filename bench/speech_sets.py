"""Recordings with references: the clips of a manifest, one by one or joined into long ones.

A manifest is one JSON object a line: file, language, speaker, reference. Joined, the clips of a
folder and language follow one another with pauses of a length that a seed decides.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
PAUSES_SECONDS = {"tight": (0.0, 0.0), "gaps": (1.0, 3.0), "sparse": (10.0, 30.0)}
KINDS = ("single", *PAUSES_SECONDS)

Sound = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Clip:
    """One line of the manifest; `group` is the folder in which it lies."""

    path: Path
    group: str
    language: str
    reference: str


@dataclass(frozen=True)
class Said:
    """What is said between two times (ms)."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True)
class Recording:
    """Sound at 16 kHz, and what is said in it."""

    name: str
    language: str
    sound: Sound = field(repr=False)
    said: tuple[Said, ...] = field(repr=False)

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.sound) / RATE_HZ


def clips_of(folder: Path) -> list[Clip]:
    """The clips of a manifest in which somebody speaks."""
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Clip(folder / one["file"], _group(one), one["language"], one["reference"])
        for one in map(json.loads, lines)
        if one["reference"].strip()
    ]


def _group(line: dict[str, str]) -> str:
    head, slash, _ = line["file"].partition("/")
    return head if slash else line["language"]


def recordings(clips: Sequence[Clip], kind: str, seed: int = 1) -> Iterator[Recording]:
    """The clips by themselves (`single`), or one recording of each group and language."""
    if kind == "single":
        for clip in clips:
            yield _joined(clip.path.stem, [clip], (0.0, 0.0), seed)
        return
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.group, clip.language), []).append(clip)
    for (group, _), members in groups.items():
        yield _joined(f"{group}-{kind}", members, PAUSES_SECONDS[kind], seed)


def _joined(
    name: str, clips: Sequence[Clip], pause_seconds: tuple[float, float], seed: int
) -> Recording:
    dice = random.Random(seed)  # noqa: S311  # pauses, no secrets
    sounds: list[Sound] = []
    said: list[Said] = []
    at = 0
    for clip in clips:
        if sounds:
            pause = np.zeros(round(dice.uniform(*pause_seconds) * RATE_HZ), np.int16)
            sounds.append(pause)
            at += len(pause)
        sound = decoded(clip.path)
        sounds.append(sound)
        said.append(Said(_ms(at), _ms(at + len(sound)), clip.reference))
        at += len(sound)
    return Recording(name, clips[0].language, np.concatenate(sounds), tuple(said))


def decoded(path: Path) -> Sound:
    """A file as mono samples at 16 kHz."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    with av.open(str(path)) as container:
        frames = [*container.decode(audio=0), None]
        blocks = [block.to_ndarray()[0] for frame in frames for block in resampler.resample(frame)]
    return np.concatenate(blocks)


def _ms(samples: int) -> int:
    return samples * 1000 // RATE_HZ
