"""Calls of windows: how the work goes on when a device, or the batched pipeline, fails."""

from types import SimpleNamespace

import faster_whisper
import numpy as np
import pytest

from gpu_job.audio import SAMPLES_PER_MS
from gpu_job.card import Card, Memory
from gpu_job.contract import JobOptions, SpeechRegion
from gpu_job.errors import OutOfMemoryError
from gpu_job.speech import batches, hearing
from gpu_job.speech import model as whisper
from gpu_job.speech.batches import WINDOWS_A_CALL, Batches
from gpu_job.speech.so_far import Speech
from gpu_job.speech.transcriber import Transcriber

OPTIONS = JobOptions(model="demo", language="pt")
MINUTES = 30
WINDOW_MS = 25_000
REGIONS = tuple(
    SpeechRegion(start_ms=at, end_ms=at + WINDOW_MS)
    for at in range(0, MINUTES * 60_000 - WINDOW_MS, WINDOW_MS + 2_000)
)
SAMPLES = np.zeros((1, MINUTES * 60_000 * SAMPLES_PER_MS), np.int16)
SURE = {"avg_logprob": -0.2, "no_speech_prob": 0.0, "compression_ratio": 1.0, "words": None}


class Pipeline:
    """Writes a word a second in each window, batch by batch, as the device lets it."""

    def __init__(self, device):
        self.device = device

    def transcribe(self, audio, *, clip_timestamps, batch_size, **_wishes):
        self.device.calls.append((len(clip_timestamps), batch_size))
        return self._found(clip_timestamps, batch_size), None

    def _found(self, clips, batch_size):
        for first in range(0, len(clips), batch_size):
            batch = clips[first : first + batch_size]
            self.device.decode(len(batch))
            for clip in batch:
                start, end = clip["start"], clip["end"] - self.device.loses_seconds
                text = " ".join(f"w{n}" for n in range(int(end - start)))
                yield SimpleNamespace(start=start, end=end, text=text, **SURE)


class Device:
    """A card that bears so many windows at once."""

    def __init__(self, bears=64, loses_seconds=0.0, seconds=0.0):
        self.bears, self.loses_seconds, self.seconds = bears, loses_seconds, seconds
        self.calls, self.decoded, self.clock = [], [], 0.0

    def decode(self, windows):
        if windows > self.bears:
            raise RuntimeError("CUDA failed with error out of memory")
        self.decoded.append(windows)
        self.clock += self.seconds


@pytest.fixture
def device(monkeypatch):
    def make(**how):
        card = Device(**how)
        monkeypatch.setattr(
            faster_whisper, "BatchedInferencePipeline", lambda _model: Pipeline(card)
        )
        monkeypatch.setattr(batches.time, "perf_counter", lambda: card.clock)
        return card

    return make


@pytest.fixture
def loud(monkeypatch):
    """The detector hears speech everywhere."""
    monkeypatch.setattr(hearing.WindowHearing, "__call__", lambda _self, a, b: b - a)


def model(**more):
    """As much of a WhisperModel as is asked of it here."""
    tokenizer = SimpleNamespace(token_to_id=lambda _token: 1)
    whisper = SimpleNamespace(is_multilingual=True)
    return SimpleNamespace(model=whisper, hf_tokenizer=tokenizer, **more)


def heard(worker, regions=REGIONS, options=OPTIONS, speech=None, progress=lambda _: None):
    speech = speech or Speech()
    worker.transcribe(SAMPLES, regions, options, speech, progress)
    return speech


def test_a_batch_that_does_not_fit_is_halved_and_nothing_is_lost(device):
    card = device(bears=10)
    worker = Transcriber(model(), 64)

    speech = heard(worker)

    assert worker.batch_windows == 8
    assert speech.windows_done == len(REGIONS)
    assert len({segment.start_ms for segment in speech.segments}) >= len(REGIONS)
    starts = [segment.start_ms for segment in speech.segments]
    assert starts == sorted(starts)
    assert len(starts) == len(set(starts))
    assert max(card.decoded) <= 10


def test_the_smaller_batch_is_remembered_for_the_next_job(device):
    device(bears=10)
    worker = Transcriber(model(), 64)
    heard(worker)
    card = device(bears=10)

    heard(worker)

    assert {batch for _, batch in card.calls} == {8}


def test_where_not_even_one_window_fits_the_job_fails_for_want_of_memory(device):
    device(bears=0)

    with pytest.raises(OutOfMemoryError, match="smaller MODEL"):
        heard(Transcriber(model(), 4))


def test_any_other_error_is_let_through(device, monkeypatch):
    card = device()
    monkeypatch.setattr(card, "decode", lambda _: (_ for _ in ()).throw(RuntimeError("broken")))

    with pytest.raises(RuntimeError, match="broken"):
        heard(Transcriber(model(), 4))


@pytest.mark.parametrize("batch", [1, 5, 8, 24, 64, 200])
def test_no_call_holds_the_features_of_more_than_64_windows(device, batch):
    card = device(bears=1_000)

    heard(Transcriber(model(), batch))

    assert max(windows for windows, _ in card.calls) <= WINDOWS_A_CALL
    assert Batches(None, batch).windows_a_call % min(batch, WINDOWS_A_CALL) == 0


def test_a_batch_that_takes_longer_than_the_fence_allows_is_made_smaller(device):
    card = device(seconds=50)

    heard(Transcriber(model(), 16))

    assert card.decoded[0] == 16
    assert card.decoded[-1] < 16


def test_the_work_stops_between_batches_and_what_is_done_stays_whole(device):
    device()
    speech, calls = Speech(), []

    def progress(done_ms):
        calls.append(done_ms)
        if speech.windows_done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        heard(Transcriber(model(), 16), speech=speech, progress=progress)

    assert speech.windows_done == 16
    assert all(s.end_ms <= REGIONS[16].start_ms for s in speech.segments)
    assert calls == sorted(calls)


def test_work_that_stops_while_a_gap_is_mended_leaves_no_word_twice_to_the_next(device, loud):
    device(loses_seconds=6)
    found = SimpleNamespace(start=0.5, end=5.0, text="foi perdido", **SURE)
    mended = []

    def plain(_audio, **_wishes):
        mended.append(1)
        return [found], None

    worker, speech = Transcriber(model(transcribe=plain), 16), Speech()
    whole = heard(worker)
    mended.clear()

    def stop_in_the_second_call(_done_ms):
        if len(mended) > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        heard(worker, speech=speech, progress=stop_in_the_second_call)
    heard(worker, speech=speech)

    assert speech.segments == whole.segments
    assert speech.warnings == whole.warnings


def test_progress_does_not_go_back_where_memory_runs_out_in_the_middle_of_a_call(
    device, monkeypatch
):
    card, done = device(), []
    decode, runs = card.decode, []

    def second_batch_does_not_fit(windows):
        runs.append(windows)
        if len(runs) == 2:
            raise RuntimeError("CUDA failed with error out of memory")
        decode(windows)

    monkeypatch.setattr(card, "decode", second_batch_does_not_fit)

    heard(Transcriber(model(), 8), progress=done.append)

    assert done == sorted(done)


def test_a_store_that_is_slow_to_keep_a_partial_makes_no_batch_smaller(device):
    card = device()

    def keeps(_done_ms):
        card.clock += 50

    worker = Transcriber(model(), 16)
    heard(worker, progress=keeps)

    assert worker.batch_windows == 16


def test_an_attempt_that_goes_on_tells_at_once_how_far_it_is(device):
    card = device()
    worker, speech, told = Transcriber(model(), 16), Speech(), []
    with pytest.raises(KeyboardInterrupt):
        heard(worker, speech=speech, progress=stop_after(speech, 32))
    card.calls.clear()

    heard(worker, speech=speech, progress=lambda ms: told.append((ms, len(card.calls))))

    assert told[0] == (pytest.approx(32 * WINDOW_MS, rel=0.05), 0)


def test_what_was_done_before_is_not_done_again(device):
    card = device()
    worker, speech = Transcriber(model(), 16), Speech()
    whole = heard(worker)
    card.calls.clear()

    with pytest.raises(KeyboardInterrupt):
        heard(worker, speech=speech, progress=stop_after(speech, 32))
    heard(worker, speech=speech)

    assert speech.segments == whole.segments
    assert sum(windows for windows, _ in card.calls) <= len(REGIONS) + 32  # one call was begun


def stop_after(speech, windows):
    def progress(_done_ms):
        if speech.windows_done >= windows:
            raise KeyboardInterrupt

    return progress


def test_speech_without_a_word_is_heard_again_and_told_of(device, loud, monkeypatch):
    device(loses_seconds=6)
    again, done = [], []

    def plain(audio, **_wishes):
        again.append(len(audio) / 16_000)
        found = SimpleNamespace(start=0.5, end=5.0, text="foi perdido", **SURE)
        return [found], None

    speech = heard(Transcriber(model(transcribe=plain), 16), progress=done.append)

    assert done == sorted(done)
    assert len(again) == len(REGIONS)
    assert all(5 < seconds < 8 for seconds in again)
    texts = [segment.text for segment in speech.segments]
    assert texts.count("foi perdido") == len(REGIONS)
    assert [warning.code for warning in speech.warnings] == ["heard_again"] * len(REGIONS)
    assert [s.start_ms for s in speech.segments] == sorted(s.start_ms for s in speech.segments)


def test_a_gap_in_which_the_detector_hears_nothing_costs_nothing(device):
    device(loses_seconds=6)

    speech = heard(Transcriber(model(), 16))  # it cannot be asked once more

    assert speech.warnings == []


def test_short_breaths_are_no_gaps(device, loud):
    device(loses_seconds=1.5)

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
    speech, samples = Speech(), np.zeros((2, 25_000 * SAMPLES_PER_MS), np.int16)

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


GIB = 1 << 30


@pytest.mark.parametrize(("free_gib", "window_gib"), [(70, 0.25), (10, 0.25), (4, 0.25), (2, 0.5)])
def test_a_batch_is_as_large_as_the_free_memory_of_the_card(monkeypatch, free_gib, window_gib):
    """Half a GiB goes to the kernels with the first window; a batch never exceeds 64."""
    used = [4 * GIB]

    def decode(_model, windows):
        used[0] = max(used[0], int(4 * GIB + 0.5 * GIB + windows * window_gib * GIB))

    monkeypatch.setattr(whisper, "_decode_noise", decode)
    whole = int((4.5 + 8 * window_gib + free_gib) * GIB)
    card = Card("NVIDIA L4", lambda: Memory(used[0], whole - used[0]))
    on_card = SimpleNamespace(model=SimpleNamespace(device="cuda"))

    batch = whisper.batch_for(on_card, card, 0)

    assert batch == pytest.approx(min(64, 0.8 * (free_gib + 7 * window_gib) / window_gib), abs=1)
    assert whisper.batch_for(on_card, card, 5) == 5


def test_without_a_card_eight_windows_go_together():
    on_cpu = SimpleNamespace(model=SimpleNamespace(device="cpu"))

    assert whisper.batch_for(on_cpu, Card("", lambda: Memory(0, 0)), 0) == 8
