"""What the bars of a run tell, at a moment that the test chooses."""

import io

import pytest
from rich.console import Console

from assets.recordings.progress import RecordingOutcome
from cli.runs.progress_bars import ProgressBars
from escriba.recordings import Recording
from escriba.stages import OPTIMIZED_AUDIO, TRANSCRIPT

TALK = Recording("acme", "talk.mp3")


@pytest.fixture
def shown():
    """Bars of two recordings on a terminal of 80 columns, and the text there at `now`."""
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    bars, now = ProgressBars(terminal, 2), [1000.0]
    bars._progress.get_time = lambda: now[0]

    def at(seconds):
        now[0] = 1000.0 + seconds
        terminal.print(bars._progress.get_renderable())
        text = terminal.file.getvalue()
        terminal.file.truncate(0)
        return text

    return bars, at


def test_a_bar_tells_the_seconds_of_audio_and_how_much_faster_than_real_time(shown):
    bars, at = shown
    bars.working(TALK, OPTIMIZED_AUDIO, 1_000, 60_000)
    bars.working(TALK, TRANSCRIPT, 1_000, 45_000)

    bars.working(TALK, TRANSCRIPT, 30_000, 45_000)

    text = at(seconds=2)
    assert "transcribing talk.mp3" in text
    assert "30 s of audio   15× real time" in text
    assert "listening" not in text


def test_when_all_is_heard_the_speakers_are_looked_for(shown):
    bars, at = shown
    bars.working(TALK, TRANSCRIPT, 45_000, 45_000)

    assert "finding speakers talk.mp3" in at(seconds=1)


def test_a_recording_that_is_over_counts_and_has_no_bar(shown):
    bars, at = shown
    bars.working(TALK, TRANSCRIPT, 1_000, 45_000)
    bars.finished(RecordingOutcome(TALK))

    text = at(seconds=1)
    assert "1 of 2 recordings" in text
    assert "talk.mp3" not in text
