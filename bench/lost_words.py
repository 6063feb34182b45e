"""Where true words are lost: for each word of the reference that no hypothesis has, which stage.

`python -m bench.lost_words MODEL [--speech FOLDER] [--kinds tight,gaps] [--groups lsother]
[--seed 1] [--quick] [--json]`. MODEL is a folder with a Whisper as CTranslate2 has it; FOLDER holds
a `manifest.jsonl` (bench/speech_sets.py). The times of the reference's words are the model's own
alignment of it with each clip. Beside Escriba: faster-whisper, plain and batched, without stages.

Stages, in the order in which a word passes them:
- `detector`: no region of speech covers the word.
- `cut`: it lies on the end of a window, or beside a pause that was shortened.
- `decoder`: a window holds it, and the model did not write it.
- `heard again`: the same, and it was not written when the stretch was heard again either.
- `removed: REASON`: the model wrote it, and the filter took it out.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import report
from bench.speech_sets import KINDS, Recording, clips_of, recordings
from bench.speech_ways import Heard, batched, loaded, ours, plain, text_of
from bench.word_errors import WordErrors, aligned, normalized, word_errors
from bench.word_places import Placed, placed

NEAR_MS = 150  # of a cut: half a word


@dataclass(frozen=True)
class Lost:
    """A word that was said and is not in the result."""

    recording: str
    at_ms: int
    word: str
    stage: str
    around: str


def stage_of(word: Placed, heard: Heard) -> str:
    """The first stage at which the word was no longer there."""
    middle = (word.start_ms + word.end_ms) // 2
    if not any(region.start_ms <= middle <= region.end_ms for region in heard.regions):
        return "detector"
    reason = _removed(word, heard)
    if reason:
        return f"removed: {reason}"
    pieces = [piece for window, _ in heard.windows for piece in window.pieces]
    edges = [edge for piece in pieces for edge in (piece.start_ms, piece.end_ms)]
    if any(word.start_ms - NEAR_MS < edge < word.end_ms + NEAR_MS for edge in edges):
        return "cut"
    again = [each for each in heard.warnings if each.code in {"heard_again", "no_words_heard"}]
    is_again = any(each.start_ms <= middle <= each.end_ms for each in again)
    return "heard again" if is_again else "decoder"


def _removed(word: Placed, heard: Heard) -> str:
    """Why it was taken out; empty where nothing with this word was, about there."""
    for warning in heard.warnings:
        is_there = warning.start_ms - 500 <= word.end_ms and word.start_ms <= warning.end_ms + 500
        if is_there and word.text in normalized(warning.text, word.language):
            return str(warning.code)
    return ""


def lost_words(recording: Recording, heard: Heard, said: list[Placed]) -> Iterator[Lost]:
    """The deleted words of an alignment, each with its stage."""
    reference = [word.text for word in said]
    written = normalized(text_of(heard.words), recording.language)
    for i, j in aligned(reference, written):
        if i is not None and j is None:
            around = " ".join(
                f"[{text}]" if k == i else text
                for k, text in enumerate(reference[max(0, i - 4) : i + 5], max(0, i - 4))
            )
            word = said[i]
            stage = stage_of(word, heard)
            yield Lost(recording.name, word.start_ms, word.text, stage, around)


def main() -> None:
    chosen = _options()
    model = loaded(chosen.model)
    clips = [clip for clip in clips_of(chosen.speech) if clip.group in chosen.groups]
    clips = clips[: 10 if chosen.quick else None]
    rows: list[tuple[object, ...]] = []
    all_lost: list[Lost] = []
    figures: dict[str, object] = {}
    for kind in chosen.kinds:
        made = list(recordings(clips, kind, chosen.seed))
        found = {
            way.__name__: [way(model, each) for each in made] for way in (ours, plain, batched)
        }
        for each, heard in zip(made, found["ours"], strict=True):
            all_lost += lost_words(each, heard, placed(model, each))
        for name, of_way in found.items():
            total, seconds = _judged(made, of_way)
            rows.append((kind, name, total.told, total.deletions, f"{seconds:.1f}"))
            figures[f"wer_{kind}_{name}"] = round(total.wer, 4)
            figures[f"deletions_{kind}_{name}"] = total.deletions
    columns = ["set", "way", "WER % (sub/del/ins)", "deletions", "seconds"]
    for one in all_lost:
        print(f"{one.recording} {one.at_ms / 1000:.2f} s {one.stage}: {one.around}")
    stages = Counter(one.stage for one in all_lost)
    print("lost by stage:", ", ".join(f"{stage} {count}" for stage, count in stages.most_common()))
    figures["lost_by_stage"] = json.dumps(stages)
    report.show("Words lost", columns, rows, figures, as_json=chosen.json)


def _judged(made: list[Recording], heard: list[Heard]) -> tuple[WordErrors, float]:
    total = WordErrors()
    for recording, one in zip(made, heard, strict=True):
        reference = normalized(" ".join(each.text for each in recording.said), recording.language)
        total += word_errors(reference, normalized(text_of(one.words), recording.language))
    return total, sum(one.seconds for one in heard)


def _options() -> argparse.Namespace:
    parser = report.parser(__doc__)
    parser.add_argument("model", help="a folder with a Whisper as CTranslate2 has it")
    parser.add_argument("--speech", type=Path, default=Path("../shared/speech"))
    parser.add_argument("--kinds", type=_list, default=list(KINDS))
    parser.add_argument("--groups", type=_list, default=["lsother"])
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _list(text: str) -> list[Any]:
    return text.split(",")


if __name__ == "__main__":
    main()
