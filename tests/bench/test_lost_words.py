"""The tool that says where a lost word was lost (bench/lost_words.py)."""

import pytest

from bench.lost_words import lost_words, stage_of
from bench.speech_sets import Recording, Said
from bench.speech_ways import Heard, Written
from bench.word_places import Placed
from gpu_job.contract import JobWarning, SpeechRegion
from gpu_job.transcribe.removed_words import FilteredWindow
from gpu_job.transcribe.windows import laid_out

WINDOW = laid_out(0, [(1_000, 9_500), (9_500, 15_000)])
REGIONS = (SpeechRegion(start_ms=1_200, end_ms=19_800),)


def heard(*words, warnings=()):
    written = [Written(at, at + 300, f" {text}") for at, text in words]
    return Heard(
        written,
        1.0,
        regions=REGIONS,
        windows=[(WINDOW, FilteredWindow((), ()))],
        warnings=list(warnings),
    )


def warning(code, start_ms, end_ms, text=""):
    return JobWarning(code=code, message="", start_ms=start_ms, end_ms=end_ms, text=text)


@pytest.mark.parametrize(
    ("at_ms", "warnings", "stage"),
    [
        (300, [], "detector"),
        (9_400, [], "cut"),
        (700, [], "detector"),
        (7_000, [], "decoder"),
        (7_000, [warning("no_words_heard", 6_000, 9_000)], "heard again"),
        (7_000, [warning("no_speech", 6_900, 7_400, "The plan.")], "removed: no_speech"),
        (7_000, [warning("no_speech", 3_000, 4_000, "The plan.")], "decoder"),
        (7_000, [warning("no_speech", 6_900, 7_400, "Thank you.")], "decoder"),
    ],
)
def test_the_first_stage_at_which_a_word_is_gone_is_told(at_ms, warnings, stage):
    word = Placed(at_ms, at_ms + 300, "plan", "en")

    assert stage_of(word, heard(warnings=warnings)) == stage


def test_lost_words_are_those_that_no_written_word_stands_for():
    said = [Placed(2_000 + 400 * i, 2_400 + 400 * i, text, "en") for i, text in enumerate("abcd")]
    recording = Recording("r", "en", None, (Said(2_000, 3_600, "a b c d"),))

    found = list(lost_words(recording, heard((2_000, "a"), (2_400, "x"), (3_200, "d")), said))

    assert [(one.word, one.at_ms) for one in found] in ([("c", 2_800)], [("b", 2_400)])
    assert found[0].around.count("[") == 1
