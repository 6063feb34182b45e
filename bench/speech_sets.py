"""Recordings with references: the clips of a manifest, one by one or joined into long ones.

A manifest is one JSON object a line: file, language, speaker, reference; an empty reference: nobody
speaks. Joined, the clips of a folder and language follow one another with pauses of a length that
a seed decides.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench import worker_bucket
from bench.voiced import voiced
from bench.worker_bucket import RATE_HZ

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
    speaker: str = ""


@dataclass(frozen=True)
class Said:
    """What is said between two times (ms), and by whom.

    voice_ms: the same without the quiet at both ends of the clip, which is not speech.
    """

    start_ms: int
    end_ms: int
    text: str
    speaker: str = ""
    voice_ms: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Recording:
    """Sound at 16 kHz, and what is said in it."""

    name: str
    language: str
    sound: Sound = field(repr=False)
    said: tuple[Said, ...] = field(repr=False)
    group: str = ""

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.sound) / RATE_HZ


def clips_of(folder: Path) -> list[Clip]:
    """The clips of a manifest with speech."""
    return [clip for clip in all_clips_of(folder) if clip.reference]


def all_clips_of(folder: Path) -> list[Clip]:
    """The clips of a manifest, including those without speech.

    Raises:
        SystemExit: there is no manifest, or a line of it is none.
    """
    manifest = folder / "manifest.jsonl"
    if not manifest.is_file():
        raise SystemExit(f"{folder} has no manifest.jsonl: see docs/quality.md for what it holds")
    clips = []
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), 1):
        try:
            clips.append(_clip(folder, json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SystemExit(f"{manifest}, line {number}: {type(error).__name__} {error}") from None
    return clips


def _clip(folder: Path, line: dict[str, str]) -> Clip:
    path = Path(line["file"])
    return Clip(
        folder / path,
        path.parent.as_posix() if path.parent.name else path.stem,
        line.get("language", ""),
        line["reference"].strip(),
        line.get("speaker", ""),
    )


def recordings(clips: Sequence[Clip], kind: str, seed: int = 1) -> Iterator[Recording]:
    """The clips by themselves (`single`), or one recording of each group and language."""
    if kind == "single":
        for clip in clips:
            yield _joined(clip.path.stem, [clip], (0.0, 0.0), seed)
        return
    groups: dict[tuple[str, str], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.group, clip.language), []).append(clip)
    for (group, language), members in groups.items():
        name = f"{group}-{language}-{kind}".replace("/", "__")
        yield _joined(name, members, PAUSES_SECONDS[kind], seed)


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
        low, high = voiced(sound)
        voice = (_ms(at + low), _ms(at + high))
        said.append(Said(_ms(at), _ms(at + len(sound)), clip.reference, clip.speaker, voice))
        at += len(sound)
    first = clips[0]
    return Recording(name, first.language, np.concatenate(sounds), tuple(said), first.group)


def decoded(path: Path) -> Sound:
    """A file as mono samples at 16 kHz."""
    sound: Sound = worker_bucket.decoded(path)[0]
    return sound


def _ms(samples: int) -> int:
    return samples * 1000 // RATE_HZ
