"""Speech of which nothing was written, and where the words of a call stand."""

from types import SimpleNamespace

import numpy as np
import pytest

from bench.gpu_worker import undoubted
from gpu_job.common.audio import SAMPLES_PER_MS
from gpu_job.contract import SpeechRegion
from gpu_job.transcribe import batched_decoding
from gpu_job.transcribe.progress import TranscriptionProgress
from gpu_job.transcribe.raw_segments import raw_segment
from gpu_job.transcribe.transcriber import Transcriber
from tests.gpu_job.fake_device import OPTIONS, REGIONS, SURE, FakeDecoder, heard, model

AGAIN = "foi perdido"


@pytest.fixture
def losing(device, monkeypatch):
    """Windows lose their last six seconds; heard again, a stretch gives two words at its end."""
    card = device(loses_seconds=6)
    stretches = []

    class Losing(FakeDecoder):
        def _written(self, length_ms):
            if length_ms > 20_000:  # a window
                return super()._written(length_ms)
            stretches.append(length_ms)
            at = length_ms / 1000 - 5
            found = SimpleNamespace(start=at, end=at + 2, text=AGAIN, **SURE)
            return [raw_segment(found, 0)]

    monkeypatch.setattr(batched_decoding, "Decoder", lambda *_: Losing(card))
    return stretches


def test_work_that_stops_while_a_gap_is_mended_leaves_no_word_twice_to_the_next(losing, loud):
    worker, speech = Transcriber(model(), 16), TranscriptionProgress()
    whole = heard(worker)
    losing.clear()

    def stop_in_the_second_call(_done_ms):
        if len(losing) > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        heard(worker, speech=speech, progress=stop_in_the_second_call)
    heard(worker, speech=speech)

    assert speech.segments == whole.segments
    assert speech.warnings == whole.warnings


def test_speech_without_a_word_is_heard_again_and_told_of(losing, loud):
    done = []

    speech = heard(Transcriber(model(), 16), progress=done.append)

    assert done == sorted(done)
    assert len(losing) == len(REGIONS)
    texts = " ".join(segment.text for segment in speech.segments)
    assert texts.count(AGAIN) == len(REGIONS)
    assert [warning.code for warning in speech.warnings] == ["heard_again"] * len(REGIONS)
    assert [s.start_ms for s in speech.segments] == sorted(s.start_ms for s in speech.segments)


def test_speech_without_a_word_both_times_is_told_as_such(device, loud, monkeypatch):
    card = device(loses_seconds=6)

    class Deaf(FakeDecoder):
        def _written(self, length_ms):
            return super()._written(length_ms) if length_ms > 20_000 else []

    monkeypatch.setattr(batched_decoding, "Decoder", lambda *_: Deaf(card))

    speech = heard(Transcriber(model(), 16))

    assert {warning.code for warning in speech.warnings} == {"no_words_heard"}
    assert all("two passes found no words in it" in each.message for each in speech.warnings)


def test_a_gap_in_which_the_detector_hears_nothing_costs_nothing(device):
    device(loses_seconds=6)

    speech = heard(Transcriber(model(), 16))  # it cannot be asked once more

    assert speech.warnings == []


def test_short_breaths_are_no_gaps(device, loud):
    device(loses_seconds=0.2)

    assert heard(Transcriber(model(), 16)).warnings == []


def test_without_word_times_words_are_spread_over_their_segment(device):
    device()

    speech = heard(
        Transcriber(model(), 16), options=OPTIONS.model_copy(update={"word_times": False})
    )

    words = [word for segment in speech.segments for word in segment.words]
    assert len(words) > 20 * len(REGIONS)
    assert all(word.start_ms <= word.end_ms for word in words)
    assert words[0].probability == pytest.approx(0.8187, abs=1e-4)


def test_words_of_two_channels_are_told_in_order_of_time(device):
    device()
    regions = [SpeechRegion(start_ms=2_000 * c, end_ms=25_000, channel=c) for c in (0, 1)]
    speech, samples = TranscriptionProgress(), np.zeros((2, 25_000 * SAMPLES_PER_MS), np.int16)

    Transcriber(model(), 16).transcribe(samples, tuple(regions), OPTIONS, speech, lambda _: None)

    starts = [segment.start_ms for segment in speech.segments]
    assert starts == sorted(starts)
    assert len(set(starts)) == len(starts) > 2


def test_every_region_has_its_words_in_the_time_of_the_recording(device):
    device()

    speech = heard(Transcriber(model(), 16))

    starts = [segment.start_ms for segment in speech.segments]
    for region in REGIONS:
        assert any(region.start_ms - 1_000 <= start < region.end_ms for start in starts)


def test_the_benchmark_of_cards_hears_every_window_once(device, loud):
    card = device(loses_seconds=6)

    with undoubted():
        speech = heard(Transcriber(model(), 16))

    assert sum(card.decoded) == len(REGIONS)
    assert speech.warnings == []
