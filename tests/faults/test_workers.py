"""Whatever happens to a worker, its job is done in the end; each death costs one computation."""

import pytest

from .lives import with_note, worker_killed_at_each_step, world


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_worker_that_is_killed_at_any_step_costs_one_more_computation_at_most(zygote, after):
    lives = list(worker_killed_at_each_step(zygote, after=after))

    assert len(lives) >= 5
    assert all(one.results == 1 and one.computations <= 1 + one.deaths for one in lives)


@pytest.mark.parametrize("seconds", [1, 29, 31, 89])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])
def test_a_worker_that_is_killed_while_it_computes_is_followed_by_another(
    zygote, seconds, elsewhere
):
    with world(zygote) as one:
        one.provider.lives = [{"lives_seconds": seconds, "elsewhere": elsewhere}]
        found = one.lives_on()

    assert (found.computations, found.deaths) == (2, 1)


def test_three_dead_workers_end_a_recording_with_its_history(zygote):
    with world(zygote) as one:
        one.provider.lives = [{"lives_seconds": 30}] * 3
        [end] = one.run()["ends"]

        assert "attempts_exhausted" in end or "3 attempts ended" in end
        assert len(one.provider.deliveries) == 3


@pytest.mark.parametrize("seconds", [60, 200, 1_000])
@pytest.mark.parametrize("since", [0, 1, 20, 50, 85])
def test_a_worker_that_is_cut_off_from_the_bucket_is_dead_after_two_minutes(zygote, since, seconds):
    with with_note(f"cut off from {since} for {seconds} s"), world(zygote) as one:
        one.provider.lives = [{"cut_off": (since, since + seconds)}]
        found = one.lives_on()

    assert found.results == 1
    assert found.computations <= 1 + found.deaths
    assert found.deaths == 0 or seconds > 120


@pytest.mark.parametrize("seconds", [200, 400, 1_000])
def test_who_was_cut_off_stops_before_another_begins_though_it_has_long_to_go(zygote, seconds):
    with world(zygote) as one:
        one.provider.lives = [{"cut_off": (20, 20 + seconds), "slow": 20}]
        found = one.lives_on()

    assert (found.computations, found.deaths) == (2, 1)
    assert one.provider.deliveries[0].gpu_seconds <= 200


def test_one_minute_without_the_bucket_costs_nothing(zygote):
    with world(zygote) as one:
        one.provider.lives = [{"cut_off": (20, 80)}]

        assert one.lives_on().computations == 1


def test_addresses_that_expired_in_the_queue_are_signed_anew(zygote):
    with world(zygote) as one:
        one.provider.lives = [{"expired": True}]

        assert one.run()["ends"] == ["done"]
        assert one.finish() == ["done"]
        assert len(one.folder(one.recordings[0]).attempts()) == 2


def test_half_a_result_is_told_and_bought_again_only_once_it_is_removed(zygote):
    with world(zygote) as one:
        one.provider.lives = [{"tears": True}]
        result = one.folder(one.recordings[0]).key("result.json")

        for _ in range(2):
            [end] = one.run()["ends"]
            assert result in end
            assert "DamagedError" in end
        assert len(one.provider.deliveries) == 1

        one.storage.delete(result)
        assert one.finish() == ["done"]
        assert len(one.provider.deliveries) == 2


def test_a_failure_that_may_pass_is_tried_again_and_one_for_good_is_not(zygote):
    with world(zygote) as one:
        one.provider.lives = [{"fails": "internal"}]
        assert one.lives_on().computations == 2

    with world(zygote) as one:
        one.provider.lives = [{"fails": "audio_unreadable"}]
        for _ in range(2):
            [end] = one.run()["ends"]
            assert "it is torn" in end
        assert len(one.provider.deliveries) == 1


@pytest.mark.parametrize("worker", [-600, 600])
@pytest.mark.parametrize("orchestrator", [-600, 600])
def test_clocks_ten_minutes_apart_change_nothing(zygote, worker, orchestrator):
    with world(zygote) as one:
        one.provider.lives = [{"skew_seconds": worker, "lives_seconds": 50}]
        other = one.start(skew_seconds=-orchestrator, seed=2)
        found = one.lives_on(skew_seconds=orchestrator)

        assert other.outcome()["ends"] == ["done"]
        assert (found.computations, found.deaths) == (2, 1)


def test_what_a_stopped_worker_kept_is_not_computed_again(zygote):
    with world(zygote) as one:
        assert one.run(stops_after=80)["ends"] == ["interrupted"]
        one.wait_for_workers()
        assert one.finish() == ["done"]

        first, second = one.provider.deliveries
        assert (first.state, second.state) == ("stopped", "done")
        assert second.outcome["heard_seconds"] < 90
