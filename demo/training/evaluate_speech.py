"""Measures a speech model with stock faster-whisper, under several settings of its caller."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.transcribe import Segment

from demo.training.grammar import bare_words
from demo.training.scores import word_errors
from demo.training.unseen import Plan, Recording, recordings

CLOSE_SECONDS = 0.3
STEADY = {"temperature": 0, "condition_on_previous_text": False}
RECOMMENDED = STEADY | {"beam_size": 5, "vad_filter": True, "word_timestamps": True}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "defaults": {},
    "beam_size=1, temperature=0": {"beam_size": 1, "temperature": 0},
    "recommended": RECOMMENDED,
    "recommended, beam_size=1": RECOMMENDED | {"beam_size": 1},
    "temperature=0, condition_on_previous_text=False": STEADY,
    "+ word_timestamps": STEADY | {"word_timestamps": True},
    "+ vad_filter": STEADY | {"vad_filter": True},
    "batched, batch_size=8": {"batch_size": 8},
    "batched, batch_size=8, without_timestamps=False": {
        "batch_size": 8,
        "without_timestamps": False,
    },
}
QUICK = ("beam_size=1, temperature=0", "recommended", "batched, batch_size=8")
HEADER = """\
| settings | WER en | WER pt | segments | start within 0.3 s | end within 0.3 s | CPU s / audio s |
|---|---|---|---|---|---|---|"""


@dataclass
class Tally:
    """What one setting got right and wrong over all recordings."""

    wrong: dict[str, int] = field(default_factory=lambda: {"en": 0, "pt": 0})
    words: dict[str, int] = field(default_factory=lambda: {"en": 0, "pt": 0})
    found: int = 0
    said: int = 0
    starts: list[float] = field(default_factory=list)  # seconds to the nearest segment's start
    ends: list[float] = field(default_factory=list)
    audio_seconds: float = 0.0
    cpu_seconds: float = 0.0

    def add(self, recording: Recording, segments: list[Segment], cpu_seconds: float) -> None:
        """Take in one recording."""
        reference = bare_words(" ".join(one.text for one in recording.said))
        heard = bare_words(" ".join(segment.text for segment in segments))
        self.wrong[recording.language] += word_errors(reference, heard)
        self.words[recording.language] += len(reference)
        self.found, self.said = self.found + len(segments), self.said + len(recording.said)
        self.audio_seconds += recording.seconds
        self.cpu_seconds += cpu_seconds
        for one in recording.said if segments else ():
            self.starts.append(min(abs(s.start - one.start_seconds) for s in segments))
            self.ends.append(min(abs(s.end - one.end_seconds) for s in segments))

    def row(self, name: str) -> str:
        """One row of the table."""
        rates = " | ".join(f"{self.wrong[lang] / self.words[lang]:.3f}" for lang in ("en", "pt"))
        cpu = self.cpu_seconds / self.audio_seconds
        return (
            f"| {name} | {rates} | {self.found} of {self.said} | {_close(self.starts):.2f} "
            f"| {_close(self.ends):.2f} | {cpu:.3f} |"
        )


def _close(distances: list[float]) -> float:
    """The share within CLOSE_SECONDS; of none, 0."""
    return sum(d < CLOSE_SECONDS for d in distances) / max(1, len(distances))


class SpeechModel:
    """The model under test, one thread, int8."""

    def __init__(self, folder: Path) -> None:
        self.plain = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
        self.batched = BatchedInferencePipeline(self.plain)

    def segments(self, recording: Recording, settings: Mapping[str, Any]) -> list[Segment]:
        """What the model hears, its language given."""
        model = self.batched if "batch_size" in settings else self.plain
        found, _ = model.transcribe(recording.audio, language=recording.language, **settings)
        return list(found)

    def measure(self, made: list[Recording], settings: Mapping[str, Any]) -> Tally:
        """All recordings under one setting."""
        tally = Tally()
        for recording in made:
            started = time.process_time()
            segments = self.segments(recording, settings)
            tally.add(recording, segments, time.process_time() - started)
        return tally


def speech_plan(*, quick: bool, repeats: bool, seed: int) -> Plan:
    """11 minutes in eight recordings, or 4 minutes in four."""
    count, sentences = (2, 24) if quick else (4, 36)
    return Plan(count, sentences, seed, repeats=repeats)


def print_speech(folder: Path, plan: Plan, *, quick: bool) -> None:
    """Print one row for each setting; `quick` for three of them."""
    model, made = SpeechModel(folder), recordings(plan)
    minutes = sum(recording.seconds for recording in made) / 60
    print(f"{len(made)} recordings, {minutes:.1f} min\n\n{HEADER}")
    for name in QUICK if quick else SETTINGS:
        print(model.measure(made, SETTINGS[name]).row(name), flush=True)
    if not quick:
        _print_languages(model, made)


def _print_languages(model: SpeechModel, made: list[Recording]) -> None:
    """Whether each recording's language is found, from 0, 20 and 40 s on."""
    right, chances = 0, []
    for recording in made:
        for seconds in (0, 20, 40):
            _, info = model.plain.transcribe(recording.audio[16_000 * seconds :], temperature=0)
            right += info.language == recording.language
            chances.append(info.language_probability)
    print(f"\nlanguage found: {right} of {len(chances)}, probability {min(chances):.2f} or more")
