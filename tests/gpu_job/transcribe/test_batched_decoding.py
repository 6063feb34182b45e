"""Calls of windows: how the work goes on when a device fails."""

from types import SimpleNamespace

import pytest

from gpu_job.common.errors import OutOfMemoryError
from gpu_job.common.gpu_memory import Card, Memory
from gpu_job.transcribe import load_whisper as whisper
from gpu_job.transcribe.batched_decoding import WINDOWS_A_CALL, Batches, Call
from gpu_job.transcribe.progress import TranscriptionProgress
from gpu_job.transcribe.transcriber import Transcriber
from gpu_job.transcribe.windows import laid_out
from tests.gpu_job.fake_device import OPTIONS, REGIONS, SAMPLES, WINDOW_MS, heard, model, stop_after


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

    assert max(card.decoded) == 8


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

    assert max(card.decoded) <= WINDOWS_A_CALL
    assert sum(card.decoded) == len(REGIONS)
    assert Batches(None, batch).windows_a_call % min(batch, WINDOWS_A_CALL) == 0


def test_a_batch_that_takes_longer_than_the_fence_allows_is_made_smaller(device):
    card = device(seconds=50)

    heard(Transcriber(model(), 16))

    assert card.decoded[0] == 16
    assert card.decoded[-1] < 16


def test_the_work_stops_between_batches_and_what_is_done_stays_whole(device):
    device()
    speech, calls = TranscriptionProgress(), []

    def progress(done_ms):
        calls.append(done_ms)
        if speech.windows_done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        heard(Transcriber(model(), 16), speech=speech, progress=progress)

    assert speech.windows_done == 16
    assert all(s.end_ms <= REGIONS[16].start_ms for s in speech.segments)
    assert calls == sorted(calls)


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
    worker, speech, told = Transcriber(model(), 16), TranscriptionProgress(), []
    with pytest.raises(KeyboardInterrupt):
        heard(worker, speech=speech, progress=stop_after(speech, 32))
    card.decoded.clear()

    heard(worker, speech=speech, progress=lambda ms: told.append((ms, len(card.decoded))))

    assert told[0] == (pytest.approx(32 * WINDOW_MS, rel=0.05), 0)


def test_what_was_done_before_is_not_done_again(device):
    card = device()
    worker, speech = Transcriber(model(), 16), TranscriptionProgress()
    whole = heard(worker)
    card.decoded.clear()

    with pytest.raises(KeyboardInterrupt):
        heard(worker, speech=speech, progress=stop_after(speech, 32))
    heard(worker, speech=speech)

    assert speech.segments == whole.segments
    assert sum(card.decoded) == len(REGIONS)


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


def test_stretches_that_are_heard_again_are_batches_between_which_the_work_may_stop(device):
    device()
    checked = []
    call = Call(tuple(laid_out(0, [(at, at + 3_000)]) for at in range(0, 90_000, 9_000)), "pt")

    Batches(model(), 4).again(SAMPLES, call, OPTIONS, lambda: checked.append(1))

    assert len(checked) == 2
