"""Progress of a run: bars in a terminal, elsewhere one line of JSON for each recording."""

import threading
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from assets.recordings.progress import RecordingOutcome
from cli.cli_context import original_stream
from escriba.recordings import Recording
from escriba.stages import DIARIZED_TRANSCRIPT, OPTIMIZED_AUDIO, TRANSCRIPT
from escriba.text_for.json_text import json_text
from escriba.text_for.plain_lines import terminal_line

_VERBS = {
    OPTIMIZED_AUDIO: "listening to",
    TRANSCRIPT: "transcribing",
    DIARIZED_TRANSCRIPT: "finding speakers",
}
_NAME_WIDTH = 30  # leaves room for the bar and the numbers on a line of 80


class OutcomeCollector:
    """Collects outcomes without showing them; base class of both displays."""

    def __init__(self) -> None:
        self.outcomes: list[RecordingOutcome] = []

    def display(self) -> AbstractContextManager[object]:
        """Return a context manager that shows progress while its block runs."""
        return nullcontext()

    def working(self, recording: Recording, stage: str, done_ms: int, audio_ms: int | None) -> None:
        """Ignore progress within a recording."""

    def finished(self, outcome: RecordingOutcome) -> None:
        """Keep the outcome for the summary."""
        self.outcomes.append(outcome)

    def waiting(self, sentence: str) -> None:
        """Print it on standard error, which is free also with --json."""
        original_stream(2).write(f"{sentence}\n")


class JsonLines(OutcomeCollector):
    """Prints one line of JSON on standard error for each recording, for logs."""

    def __init__(self) -> None:
        super().__init__()
        self._stream = original_stream(2)

    def finished(self, outcome: RecordingOutcome) -> None:
        """Print the outcome immediately."""
        super().finished(outcome)
        failed = outcome.failed
        event = "done" if failed is None else "deferred" if failed.is_deferred else "failed"
        line: dict[str, object] = {
            "at": datetime.now(UTC).isoformat(),
            "level": "warning" if event == "failed" else "info",
            "event": event,
            "recording": outcome.recording.name,
            "stages": {made.stage: round(made.seconds, 3) for made in outcome.made},
            "reused": [made.stage for made in outcome.made if made.reused],
        }
        if outcome.warnings:
            line["warnings"] = [warning.model_dump() for warning in outcome.warnings]
        if failed is not None:
            line |= {"stage": failed.stage, "code": failed.code, "message": failed.message}
        self._write(line)

    def waiting(self, sentence: str) -> None:
        """Print it as an event of its own."""
        at = datetime.now(UTC).isoformat()
        self._write({"at": at, "level": "warning", "event": "waiting", "message": sentence})

    def _write(self, line: dict[str, object]) -> None:
        self._stream.write(json_text(line) + "\n")


class _SpeedColumn(ProgressColumn):
    """Shows seconds of audio done, and the speed as a multiple of real time."""

    def render(self, task: Task) -> Text:
        if task.fields.get("overall"):
            return Text(f"{task.completed:.0f} of {task.total:.0f} recordings")
        done = task.completed / 1000
        elapsed = task.elapsed or 0
        speed = f"{done / elapsed:4.0f}× real time" if elapsed > 0 and done else ""
        return Text(f"{done:6,.0f} s of audio {speed}")


class ProgressBars(OutcomeCollector):
    """Shows a bar for all recordings, and one for each recording in progress."""

    def __init__(self, console: Console, total: int) -> None:
        super().__init__()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(14),
            _SpeedColumn(),
            console=console,
        )
        self._overall = self._progress.add_task(_fit("all recordings"), total=total, overall=True)
        self._tasks: dict[Recording, tuple[str, TaskID]] = {}
        self._lock = threading.Lock()

    def display(self) -> AbstractContextManager[object]:
        """Return the live bars."""
        return self._progress

    def working(self, recording: Recording, stage: str, done_ms: int, audio_ms: int | None) -> None:
        """Advance the recording's bar; hidden while it waits, since its speed would seem low."""
        if not done_ms:
            return
        with self._lock:
            shown, task = self._tasks.get(recording, ("", None))
            if task is None or shown != stage:
                self._remove(recording)
                task = self._progress.add_task(_label(stage, recording), total=audio_ms)
                self._tasks[recording] = (stage, task)
            self._progress.update(task, completed=done_ms)
            if stage == OPTIMIZED_AUDIO and audio_ms and done_ms >= audio_ms:
                self._remove(recording)
            elif stage == TRANSCRIPT and audio_ms and done_ms >= audio_ms:
                self._progress.update(task, description=_label(DIARIZED_TRANSCRIPT, recording))

    def finished(self, outcome: RecordingOutcome) -> None:
        """Remove the recording's bar, and advance the bar of all recordings."""
        super().finished(outcome)
        with self._lock:
            self._remove(outcome.recording)
            self._progress.advance(self._overall)

    def waiting(self, sentence: str) -> None:
        """Print it above the bars."""
        self._progress.console.print(Text(sentence, "yellow"))

    def _remove(self, recording: Recording) -> None:
        _, task = self._tasks.pop(recording, ("", None))
        if task is not None:
            self._progress.remove_task(task)


def _label(stage: str, recording: Recording) -> str:
    return _fit(f"{_VERBS.get(stage, stage)} {recording.path}")


def _fit(text: str) -> str:
    line = terminal_line(text)
    cut = line if len(line) <= _NAME_WIDTH else f"{line[: _NAME_WIDTH - 1]}…"
    return cut.ljust(_NAME_WIDTH)
