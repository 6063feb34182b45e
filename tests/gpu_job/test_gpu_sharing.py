"""One card for words and speakers: at once where the memory allows it, and only as measured."""

import threading
import time

import pytest

from gpu_job import gpu_sharing
from gpu_job.common.errors import OutOfMemoryError
from gpu_job.common.gpu_memory import Card, Memory
from gpu_job.contract import JobOptions
from gpu_job.diarize.base import Diarization
from gpu_job.job import run_job
from gpu_job.models import Models
from gpu_job.session import WorkerSession
from gpu_job.worker_retirement import Retirement

GIB = 1 << 30


@pytest.fixture(autouse=True)
def _short_recordings(monkeypatch):
    """The audio of these jobs is a second long, and stands for one that fills all batches."""
    monkeypatch.setattr(gpu_sharing, "LEAST_SPEECH_MS", 0)


class Gpu:
    """24 GiB, of which the test says how many are in use."""

    def __init__(self, used=4):
        self.used = used
        self.card = Card("NVIDIA L4", lambda: Memory(self.used * GIB, (24 - self.used) * GIB))


class Speakers:
    """Takes so much of the card while it looks for speakers; notes whether words are heard."""

    def __init__(self, gpu, takes=6):
        self.gpu, self.takes, self.together, self.meanwhile = gpu, takes, [], lambda: None
        self.words_are_heard = threading.Event()

    def diarize(self, samples, regions, speakers, check):
        self.together.append(self.words_are_heard.wait(0.01))
        self.gpu.used += self.takes
        try:
            self.meanwhile()
            time.sleep(0.25)  # the card is looked at ten times a second
            check()
        finally:
            self.gpu.used -= self.takes
        return Diarization()


@pytest.fixture
def worker(fake_models):
    """Does one job after another with these speakers."""

    def make(gpu, speakers, meanwhile=lambda: None):
        def hear(_fake):
            speakers.words_are_heard.set()
            meanwhile()
            time.sleep(0.02)
            speakers.words_are_heard.clear()

        transcriber = fake_models(hear).transcriber
        return Models(transcriber, speakers, WorkerSession("worker-1", card=gpu.card))

    return make


def together(worker_of, gpu, speakers, job, jobs=2):
    models = worker_of(gpu, speakers)
    for number in range(1, jobs + 1):
        job.storage.delete("result.json")
        assert run_job(job.request(attempt=number), models, lambda _: None).state == "done"
    return models.sharing.allowed


def test_the_first_job_is_watched_and_then_both_go_together(worker, job):
    gpu = Gpu(used=4)
    speakers = Speakers(gpu)

    assert together(worker, gpu, speakers, job)
    assert speakers.together[0] is False
    assert gpu.card.peak_bytes == 10 * GIB


def test_without_the_room_for_both_they_go_one_after_the_other(worker, job):
    gpu = Gpu(used=18)

    assert not together(worker, gpu, Speakers(gpu, takes=5), job)


def test_without_a_card_they_never_go_together(worker, job):
    gpu = Gpu()
    gpu.card.name = ""

    assert not together(worker, gpu, Speakers(gpu), job)


def test_a_recording_too_short_to_fill_a_batch_tells_nothing_of_longer_ones(
    worker, job, monkeypatch
):
    monkeypatch.setattr(gpu_sharing, "LEAST_SPEECH_MS", 120_000)
    gpu = Gpu()

    assert not together(worker, gpu, Speakers(gpu, takes=0), job)


def test_the_most_that_was_ever_taken_counts():
    gpu = Gpu(used=18)
    both = gpu_sharing.Sharing(gpu.card)
    both._diarizer_bytes = 5 * GIB  # and a quarter above them is more than the six that are free
    with both.measured(1):
        pass

    assert not both.allowed


def test_want_of_memory_together_is_tried_once_more_alone(worker, job):
    gpu = Gpu()
    speakers = Speakers(gpu)
    models = worker(gpu, speakers)
    run_job(job.request(), models, lambda _: None)
    job.storage.delete("result.json")
    tries = []

    def fails_at_first():
        tries.append(1)
        if len(tries) == 1:
            raise OutOfMemoryError("no room")

    speakers.meanwhile = fails_at_first

    assert run_job(job.request(attempt=2), models, lambda _: None).state == "done"
    assert len(tries) == 2
    assert not models.sharing.allowed


@pytest.mark.parametrize("halved_to", [8, 4, 1])
def test_words_for_which_there_is_no_room_together_are_heard_alone(worker, job, halved_to):
    """A batch that was halved for want of room beside the speakers is a whole one without them."""
    gpu, tries = Gpu(), []

    def fails():
        tries.append(1)
        if models.sharing.allowed and len(tries) == 1:
            models.transcriber.batch_windows = halved_to
            if halved_to == 1:
                raise OutOfMemoryError("no room")

    models = worker(gpu, Speakers(gpu), meanwhile=fails)
    run_job(job.request(), models, lambda _: None)
    job.storage.delete("result.json")
    tries.clear()

    assert run_job(job.request(attempt=2), models, lambda _: None).state == "done"
    assert models.transcriber.batch_windows == 8
    assert models.sharing.allowed == (halved_to == 8)
    assert len(job.result().segments) == 2


def test_speakers_that_fail_end_the_words_early(worker, job):
    gpu = Gpu()
    speakers = Speakers(gpu)
    models = worker(gpu, speakers)
    run_job(job.request(), models, lambda _: None)
    job.storage.delete("result.json")

    def broken():
        raise ValueError("no such voice")

    speakers.meanwhile = broken
    outcome = run_job(job.request(attempt=2), models, lambda _: None)

    assert (outcome.state, outcome.error.message) == ("failed", "ValueError: no such voice")


def test_words_that_fail_end_the_search_for_speakers(job, fake_models):
    gpu = Gpu()
    ended = []

    class Waiting(Speakers):
        def diarize(self, samples, regions, speakers, check):
            if self.together:
                try:
                    while True:
                        check()
                        time.sleep(0.01)
                finally:
                    ended.append(True)
            return super().diarize(samples, regions, speakers, lambda: None)

    def crash(_fake):
        if models.sharing.allowed:
            raise RuntimeError("broken")

    models = Models(fake_models(crash).transcriber, Waiting(gpu), WorkerSession(card=gpu.card))
    run_job(job.request(), models, lambda _: None)
    job.storage.delete("result.json")

    assert run_job(job.request(attempt=2), models, lambda _: None).error.code == "internal"
    assert ended == [True]


def test_a_process_retires_after_its_jobs():
    retirement = Retirement(Gpu().card, after_jobs=3)

    due = []
    for _ in range(3):
        retirement.job_done()
        due.append(retirement.is_due)

    assert due == [False, False, True]
    assert retirement.reason == "3 jobs are done"


def test_a_process_retires_when_memory_does_not_come_back():
    gpu = Gpu(used=6)
    retirement = Retirement(gpu.card, after_jobs=0)
    retirement.job_done()
    gpu.used = 11
    retirement.job_done()
    assert not retirement.is_due

    gpu.used = 13
    retirement.job_done()

    assert retirement.reason == "7168 MiB of GPU memory were not released"


def test_a_usage_tells_the_card_the_session_and_the_place_in_it(job, fake_models):
    gpu = Gpu(used=7)
    models = Models(fake_models().transcriber, None, WorkerSession("worker-1", card=gpu.card))
    for number in (1, 2):
        job.storage.delete("result.json")
        options = JobOptions(model="demo", diarizer="none")
        run_job(job.request(attempt=number, options=options), models, lambda _: None)

    first, second = job.claim(1).usage, job.claim(2).usage
    assert (first.gpu, first.peak_vram_bytes) == ("NVIDIA L4", 7 * GIB)
    assert (first.boot, first.sequence, second.sequence) == (second.boot, 1, 2)
    assert first.container_started_at < first.started_at
    assert first.model_revision == "demo@1"
