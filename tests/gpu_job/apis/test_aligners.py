"""Times for words where an API gives none: by a real Whisper, or in proportion to the letters."""

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpu_job.apis.aligner import ProportionalAligner, spread
from gpu_job.apis.whisper_aligner import WhisperAligner
from gpu_job.common.settings import WorkerSettings

SCRIPT = Path(__file__).resolve().parents[3] / "demo/recordings/english-2-voices.txt"
WORDS = st.lists(
    st.tuples(st.text("abc", min_size=1, max_size=9), st.just(value=False)), max_size=40
)
GAPS = st.lists(st.tuples(st.integers(0, 2_000), st.integers(100, 9_000)), min_size=1, max_size=8)


def spans_of(gaps):
    at, found = 0, []
    for gap, length in gaps:
        found.append((at + gap, at + gap + length))
        at += gap + length
    return found


@given(WORDS, GAPS)
def test_spread_words_are_in_order_and_never_in_a_pause(written, gaps):
    speech = spans_of(gaps)

    words = spread(written, speech)

    assert [word.text for word in words] == [text for text, _ in written]
    starts = [word.start_ms for word in words]
    assert starts == sorted(starts)
    for word in words:
        assert any(low <= word.start_ms <= word.end_ms <= high for low, high in speech)


def test_longer_words_get_more_time():
    short, long = spread([("a", False), ("abcdefghi", False)], [(1_000, 2_000)])

    assert (short.start_ms, short.end_ms, long.start_ms, long.end_ms) == (
        1_000,
        1_100,
        1_100,
        2_000,
    )


@pytest.fixture(scope="module")
def aligner(real_whisper):
    settings = WorkerSettings(models=Path("none"), align_model=str(real_whisper))
    return WhisperAligner.load(settings)


@pytest.fixture(scope="module")
def sentence():
    """The first sentences of the demo, as int16 at 16 kHz, with their words and true pause."""
    path = SCRIPT.with_suffix(".mp3")
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        blocks = [
            block.to_ndarray().reshape(-1)
            for frame in [*container.decode(audio=0), None]
            for block in resampler.resample(frame)
        ]
    sound = np.concatenate(blocks)[: 6_400 * 16]
    text = "Good morning everyone. Welcome to the first meeting. Hello Anna, good morning."
    return sound, text, [(226, 1_630), (2_306, 4_062), (4_578, 6_174)]


def test_a_real_whisper_finds_when_the_words_of_a_text_are_said(aligner, sentence):
    sound, text, speech = sentence

    found = aligner.align(sound, text, "en", speech)

    assert found.by == "aligned"
    assert [word.text for word in found.words] == text.split()
    firsts = [found.words[i].start_ms for i in (0, 3, 8)]  # of each sentence
    assert all(abs(at - low) < 250 for at, (low, _) in zip(firsts, speech, strict=True))


def test_it_is_nearer_than_proportion(aligner, sentence):
    sound, text, speech = sentence
    truth = [low for low, _ in speech]

    def error(words):
        return sum(abs(words[i].start_ms - low) for i, low in zip((0, 3, 8), truth, strict=True))

    aligned = aligner.align(sound, text, "en", [(0, 6_400)])
    estimated = ProportionalAligner().align(sound, text, "en", [(0, 6_400)])

    assert error(aligned.words) < error(estimated.words)


@pytest.mark.parametrize(("language", "text"), [("xx", "hello"), ("en", "word " * 600)])
def test_what_the_model_cannot_align_is_estimated(aligner, sentence, language, text):
    sound, _, speech = sentence

    found = aligner.align(sound, text, language, speech)

    assert (found.by, len(found.words)) == ("estimated", len(text.split()))


def test_an_empty_text_has_no_words(aligner, sentence):
    assert aligner.align(sentence[0], " ", "en", sentence[2]).words == ()


def test_a_segment_without_sound_is_estimated(aligner, sentence):
    found = aligner.align(sentence[0][:0], "hello", "en", [(0, 0)])

    assert (found.by, [word.text for word in found.words]) == ("estimated", ["hello"])
