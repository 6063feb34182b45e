"""What runs that died left behind: collected, closed, cancelled, settled; the living left alone."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.quotes import Health
from resources.gpu.backend import AttemptReport
from resources.gpu.job_folder import Submission
from resources.gpu.job_orders import request_of
from resources.gpu.reconcile import Reconciler
from resources.spending.reservations import Spending, reservation_of


@pytest.fixture
def house(world, dead):
    """An attempt that a dead run left open, and a look at all of them."""

    class House:
        storage, clock = world.storage, world.clock
        backend = world.backend()

        def leave(self, creator=None, *, begun=True, submitted=True):
            order = world.order()
            attempt = world.attempt(order).model_copy(update={"creator": creator or dead})
            Spending(world.storage).reserve(reservation_of(attempt))
            if begun:
                assert order.folder.begin(attempt)
            if submitted:
                order.folder.submitted(1, Submission(provider_id="theirs"))
            return order.folder, request_of(order, attempt)

        def worker(self, request):
            asyncio.run(self.backend.submit(request, None, None))
            return self.backend.workers[-1]

        def says(self, report):
            async def poll(submission, wait_seconds):
                return report

            self.backend.poll = poll

        def reconcile(self, now=None):
            engine = world.engine(self.backend)
            reconciler = Reconciler(
                world.storage,
                engine.fleet,
                engine.closing,
                clock=world.clock,
                sleep=world.clock.sleep,
                now=lambda: now or datetime.now(UTC),
            )
            return asyncio.run(reconciler.reconcile())

        @property
        def open(self):
            return list(Spending(world.storage).open())

    return House()


def statuses(world):
    return [row[1] for row in world.rows()]


def test_where_nothing_is_open_nothing_is_found(house):
    assert house.reconcile().recordings == []


def test_a_result_that_nobody_collected_is_in_the_ledger_and_its_recording_wants_a_run(
    house, world
):
    _, request = house.leave()
    worker = house.worker(request)
    worker.takes()
    worker.write_result()

    found = house.reconcile()

    assert found.recordings == found.collected == ["acme/a.mp3"]
    assert statuses(world) == ["done"]
    assert house.open == []


def test_an_attempt_that_was_never_submitted_is_buried(house, world):
    house.leave(submitted=False)

    assert house.reconcile().closed == ["acme/a.mp3"]
    assert statuses(world) == ["buried"]
    assert house.open == []


def test_an_attempt_that_its_backend_lost_is_buried(house, world):
    house.leave()
    house.says(AttemptReport("LOST"))

    assert house.reconcile().closed == ["acme/a.mp3"]
    assert statuses(world) == ["buried"]


def test_a_job_that_waits_in_a_queue_is_left_there(house, world):
    folder, _ = house.leave()
    since = house.clock()

    assert house.reconcile().running == ["acme/a.mp3"]
    assert house.clock() - since < 60
    assert folder.attempt(1).end is None
    assert len(house.open) == 1


def test_a_worker_that_beats_is_left_alone(house, world):
    folder, request = house.leave()
    worker = house.worker(request)
    worker.takes()

    async def beats(submission, wait_seconds):
        worker.beat()

    house.backend.poll = beats

    assert house.reconcile().running == ["acme/a.mp3"]
    assert folder.attempt(1).end is None


def test_a_silent_worker_is_given_up_after_300_s_cancelled_and_paid_to_its_last_beat(house, world):
    _, request = house.leave()
    worker = house.worker(request)
    worker.takes()
    worker.beat()
    house.says(None)
    cancelled = []

    async def cancel(submission):
        cancelled.append(submission.provider_id)

    house.backend.cancel = cancel
    since = house.clock()

    found = house.reconcile()

    assert found.closed == ["acme/a.mp3"]
    assert 300 < house.clock() - since < 400
    assert [row[1:3] for row in world.rows()] == [("lost", 40.0)]
    assert cancelled == ["theirs"]
    assert house.open == []


def test_what_was_closed_but_not_settled_is_settled(house, world):
    world.run(world.backend(), world.order())
    attempt = world.order().folder.attempt(1)
    Spending(world.storage).reserve(reservation_of(attempt))  # killed before it could remove it

    found = house.reconcile()

    assert (found.settled, found.recordings) == (["acme/a.mp3"], [])
    assert house.open == []
    assert sum(Spending(world.storage).sum(datetime.now(UTC)).day.values()) == Decimal("0.0019")


def test_a_reservation_without_its_attempt_is_withdrawn_after_an_hour(house):
    house.leave(begun=False, submitted=False)

    assert house.reconcile().never_begun == 0  # its run may be about to begin it
    assert len(house.open) == 1
    assert house.reconcile(datetime.now(UTC) + timedelta(minutes=61)).never_begun == 1
    assert house.open == []


def test_trouble_with_one_costs_no_other(house, world):
    _, request = house.leave()
    worker = house.worker(request)
    worker.takes()
    worker.write_result()
    broken = "b" * 64
    world.storage.write(f"ledger/open/acme/{broken}-1-00-5", b"{}")
    world.storage.write(f"work/acme/jobs/{broken}/attempt-1.json", b"torn")

    found = house.reconcile()

    assert found.collected == ["acme/a.mp3"]
    assert broken in found.troubles[0]


def test_an_attempt_of_a_backend_that_is_not_set_up_any_more_is_judged_by_the_bucket(house, world):
    _, request = house.leave()
    house.worker(request).takes()
    house.backend = world.backend(sku="rtx4090")
    house.backend.said = Health("down", "never asked")

    assert house.reconcile().closed == ["acme/a.mp3"]
    assert statuses(world) == ["lost"]


def test_a_price_that_is_gone_from_the_book_costs_no_other_attempt(house, world):
    _, request = house.leave()
    worker = house.worker(request)
    worker.takes()
    worker.write_result()
    order = world.order(job="b" * 64, recording="acme/b.mp3")
    old = world.attempt(order).model_copy(update={"sku": "sold_no_more"})
    Spending(world.storage).reserve(reservation_of(old))
    order.folder.begin(old)
    order.folder.abandon(1)

    found = house.reconcile()

    assert found.collected == ["acme/a.mp3"]
    assert "sold_no_more" in found.troubles[0]


def test_a_silent_worker_of_a_job_whose_result_is_anothers_is_closed_and_settled(
    house, world, dead
):
    folder, request = house.leave()
    first = house.worker(request)
    first.takes()
    order = world.order()
    second = world.attempt(order).model_copy(update={"attempt": 2, "creator": dead})
    Spending(world.storage).reserve(reservation_of(second))
    folder.begin(second)
    folder.submitted(2, Submission(provider_id="second"))
    house.worker(request_of(order, second)).takes()
    first.write_result()
    house.says(None)

    found = house.reconcile()

    assert [one.end.status for one in folder.attempts()] == ["done", "lost"]
    assert found.running == []
    assert house.open == []


def test_a_job_in_the_queue_of_a_backend_that_is_gone_is_buried_once_its_time_is_over(house, world):
    house.leave()
    house.backend = world.backend(sku="rtx4090")

    assert house.reconcile().running == ["acme/a.mp3"]
    later = datetime.now(UTC) + timedelta(hours=4)  # an hour in the queue, two to run, and more
    assert house.reconcile(later).closed == ["acme/a.mp3"]
    assert house.open == []
