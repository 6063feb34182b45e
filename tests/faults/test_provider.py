"""Whatever RunPod answers, or if it does not: everything is done in the end, and paid once."""

import pytest

from .lives import FAULTS, TWO, disturbed, with_note, world

PHASES = {"before all": 0, "submitted": 3, "queued": 12, "begun": 25, "running": 60, "ending": 109}
DOWN_SECONDS = 600


@pytest.mark.parametrize("verb", ["run", "status", "cancel", "health"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_request_that_goes_wrong_costs_no_second_computation(zygote, fault, verb):
    lives = list(disturbed(zygote, verb, fault))

    assert len(lives) >= 2
    assert sum(one.results for one in lives) == len(lives)


@pytest.mark.parametrize("phase", PHASES)
def test_an_outage_of_ten_minutes_is_waited_out(zygote, phase):
    with with_note(phase), world(zygote, TWO) as one:
        one.provider.outage(PHASES[phase], DOWN_SECONDS)

        assert one.run()["ends"] == ["done", "done"]
        assert one.finish() == ["done", "done"]
        assert one.check().computations == 2
        assert one.timeline.now > DOWN_SECONDS


def test_a_refused_key_is_told_at_once_and_names_its_variable(zygote):
    with world(zygote) as one:
        one.provider.faults["run"].append(FAULTS["401"])
        [end] = one.run()["ends"]

        assert "RUNPOD_API_KEY" in end
        assert one.finish() == ["done"]
        assert one.check().computations == 1


def test_a_job_that_is_lost_in_the_queue_is_handed_over_again(zygote):
    with world(zygote) as one:
        one.provider.lives = [{"lost": "before"}]

        assert one.run()["ends"] == ["done"]
        assert one.finish() == ["done"]
        assert one.check().computations == 1


def test_a_job_of_which_nobody_knows_while_its_worker_goes_on_is_not_computed_twice(zygote):
    with world(zygote) as one:
        one.provider.lives = [{"lost": "during"}]

        assert one.run()["ends"] == ["done"]
        assert one.finish() == ["done"]
        assert one.check().computations == 1


def test_completed_without_a_result_is_believed_by_nobody(zygote):
    with world(zygote) as one:
        one.provider.lives = [{"untold": True}]

        assert one.run()["ends"] == ["done"]
        assert one.finish() == ["done"]
        assert len(one.folder(one.recordings[0]).attempts()) == 2
        assert one.check().computations == 1


@pytest.mark.parametrize("waits", [0, 20, 70])
def test_a_job_that_is_delivered_three_times_is_computed_once(zygote, waits):
    with world(zygote) as one:
        one.provider.lives = [{"times": 3, "waits": waits}]

        assert one.run()["ends"] == ["done"]
        assert one.finish() == ["done"]
        assert one.check().computations == 1


def test_a_job_that_waits_longer_than_its_queue_limit_is_left_to_the_next_attempt(zygote):
    with world(zygote) as one:
        one.provider.lives = [{"waits": 4_000}]

        assert one.run()["ends"] == ["done"]
        assert one.finish() == ["done"]
        assert one.check().computations == 1


def test_two_runs_of_one_batch_share_every_job(zygote):
    names = [f"acme/{n}.mp3" for n in range(6)]
    with world(zygote, names) as one:
        first, second = one.start(seed=1), one.start(seed=2)

        assert first.outcome()["ends"] == second.outcome()["ends"] == ["done"] * 6
        assert one.finish() == ["done"] * 6
        assert one.check().computations == 6
