"""Times of words against a forced alignment of what was really said.

`python -m bench.word_times --speech FOLDER [--quick] [--json] [--model FOLDER]`. The clips of each
set are joined with pauses of one to three seconds and go through the pipeline's detector and the
worker. Apart from that, the same model aligns the true reference with each clip by itself; a word
is compared where both have it. Told are the median and the 95th percentile of the distance of
their starts and ends, and how many words cannot be true: without length, out of order, or over
more than a second of a pause.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from bench import report
from bench.speech_sets import RATE_HZ, Recording, Said, recordings
from bench.speech_ways import Written, asked, ours
from gpu_job.transcribe.repetition_loops import bare

LONG_PAUSE_MS = 1_000
BARS = {"median_ms": 120, "impossible": 0}


@dataclass(frozen=True)
class Found:
    """Distances (ms) of the words that both have, and how many words cannot be true."""

    starts_ms: list[int]
    ends_ms: list[int]
    impossible: int


def compared(model: Any, recording: Recording) -> Found:  # noqa: ANN401
    """The words of one joined recording against those of its clips."""
    words = ours(model, recording).words
    true = [word for said in recording.said for word in aligned(model, recording, said)]
    pairs = list(_pairs(true, words))
    return Found(
        [abs(one.start_ms - other.start_ms) for one, other in pairs],
        [abs(one.end_ms - other.end_ms) for one, other in pairs],
        impossible(words, recording),
    )


def aligned(model: Any, recording: Recording, said: Said) -> Iterator[Written]:  # noqa: ANN401
    """The reference of a clip, word by word, where the model's attention finds it."""
    from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415

    sound = recording.sound[said.start_ms * 16 : said.end_ms * 16].astype(np.float32) / 32_768
    sound = sound[: 30 * RATE_HZ]
    spectrogram = model.feature_extractor(sound)[:, :3_000]
    filled = np.full((spectrogram.shape[0], 3_000), spectrogram.min(), np.float32)
    filled[:, : spectrogram.shape[1]] = spectrogram
    tokenizer = Tokenizer(
        model.hf_tokenizer, multilingual=True, task="transcribe", language=recording.language
    )
    tokens = [*tokenizer.encode(f" {said.text}")]
    [found] = model.find_alignment(
        tokenizer, [tokens], model.encode(filled), max(2, len(sound) // 160)
    )
    for word in found:
        low, high = (round(1000 * word[edge]) + said.start_ms for edge in ("start", "end"))
        yield Written(low, high, word["word"])


def impossible(words: Sequence[Written], recording: Recording) -> int:
    """Words without length, before the one before, outside of the file, or over a long pause."""
    end_ms = len(recording.sound) * 1000 // RATE_HZ
    count = sum(not 0 <= word.start_ms < word.end_ms <= end_ms for word in words)
    count += sum(other.start_ms < one.start_ms for one, other in itertools.pairwise(words))
    pauses = [(one.end_ms, other.start_ms) for one, other in itertools.pairwise(recording.said)]
    return count + sum(
        min(word.end_ms, high) - max(word.start_ms, low) > LONG_PAUSE_MS
        for word in words
        for low, high in pauses
    )


def _pairs(true: Sequence[Written], words: Sequence[Written]) -> Iterator[tuple[Written, Written]]:
    one, other = ([bare(word.text) for word in side] for side in (true, words))
    for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        for i in range(block.size):
            yield true[block.a + i], words[block.b + i]


def main() -> None:
    options, model, clips = asked(__doc__)
    rows, starts, ends, wrong = [], list[int](), list[int](), 0
    for recording in recordings(clips, "gaps"):
        found = compared(model, recording)
        starts, ends, wrong = (
            starts + found.starts_ms,
            ends + found.ends_ms,
            wrong + found.impossible,
        )
        rows.append([recording.name, *_figures(found.starts_ms, found.ends_ms), found.impossible])
    rows.append(["all", *_figures(starts, ends), wrong])
    columns = ["set", "words", "start, median ms", "p95", "end, median ms", "p95", "impossible"]
    figures = {"median_ms": float(np.median(starts)), "impossible": wrong}
    report.show(
        "Times of words against a forced alignment", columns, rows, figures, as_json=options.json
    )
    for name, bar in BARS.items():
        print(f"{name}: {figures[name]:.4g} (bar {bar})")


def _figures(starts: Sequence[int], ends: Sequence[int]) -> list[object]:
    return [
        len(starts),
        *(round(float(np.percentile(side, part))) for side in (starts, ends) for part in (50, 95)),
    ]


if __name__ == "__main__":
    main()
