"""The objects of one job: what is created once, and how long a worker may access it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from escriba.billing.attempts import AttemptEnd
from escriba.errors import RecordingError
from gpu_job.contract import SpeechRegion


def test_the_request_that_stands_is_the_first_one(world):
    """Its regions were transcribed: others would put speakers where there is no speech."""
    order = world.order()
    first = order.folder.frozen()
    later = first.model_copy(update={"regions": (SpeechRegion(start_ms=1, end_ms=2),)})

    assert order.folder.freeze(first) == first
    assert order.folder.freeze(later) == first


def test_a_request_that_no_reader_takes_is_refused_before_anything_is_written(world):
    order = world.order()
    first = order.folder.frozen()
    long = first.model_copy(update={"job": "f" * 32, "regions": first.regions[:1] * 1_200_000})
    folder = replace(order.folder, job=long.job)

    with pytest.raises(RecordingError) as caught:
        folder.freeze(long)

    assert first.recording in caught.value.message
    assert "1,200,000 regions" in caught.value.message
    assert "may have 32 MiB" in caught.value.message
    assert "Split the recording" in caught.value.advice
    assert folder.find_request() is None


def test_a_request_of_audio_with_another_clock_gives_way_unless_somebody_works_on_it(world):
    order = world.order()
    first = order.folder.frozen()
    regions = (SpeechRegion(start_ms=1, end_ms=2),)
    longer = {"audio_ms": first.audio_ms + 3000, "regions": regions}
    decoded_anew = first.model_copy(update=longer)

    assert order.folder.freeze(decoded_anew) == decoded_anew
    assert order.folder.frozen() == decoded_anew

    assert order.folder.begin(world.attempt(order))
    assert order.folder.freeze(first) == decoded_anew


def test_what_somebody_begins_while_a_request_gives_way_keeps_what_it_has_done(world, monkeypatch):
    """Two orchestrators look at the same old request; the slower one removes no partial result."""
    order = world.order()
    first, real = order.folder.frozen(), world.storage.list
    running = order.folder.key("partial-1.json")

    def looked(prefix):
        yield from list(real(prefix))
        if order.folder.begin(world.attempt(order)):
            world.storage.write(running, b"ten minutes of a card")

    monkeypatch.setattr(world.storage, "list", looked)
    order.folder.freeze(first.model_copy(update={"audio_ms": first.audio_ms + 3000}))

    assert world.storage.read(running) == b"ten minutes of a card"


def test_partial_results_of_the_old_clock_go_with_their_request(world):
    order = world.order()
    first, attempt = order.folder.frozen(), world.attempt(order)
    assert order.folder.begin(attempt)
    end = AttemptEnd(status="lost", ended_at=attempt.created_at)
    order.folder.close(attempt.model_copy(update={"end": end}))
    key = order.folder.key("partial-1.json")
    world.storage.write(key, b"words of other times")

    assert order.folder.freeze(first) == first
    assert world.storage.read(key)
    order.folder.freeze(first.model_copy(update={"audio_ms": first.audio_ms + 3000}))

    assert world.storage.read(key) is None


def test_addresses_live_as_long_as_an_attempt_may_wait_and_run_and_a_little_longer(
    world, monkeypatch
):
    order, lives, real = world.order(), [], world.storage.address

    def address(key, permission, life):
        lives.append(life)
        return real(key, permission, life)

    monkeypatch.setattr(world.storage, "address", address)
    attempt = world.attempt(order)

    order.folder.addresses(attempt, order.audio_key)

    assert set(lives) == {timedelta(seconds=attempt.queue_limit_seconds + 7200, minutes=15)}
