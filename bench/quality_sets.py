"""Recordings with references, single and joined into long ones, for bench/quality.py.

A folder holds `manifest.jsonl` (file, language, speaker, reference; an empty reference: nobody
speaks) and audio; an `.rttm` beside an audio file says who speaks when. A set is what lies in one
folder below it. The clips of a set are joined in three layouts, from a seed, so that a set that
nobody has seen yet is measured in the same way.
"""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.worker_bucket import RATE_HZ, decoded, write

PAUSES_SECONDS = {"tight": (0.0, 0.0), "gaps": (1.0, 3.0), "sparse": (10.0, 30.0)}
LAYOUTS = ("single", *PAUSES_SECONDS)
AUDIO = (".flac", ".wav", ".ogg", ".opus", ".mp3", ".m4a")


@dataclass(frozen=True)
class Utterance:
    """What one speaker says; no words: nobody speaks."""

    speaker: str
    reference: str


@dataclass(frozen=True)
class Case:
    """One recording, and what is said in it.

    name: a file name of its own. part: the set. layout: one of LAYOUTS, or `turns`.
    rttm: who speaks when, where that is known.
    """

    name: str
    part: str
    layout: str
    audio: Path
    language: str = ""
    said: tuple[Utterance, ...] = ()
    rttm: Path | None = None

    @property
    def reference(self) -> str:
        """All that is said, in order."""
        return " ".join(each.reference for each in self.said)

    @property
    def speakers(self) -> int | None:
        """How many speak; None where nobody knows."""
        if self.rttm is not None:
            return len({line.split()[7] for line in self.rttm.read_text().splitlines() if line})
        known = {each.speaker for each in self.said if each.reference}
        return len(known) if "" not in known else None


def read_cases(folder: Path, scratch: Path, *, quick: bool, seed: int = 1) -> list[Case]:
    """All recordings of a folder, and what is joined of them, written to `scratch`.

    `quick` leaves out the layouts `tight` and `sparse`, and three of four single clips.

    Raises:
        SystemExit: there is no manifest, or a line of it is none.
    """
    singles = list(_singles(folder))
    told = {case.audio for case in singles}
    turns = [case for case in _with_turns(folder) if case.audio not in told]
    joined = [
        made
        for part in sorted({case.part for case in singles})
        if len(clips := [case for case in singles if case.part == part and case.reference]) > 1
        for layout in (["gaps"] if quick else PAUSES_SECONDS)
        for made in [_joined(clips, layout, scratch, random.Random(f"{seed} {part} {layout}"))]  # noqa: S311
    ]
    return [*(singles[::4] if quick else singles), *joined, *turns]


def _singles(folder: Path) -> Iterator[Case]:
    manifest = folder / "manifest.jsonl"
    if not manifest.is_file():
        raise SystemExit(
            f"{folder} has no manifest.jsonl: name a folder of speech (docs/quality.md)"
        )
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), 1):
        try:
            fields = json.loads(line)
            path = Path(fields["file"])
            said = Utterance(str(fields.get("speaker", "")), str(fields["reference"]).strip())
        except (ValueError, KeyError, TypeError) as error:
            raise SystemExit(f"{manifest}, line {number}: {type(error).__name__} {error}") from None
        yield Case(
            name=path.as_posix().replace("/", "__"),
            part=path.parent.as_posix() if path.parent.name else path.stem,
            layout="single",
            audio=folder / path,
            language=str(fields.get("language", "")),
            said=(said,),
            rttm=_rttm_of(folder / path),
        )


def _with_turns(folder: Path) -> Iterator[Case]:
    """Audio with an RTTM beside it that the manifest does not name."""
    for rttm in sorted(folder.rglob("*.rttm")):
        for audio in sorted(rttm.parent.glob(f"{rttm.stem}.*")):
            if audio.suffix in AUDIO:
                path = audio.relative_to(folder)
                part = path.parent.as_posix() if path.parent.name else path.stem
                name = path.as_posix().replace("/", "__")
                yield Case(name, part, "turns", audio, rttm=rttm)


def _rttm_of(audio: Path) -> Path | None:
    rttm = audio.with_suffix(".rttm")
    return rttm if rttm.is_file() else None


def _joined(clips: Sequence[Case], layout: str, scratch: Path, dice: random.Random) -> Case:
    """The clips in a chance order, with chance pauses; the references join likewise."""
    order = dice.sample(list(clips), len(clips))
    first = order[0]
    path = scratch / f"{first.part.replace('/', '__')}-{layout}.flac"
    write(path, _with_pauses(order, PAUSES_SECONDS[layout], dice))
    said = tuple(each for clip in order for each in clip.said)
    return replace(first, name=path.name, layout=layout, audio=path, said=said, rttm=None)


def _with_pauses(
    clips: Iterable[Case], pauses: tuple[float, float], dice: random.Random
) -> Iterator[np.ndarray]:
    for i, clip in enumerate(clips):
        if i and pauses[1]:
            yield np.zeros((1, round(dice.uniform(*pauses) * RATE_HZ)), np.int16)
        yield decoded(clip.audio)
