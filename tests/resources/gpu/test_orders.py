"""What an order becomes: the record of its attempt, and what a worker is asked."""

from decimal import Decimal

from resources.gpu.job_orders import request_of

from .conftest import DEAD, LIMITS


def test_the_record_of_an_attempt_says_whose_job_it_is_and_where_it_goes(world):
    order = world.order(tenant="zeta", recording="zeta/b.mp3")

    made = world.attempt(order)

    assert (made.job, made.tenant, made.recording) == (order.folder.job, "zeta", "zeta/b.mp3")
    assert (made.backend, made.sku, made.model) == ("runpod", "l4", "demo")
    assert (made.diarizer, made.language) == (order.diarizer, "")
    assert (made.audio_ms, made.speech_ms, made.audio_bytes) == (60_000, 40_000, 1_000_000)
    assert (made.queue_limit_seconds, made.run_limit_seconds) == (3_600, 7_200)
    assert (made.quote_usd > 0, made.overhead_usd > 0) == (True, True)
    assert (made.idle_seconds, made.warm_workers) == (0.0, 0)
    assert made.route.backend == "runpod"
    assert made.queued_at <= made.created_at
    assert made.creator != DEAD
    assert made.nonce != world.attempt(order).nonce


def test_what_nobody_bills_reserves_nothing(world):
    finished = world.run(world.backend(paid=False), world.order())

    assert [one.quote_usd for one in finished.attempts] == [Decimal(0)]


def test_a_worker_is_asked_for_what_the_folder_froze_within_the_limits_of_its_attempt(world):
    order = world.order()
    attempt, frozen = world.attempt(order).model_copy(update={"attempt": 3}), order.folder.frozen()

    asked = request_of(order, attempt)

    assert (asked.job, asked.attempt, asked.nonce) == (attempt.job, 3, attempt.nonce)
    assert (asked.options, asked.regions) == (frozen.options, frozen.regions)
    assert (asked.audio_ms, asked.model_revision) == (60_000, "demo@1")
    assert (asked.audio_sha256, asked.audio_channels) == ("d" * 64, 1)
    limits = (asked.limits.queue_seconds, asked.limits.run_seconds)
    assert limits == (LIMITS.queue_seconds, LIMITS.run_seconds)


def test_an_attempt_goes_on_from_the_newest_of_what_earlier_ones_left(world):
    order = world.order()
    first = world.attempt(order)

    def read_from(number):
        attempt = first.model_copy(update={"attempt": number})
        return request_of(order, attempt).addresses.partial_read

    assert read_from(3) is None
    for number in (1, 2, 3, 4):
        world.storage.write(order.folder.key(f"partial-{number}.json"), b"half")

    assert read_from(1) is None
    assert "partial-2.json" in read_from(3).url
    assert "partial-3.json" in read_from(4).url
