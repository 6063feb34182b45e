import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escriba.audio.speech_regions import WINDOW_MS, RegionFinder, RegionOptions
from gpu_job.contract import SpeechRegion

PROBABILITIES = st.lists(
    st.one_of(st.floats(0, 1, width=32), st.sampled_from([0.0, 0.34, 0.4, 0.5, 0.99])),
    max_size=200,
)


def regions(probabilities, audio_ms=None, options=None):
    finder = RegionFinder(options)
    finder.feed(probabilities)
    return finder.finish(len(probabilities) * WINDOW_MS if audio_ms is None else audio_ms)


def bounds(found):
    return [(region.start_ms, region.end_ms) for region in found]


@given(PROBABILITIES, st.lists(st.integers(0, 40), max_size=10))
def test_chunks_give_the_same_regions_as_the_whole(probabilities, cuts):
    finder, position = RegionFinder(), 0
    for cut in cuts:
        finder.feed(probabilities[position : position + cut])
        position += cut
    finder.feed(probabilities[position:])
    assert finder.finish(len(probabilities) * WINDOW_MS) == regions(probabilities)


@given(PROBABILITIES, st.integers(0, 31), st.integers(0, 100), st.integers(0, 500))
def test_regions_are_in_order_apart_and_within_the_recording(probabilities, less, pad, silence):
    audio_ms = max(0, len(probabilities) * WINDOW_MS - less)
    options = RegionOptions(pad_ms=pad, min_silence_ms=silence)
    found = bounds(regions(probabilities, audio_ms, options))
    edges = [edge for region in found for edge in region]
    assert edges == sorted(edges)
    assert all(start < end for start, end in found)
    assert all(0 <= edge <= audio_ms for edge in edges)


def reference(probabilities, audio_samples, options, monkeypatch):
    """faster-whisper's own answer to the same probabilities, in ms."""
    from faster_whisper import vad  # noqa: PLC0415 - takes a second to import

    with monkeypatch.context() as patch:
        patch.setattr(vad, "get_vad_model", lambda: lambda _: np.array(probabilities, np.float32))
        found = vad.get_speech_timestamps(
            np.zeros(audio_samples, np.float32),
            threshold=options.threshold,
            neg_threshold=options.end_threshold,
            min_silence_duration_ms=options.min_silence_ms,
            min_speech_duration_ms=options.min_speech_ms,
            speech_pad_ms=options.pad_ms,
        )
    return [(region["start"] // 16, region["end"] // 16) for region in found]


def test_random_probabilities_give_the_regions_of_faster_whisper(monkeypatch):
    random = np.random.default_rng(5)
    for _ in range(300):
        length = int(random.integers(1, 300))
        steps = random.normal(0, 0.25, length).cumsum()
        probabilities = (np.abs(steps) % 1).astype(np.float32).tolist()
        options = RegionOptions(
            min_silence_ms=int(random.integers(0, 300)),
            min_speech_ms=int(random.integers(0, 300)),
            pad_ms=int(random.integers(0, 200)),
        )
        samples = length * 512 - int(random.integers(1, 512))
        expected = reference(probabilities, samples, options, monkeypatch)
        assert bounds(regions(probabilities, samples // 16, options)) == expected


@pytest.mark.parametrize("count", [0, 1, 500])
def test_silence_has_no_regions(count):
    assert regions([0.01] * count) == ()


def test_speech_to_the_very_end_is_cut_at_the_recording_s_length():
    assert bounds(regions([0.9] * 10, audio_ms=311)) == [(0, 311)]


def test_a_pause_shorter_than_the_least_silence_joins():
    talk, pause = [0.9] * 10, [0.1]
    assert len(regions(talk + pause * 3 + talk)) == 1
    assert bounds(regions(talk + pause * 5 + talk)) == [(0, 350), (450, 800)]


def test_a_click_is_no_speech():
    assert regions([0.0] * 10 + [0.9] * 3 + [0.0] * 10) == ()


def test_a_region_knows_its_channel():
    finder = RegionFinder()
    finder.feed([0.9] * 10)
    assert finder.finish(320, channel=3) == (SpeechRegion(start_ms=0, end_ms=320, channel=3),)
