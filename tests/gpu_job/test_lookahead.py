"""When a worker may take a second job, told by a clock of the test's own."""

from types import SimpleNamespace

import pytest

from gpu_job.lookahead import Lookahead

MINUTE_MS = 60_000


@pytest.fixture
def watch():
    """A lookahead that has one job in hand, and its clock."""
    watch = SimpleNamespace(now=0.0)
    watch.lookahead = Lookahead(clock=lambda: watch.now)
    watch.lookahead.jobs = 1

    def job(total_ms, words_seconds, tail_seconds):
        watch.lookahead.began(total_ms)
        watch.now += words_seconds
        watch.lookahead.progressed(total_ms)
        watch.now += tail_seconds
        watch.lookahead.progressed(total_ms)
        watch.lookahead.ended(whole=True)

    watch.job = job
    return watch


def test_of_the_first_job_nobody_knows_the_end_so_nothing_is_taken(watch):
    watch.lookahead.began(MINUTE_MS)
    watch.now = 10
    watch.lookahead.progressed(MINUTE_MS)

    assert watch.lookahead.concurrency() == 1


def test_the_next_job_may_be_taken_30_seconds_before_the_end_with_the_speakers_counted(watch):
    watch.job(10 * MINUTE_MS, words_seconds=60, tail_seconds=20)  # 2 s of speakers a minute
    watch.lookahead.began(30 * MINUTE_MS)  # 180 s for the words, and 60 for the speakers
    began = watch.now

    watch.now = began + 90
    watch.lookahead.progressed(15 * MINUTE_MS)
    watch.now = began + 209
    assert watch.lookahead.concurrency() == 1
    watch.now = began + 211
    assert watch.lookahead.concurrency() == 2


def test_one_that_waits_already_is_kept_and_no_third_is_taken(watch):
    watch.lookahead.jobs = 2

    assert watch.lookahead.concurrency() == 2


def test_an_idle_worker_takes_one_job_alone(watch):
    watch.job(MINUTE_MS, 10, 1)
    watch.lookahead.jobs = 0

    assert watch.lookahead.concurrency() == 1


def test_a_job_without_speech_or_one_that_was_stopped_teaches_nothing(watch):
    watch.job(0, 0, 5)
    watch.lookahead.began(MINUTE_MS)
    watch.lookahead.ended(whole=False)
    watch.lookahead.began(MINUTE_MS)
    watch.lookahead.progressed(MINUTE_MS)

    assert watch.lookahead.concurrency() == 1
