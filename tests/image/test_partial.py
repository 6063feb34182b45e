"""A worker that must stop leaves what it has done, and the next attempt goes on from there."""

import gc
import gzip
import threading
import weakref
from concurrent.futures import Future

import pytest

from gpu_job import attempt, claims, partial
from gpu_job.contract import (
    JobLimits,
    JobOptions,
    JobWarning,
    Segment,
    SpeakerEmbedding,
    SpeechRegion,
    Turn,
    Word,
)
from gpu_job.diarize.base import Diarization
from gpu_job.errors import OutOfMemoryError
from gpu_job.job import run_job
from gpu_job.speech.plan import Plan
from gpu_job.speech.so_far import Speech
from gpu_job.speech.windows import laid_out
from gpu_job.stop import Stop

DAMAGED = gzip.compress(b"{}" * 1_000, mtime=0)[:10] + b"\xff" * 30
REGIONS = tuple(SpeechRegion(start_ms=at, end_ms=at + 80) for at in range(0, 1000, 100))


@pytest.fixture
def attempts(job, fake_models):
    """Runs the n-th attempt with a fresh worker; what it left is there for the next."""

    def run(number, meanwhile=lambda *_: None, **changes):
        stop, models = Stop(), fake_models(lambda fake: meanwhile(fake, stop))
        request = job.request(attempt=number, regions=REGIONS, **changes)
        return run_job(request, models, lambda _: None, stop), models.transcriber

    return run


def after(regions, reason="preempted"):
    return lambda fake, stop: len(fake.heard) == regions and stop.say(reason)


@pytest.mark.parametrize("reason", ["preempted", "cancelled"])
def test_it_stops_between_batches_in_good_order(attempts, job, reason):
    outcome, worker = attempts(1, after(4, reason))

    assert (outcome.state, outcome.error.code) == ("stopped", "cancelled")
    assert len(worker.heard) == 4
    assert (job.claim().state, job.claim().error.code) == ("stopped", "cancelled")
    assert job.result() is None


def test_the_next_attempt_does_only_what_is_left_and_the_result_is_whole(attempts, job):
    attempts(1, after(4))

    outcome, worker = attempts(2)

    assert outcome.state == "done"
    assert worker.heard == list(REGIONS[4:])
    assert [segment.start_ms for segment in job.result().segments] == [r.start_ms for r in REGIONS]
    usage = job.claim(2).usage
    assert (usage.audio_ms_resumed, usage.audio_ms_done) == (4 * 80, 10 * 80)


def test_three_attempts_may_share_the_work(attempts, job):
    attempts(1, after(2))
    attempts(2, after(3))
    outcome, worker = attempts(3)

    assert (outcome.state, worker.heard) == ("done", list(REGIONS[5:]))
    assert len(job.result().segments) == 10


def test_who_had_no_time_to_begin_leaves_nothing_and_nothing_is_lost(attempts, job):
    attempts(1, after(0))
    assert job.storage.read("partial-1.json") is None

    outcome, worker = attempts(2)

    assert (outcome.state, len(worker.heard)) == ("done", 10)


def test_a_crash_keeps_what_was_done_before_it(attempts, job):
    def crash(fake, _stop):
        if len(fake.heard) == 6:
            raise RuntimeError("segmentation")

    outcome, _ = attempts(1, crash)
    assert (outcome.state, outcome.error.code) == ("failed", "internal")

    assert attempts(2)[1].heard == list(REGIONS[6:])


@pytest.mark.parametrize(
    "body",
    [b"{", b"\x1f\x8b damaged", DAMAGED, b'{"windows": []}', None],
    ids=["not JSON", "not whole", "damaged within", "of another form", "of another job"],
)
def test_a_partial_that_is_of_no_use_is_passed_over(attempts, job, body):
    attempts(1, after(4))
    whole = job.storage.read("partial-1.json")
    job.storage.write("partial-1.json", body or whole.replace(b"a" * 64, b"b" * 64))

    outcome, worker = attempts(2)

    assert (outcome.state, len(worker.heard)) == ("done", 10)


def test_a_partial_of_another_revision_of_the_model_is_passed_over(attempts):
    attempts(1, after(4))

    assert len(attempts(2, model_revision="demo@2")[1].heard) == 10


def test_whatever_was_found_comes_back_as_it_was(job):
    turns = (Turn(start_ms=0, end_ms=900, speaker="SPEAKER_00"),)
    voices = (SpeakerEmbedding(speaker="SPEAKER_00", vector=(0.5, -0.25)),)
    found = Diarization(turns, turns[:1], voices)
    windows = (laid_out(0, [(0, 900), (2_000, 3_000)]), laid_out(1, [(500, 900)]))
    word = Word(start_ms=0, end_ms=400, text="ah", probability=0.5)
    speech = Speech(
        Plan(windows, "de", 0.75, ("de", "en")),
        1,
        [Segment(start_ms=0, end_ms=400, words=(word,), language="de")],
        [JobWarning(code="no_speech", message="gone", start_ms=500, end_ms=600, text="so")],
    )

    kept = partial.Partial.model_validate_json(
        partial.partial_of(job.request(), speech, found).model_dump_json()
    )

    assert kept.speech == speech
    assert kept.diarization == found


def test_speakers_that_are_known_before_any_word_are_worth_keeping(job):
    speech = Speech(Plan((laid_out(0, [(0, 900)]),), "de"))

    assert partial.partial_of(job.request(), speech, Diarization()).has_turns
    assert partial.partial_of(job.request(), speech, None) is None
    assert partial.partial_of(job.request(), Speech(), Diarization()) is None


def test_every_ten_minutes_of_compute_it_is_kept_without_being_asked(attempts, job, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(attempt, "clock_seconds", lambda: now[0])
    seen, kept, keep = [], [], partial.keep
    monkeypatch.setattr(partial, "keep", lambda *what: (kept.append(now[0]), keep(*what)))

    def works_on(fake, _stop):
        now[0] += 250  # beats are sent by another clock
        seen.append(job.storage.read("partial-1.json") is not None)

    attempts(1, works_on)

    assert seen[:3] == [False] * 3
    assert seen[-1]
    assert kept == [750, 1_500, 2_250]


def test_a_fenced_owner_keeps_nothing(attempts, job, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(claims.Ownership.take.__func__, "__defaults__", (lambda: now[0],))

    def cut_off(fake, stop):
        if len(fake.heard) == 5:
            now[0] += 121
            stop.say("preempted")

    outcome, _ = attempts(1, cut_off)

    assert outcome.state == "stopped"
    assert job.storage.read("partial-1.json") is None
    assert job.claim().state == "running"


def test_a_fenced_owner_that_breaks_keeps_nothing_either(attempts, job, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(claims.Ownership.take.__func__, "__defaults__", (lambda: now[0],))

    def wakes_up_to_a_broken_card(fake, _stop):
        if len(fake.heard) == 5:
            now[0] += 121
            raise RuntimeError("CUDA error: unknown error")

    attempts(1, wakes_up_to_a_broken_card)

    assert job.storage.read("partial-1.json") is None
    assert job.claim().state == "running"


def test_who_is_fenced_while_the_result_is_packed_does_not_write_it(attempts, job, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(claims.Ownership.take.__func__, "__defaults__", (lambda: now[0],))

    def packs(body):
        now[0] += 121
        return body

    monkeypatch.setattr(attempt, "packed", packs)

    outcome, _ = attempts(1)

    assert (outcome.state, job.result()) == ("stopped", None)
    assert job.claim().state == "running"


def test_a_job_that_takes_too_long_fails_and_the_next_goes_on(attempts, job, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(attempt, "clock_seconds", lambda: now[0])

    def slow(fake, _stop):
        now[0] += 30

    outcome, _ = attempts(1, slow, limits=JobLimits(run_seconds=100))

    assert (outcome.state, outcome.error.message) == ("failed", "its time was over")
    assert len(attempts(2)[1].heard) == 7


def test_a_job_that_takes_too_long_stops_no_other_of_its_worker(job, fake_models, monkeypatch):
    now, stop = [0.0], Stop()
    monkeypatch.setattr(attempt, "clock_seconds", lambda: now[0])

    def slow(_fake):
        now[0] += 101

    limits = JobLimits(run_seconds=100)
    run_job(job.request(limits=limits), fake_models(slow), lambda _: None, stop)

    assert stop.reason is None


def test_a_partial_that_cannot_even_be_made_leaves_no_claim_running(attempts, job, monkeypatch):
    def broken(*_):
        raise MemoryError

    monkeypatch.setattr(partial, "packed", broken)

    outcome, _ = attempts(1, after(4))

    assert outcome.state == "stopped"
    assert job.claim().state == "stopped"


def test_a_job_that_is_over_leaves_none_of_its_audio_in_memory(job, fake_models):
    audio = []

    def heard(samples, *_):
        audio.append(weakref.ref(samples))
        raise RuntimeError("broken")

    models = fake_models()
    whole = models.transcriber.transcribe
    models.transcriber.transcribe = lambda samples, *more: (
        audio.append(weakref.ref(samples)),
        whole(samples, *more),
    )
    gc.disable()  # what is large must not wait for the collector, which counts objects, not bytes
    try:
        run_job(job.request(), models, lambda _: None)
        job.storage.delete("result.json")
        models.transcriber.transcribe = heard
        run_job(job.request(attempt=2), models, lambda _: None)
        assert [samples() for samples in audio] == [None, None]
    finally:
        gc.enable()


def test_speakers_that_were_found_are_not_looked_for_again(job, fake_models):
    models, stop = fake_models(), Stop()
    found = models.diarizer.diarize
    models.diarizer.diarize = lambda *wishes: (found(*wishes), stop.say("preempted"))[0]
    assert run_job(job.request(), models, lambda _: None, stop).state == "stopped"

    again = fake_models()
    again.diarizer.diarize = None

    assert run_job(job.request(attempt=2), again, lambda _: None).state == "done"
    assert len(job.result().turns) == 2


def test_want_of_memory_is_told_and_ends_the_process(attempts, job):
    def too_large(_fake, _stop):
        raise OutOfMemoryError("not even one window fits")

    outcome, _ = attempts(1, too_large)

    assert (outcome.error.code, outcome.error.permanent) == ("out_of_memory", False)
    assert "not even one" in outcome.retire


@pytest.mark.parametrize(
    ("crash", "code", "retires"),
    [
        (RuntimeError("CUDA failed with error out of memory"), "out_of_memory", True),
        (MemoryError(), "out_of_memory", True),
        (RuntimeError("CUDA error: device-side assert triggered"), "internal", True),
        (RuntimeError("something else"), "internal", False),
    ],
)
def test_after_an_error_of_the_card_the_process_is_not_used_again(attempts, crash, code, retires):
    def fails(_fake, _stop):
        raise crash

    outcome, _ = attempts(1, fails)

    assert (outcome.error.code, bool(outcome.retire)) == (code, retires)


def test_voices_are_in_the_result_where_somebody_wants_them(job, real_models, samples):
    options = JobOptions(model="demo", language="en", speaker_embeddings=True)
    run_job(job.request(options=options), real_models, lambda _: None)

    vectors = {each.speaker: each.vector for each in job.result().speaker_embeddings}
    assert set(vectors) == {turn.speaker for turn in job.result().turns}


def test_a_worker_that_must_stop_waits_for_no_download(job, fake_models):
    stop, audio = Stop(), Future()  # nobody ever has it
    threading.Timer(0.1, stop.say, ["preempted"]).start()

    outcome = run_job(job.request(), fake_models(), lambda _: None, stop, preparing=audio)

    assert (outcome.state, job.claim().state) == ("stopped", "stopped")


def test_voices_that_nobody_asked_for_are_not_in_the_result(job, fake_models):
    """Who somebody is can be told from a voice: it is not kept by the way."""
    models = fake_models()
    voices = (SpeakerEmbedding(speaker="SPEAKER_00", vector=(0.5, -0.25)),)
    models.diarizer.diarize = lambda *_: Diarization(embeddings=voices)
    run_job(job.request(), models, lambda _: None)

    assert job.result().speaker_embeddings == ()
