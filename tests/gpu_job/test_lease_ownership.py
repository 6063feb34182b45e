"""An owner that was not heard for too long stops, on its own clock, for good."""

import threading

import pytest

from gpu_job import transfer
from gpu_job.contract import Lease
from gpu_job.lease_ownership import FencedError, LeaseOwnership
from gpu_job.session import WorkerSession
from gpu_job.transfer import Put


@pytest.fixture
def owner(job, monkeypatch):
    """Takes the claim at 0 s; each beat does what the test says, at the test's own time."""
    now = [0.0]
    taken = LeaseOwnership.take(job.request(), WorkerSession("worker-1"), lambda: now[0])

    def beat(sent_at, answer=Put.WRITTEN, answered_at=None, meanwhile=lambda: None):
        def answers(_address, _body):
            meanwhile()
            now[0] = answered_at or sent_at
            return answer

        now[0] = sent_at
        with monkeypatch.context() as network:
            network.setattr(transfer, "put", answers)
            network.setattr(transfer, "PAUSES_SECONDS", (0.0,) * 7)
            taken.end("running")

    def is_fenced(at):
        now[0] = at
        try:
            taken.check()
        except FencedError:
            return True
        return False

    taken.beat_at, taken.is_fenced_at = beat, is_fenced
    return taken


def test_a_beat_that_arrived_keeps_the_owner_for_another_two_minutes(owner):
    owner.beat_at(100)

    assert not owner.is_fenced_at(220)
    assert owner.is_fenced_at(221)


@pytest.mark.parametrize("answer", [Put.UNSURE, Put.EXISTS])
def test_a_beat_that_may_not_have_arrived_counts_for_nothing(owner, answer):
    owner.beat_at(100, answer)

    assert owner.is_fenced_at(121)


def test_a_beat_counts_from_when_it_was_sent(owner):
    """When it arrived is unknown: who watches the claim may have seen it long before."""
    owner.beat_at(100, answered_at=150)

    assert owner.is_fenced_at(221)


def test_who_was_fenced_while_a_beat_was_on_its_way_stays_so(owner):
    fenced = []
    owner.beat_at(100, answered_at=125, meanwhile=lambda: fenced.append(owner.is_fenced_at(121)))

    assert fenced == [True]
    assert owner.is_fenced_at(130)


def test_a_worker_that_slept_too_long_never_beats_itself_alive_again(job):
    now = [0.0]
    owner = LeaseOwnership.take(job.request(), WorkerSession("worker-1"), lambda: now[0])
    before = job.claim()

    now[0] = 121.0
    owner.end("running")
    now[0] = 122.0
    owner.end("done")

    assert job.claim() == before
    with pytest.raises(FencedError):
        owner.check()


def test_a_beat_that_is_on_its_way_never_lands_on_the_last_word(job, monkeypatch):
    owner = LeaseOwnership.take(job.request(), WorkerSession("worker-1"))
    on_its_way, landed = threading.Event(), []

    def slow(_address, body):
        state = Lease.model_validate_json(body).state
        on_its_way.set()
        if state == "running":
            threading.Event().wait(0.05)
        landed.append(state)
        return Put.WRITTEN

    monkeypatch.setattr(transfer, "put", slow)
    with owner.heartbeats(every_seconds=0.001):
        assert on_its_way.wait(60)
    owner.end("done")

    assert not [thread for thread in threading.enumerate() if thread.name == "beat"]
    assert landed[-1] == "done"
