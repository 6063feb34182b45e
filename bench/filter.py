"""Both faults of the filter: words where there is no speech, and true words that were removed.

`python -m bench.filter [--quick] [--json] [--model FOLDER] [--speech FOLDER]`. The worker's
transcriber with a real Whisper, after the detector as the pipeline runs it. Without words: sounds
of bench/speechless.py. With words: each set of the folder's manifest, joined with pauses of one to
three seconds, clean, 30 and 40 dB quieter, and from the far end of a room (bench/rooms.py). A true
word is one that the model wrote and the best alignment with the reference confirms. The cost is
the CPU time of believing, mending left out, for each second of transcribing.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from bench import report, rooms, speechless
from bench.speech_sets import Clip, Recording, decoded, recordings
from bench.speech_ways import asked, ours
from bench.word_errors import matched, normalized

BARS = {"words_on_no_speech": 0, "true_words_removed_share": 0.001, "extra_time_share": 0.05}
SILENT_LANGUAGE = ""  # detected, as a user gets it who sets nothing

Change = Callable[[speechless.Sound], speechless.Sound]


@dataclass
class Judged:
    """Words of one kind of clip or one condition of a set."""

    kind: str
    clips: int = 0
    said: int = 0
    kept: int = 0
    removed: int = 0
    true_removed: int = 0
    true_kept: int = 0

    def add(self, recording: Recording, windows: Iterable[tuple[Any, Any]]) -> None:
        """Count the words of a recording, kept and removed, in order of time."""
        told: list[tuple[int, str, bool]] = []
        for window, believed in windows:
            for segment in believed.segments:
                told += [(_at(window, word), word.text, False) for word in segment.words]
            for gone in believed.removals:
                told += [(_at(window, word), word.text, True) for word in gone.words]
        said = normalized(" ".join(one.text for one in recording.said), recording.language or "en")
        written: list[str] = []
        is_removed: list[bool] = []
        for _, text, gone in sorted(told, key=lambda one: one[0]):
            words = normalized(text, recording.language or "en")
            written += words
            is_removed += [gone] * len(words)
        true = [is_removed[i] for i in matched(said, written)]
        self.clips += 1
        self.said += len(said)
        self.removed += sum(is_removed)
        self.kept += len(written) - sum(is_removed)
        self.true_removed += sum(true)
        self.true_kept += len(true) - sum(true)


def _at(window: Any, word: Any) -> int:  # noqa: ANN401
    return int(window.recording_span(word.start_ms, word.end_ms)[0])


def silent_recordings(clips: list[Clip], *, quick: bool) -> Iterator[tuple[str, Recording]]:
    """Sounds without words, each with its kind."""
    voices: dict[str, list[speechless.Sound]] = {}
    for clip in clips:
        voices.setdefault(clip.group, []).append(decoded(clip.path) / 32_768)
    for made in speechless.clips(voices, quick=quick):
        yield made.kind, Recording(made.name, SILENT_LANGUAGE, _int16(made.sound), ())


def spoken_recordings(clips: list[Clip], *, quick: bool) -> Iterator[tuple[str, Recording]]:
    """Each set in each condition, with the name of the condition."""
    dice = np.random.default_rng(1)
    conditions: dict[str, Change] = {"clean": lambda sound: sound}
    if not quick:
        conditions["-30 dB"] = lambda sound: rooms.quieter(sound, 30)
        conditions["-40 dB"] = lambda sound: rooms.quieter(sound, 40)
        conditions["far, 0.6 s"] = lambda sound: rooms.far(sound, dice, reverberation_s=0.6)
    conditions["far, 0.8 s"] = lambda sound: rooms.far(sound, dice)
    for recording in recordings(clips, "gaps"):
        for name, change in conditions.items():
            changed = _int16(change(recording.sound / 32_768))
            yield name, replace(recording, sound=changed)


def main() -> None:
    options, model, clips = asked(__doc__)
    silent: dict[str, Judged] = {}
    spoken: dict[str, Judged] = {}
    seconds = believing = 0.0
    for sums, made in (
        (silent, silent_recordings(clips, quick=options.quick)),
        (spoken, spoken_recordings(clips, quick=options.quick)),
    ):
        for kind, recording in made:
            with _believing() as spent:
                heard = ours(model, recording)
            sums.setdefault(kind, Judged(kind)).add(recording, heard.windows)
            if kind == "clean":
                seconds, believing = seconds + heard.seconds, believing + spent[0]
    _tell(silent, spoken, believing / seconds if seconds else 0.0, as_json=options.json)


def _tell(
    silent: dict[str, Judged], spoken: dict[str, Judged], extra: float, *, as_json: bool
) -> None:
    true = sum(one.true_removed + one.true_kept for one in spoken.values())
    figures: dict[str, object] = {
        "words_on_no_speech": sum(one.kept for one in silent.values()),
        "true_words_removed": sum(one.true_removed for one in spoken.values()),
        "true_words_removed_share": sum(one.true_removed for one in spoken.values()) / max(true, 1),
        "extra_time_share": round(extra, 4),
    }
    rows = [
        [one.kind, one.clips, one.said, one.true_kept, one.kept, one.removed, one.true_removed]
        for one in (*silent.values(), *spoken.values())
    ]
    columns = ["kind", "clips", "said", "true", "kept", "removed", "true removed"]
    report.show("Both faults of the filter, in words", columns, rows, figures, as_json=as_json)
    for name, bar in BARS.items():
        print(f"{name}: {figures[name]:.4g} (bar {bar})")


@contextmanager
def _believing() -> Iterator[list[float]]:
    """CPU seconds that `filter_window` takes, its questions to the model among them."""
    heard_call: Any = import_module("gpu_job.transcribe.decoded_batch")
    plain, spent = heard_call.filter_window, [0.0]

    def timed(*arguments: Any) -> Any:  # noqa: ANN401
        since = time.process_time()
        try:
            return plain(*arguments)
        finally:
            spent[0] += time.process_time() - since

    heard_call.filter_window = timed
    try:
        yield spent
    finally:
        heard_call.filter_window = plain


def _int16(sound: speechless.Sound) -> Any:  # noqa: ANN401
    return (np.clip(sound, -1, 1) * 32_767).astype(np.int16)


if __name__ == "__main__":
    main()
