"""A worker that must stop leaves what it has done, and the next attempt goes on from there."""

import gzip

import pytest

from gpu_job import attempt, partial_results
from gpu_job.contract import JobWarning, Segment, SpeakerEmbedding, Turn, Word
from gpu_job.diarize.base import TOY, Diarization
from gpu_job.job import run_job
from gpu_job.stop_request import Stop
from gpu_job.transcribe.progress import TranscriptionProgress
from gpu_job.transcribe.window_plan import WindowPlan
from gpu_job.transcribe.windows import laid_out
from tests.gpu_job.ten_regions import REGIONS, after

DAMAGED = gzip.compress(b"{}" * 1_000, mtime=0)[:10] + b"\xff" * 30


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
    found = Diarization(turns, turns[:1], voices, TOY)
    windows = (laid_out(0, [(0, 900), (2_000, 3_000)]), laid_out(1, [(500, 900)]))
    word = Word(start_ms=0, end_ms=400, text="ah", probability=0.5)
    speech = TranscriptionProgress(
        WindowPlan(windows, "de", 0.75, ("de", "en")),
        1,
        [Segment(start_ms=0, end_ms=400, words=(word,), language="de")],
        [JobWarning(code="no_speech", message="gone", start_ms=500, end_ms=600, text="so")],
    )

    kept = partial_results.Partial.model_validate_json(
        partial_results.partial_of(job.request(), speech, found).model_dump_json()
    )

    assert kept.speech == speech
    assert kept.diarization == found


def test_speakers_that_are_known_before_any_word_are_worth_keeping(job):
    speech = TranscriptionProgress(WindowPlan((laid_out(0, [(0, 900)]),), "de"))

    assert partial_results.partial_of(job.request(), speech, Diarization()).has_turns
    assert partial_results.partial_of(job.request(), speech, None) is None
    assert partial_results.partial_of(job.request(), TranscriptionProgress(), Diarization()) is None


def test_every_ten_minutes_of_compute_it_is_kept_without_being_asked(attempts, job, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(attempt, "clock_seconds", lambda: now[0])
    seen, kept, keep = [], [], partial_results.save
    monkeypatch.setattr(partial_results, "save", lambda *what: (kept.append(now[0]), keep(*what)))

    def works_on(fake, _stop):
        now[0] += 250  # beats are sent by another clock
        seen.append(job.storage.read("partial-1.json") is not None)

    attempts(1, works_on)

    assert seen[:3] == [False] * 3
    assert seen[-1]
    assert kept == [750, 1_500, 2_250]


def test_speakers_that_were_found_are_not_looked_for_again(job, fake_models):
    models, stop = fake_models(), Stop()
    found = models.diarizer.diarize
    models.diarizer.diarize = lambda *wishes: (found(*wishes), stop.request("preempted"))[0]
    assert run_job(job.request(), models, lambda _: None, stop).state == "stopped"

    again = fake_models()
    again.diarizer.diarize = None

    assert run_job(job.request(attempt=2), again, lambda _: None).state == "done"
    assert len(job.result().turns) == 2
