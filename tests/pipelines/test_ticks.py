"""The real sensor daemon, killed with SIGKILL between the steps of its ticks."""

import pytest

from escriba.recordings import Recording
from intake.work_requests import new_request, submit_request

NAMES = [f"{i}.wav" for i in range(3)]


def fill(place, names=NAMES):
    for name in names:
        place.storage.write(f"inbox/acme/{name}", name.encode())


@pytest.mark.parametrize("step", ["TICK_CREATED", "TICK_HELD", "RUN_IDS_RESERVED", "RUN_CREATED"])
def test_a_daemon_killed_in_a_tick_misses_no_file_and_runs_none_twice(postgres_place, step):
    place = postgres_place
    fill(place)
    place.tick()  # first seen: the files may still be growing

    place.tick(step=step)
    place.tick()
    place.tick()

    assert place.keys_asked_for() == dict.fromkeys([f"acme/{name}" for name in NAMES], 1)


def test_files_become_one_run_and_an_overwritten_one_another(place):
    fill(place)
    for _ in range(4):
        place.tick()
    [run] = place.runs()
    assert run.tags["escriba/tenant"] == "acme"
    assert run.tags["escriba/reason"] == "new in the inbox"

    place.storage.write("inbox/acme/1.wav", b"another")
    for _ in range(3):
        place.tick()

    assert place.keys_asked_for() == {"acme/0.wav": 1, "acme/1.wav": 2, "acme/2.wav": 1}
    with place.instance() as instance:
        known = instance.get_dynamic_partitions("recordings")
    assert sorted(known) == [f"acme/{name}" for name in NAMES]


@pytest.mark.parametrize("step", ["TICK_HELD", "RUN_IDS_RESERVED", "RUN_CREATED"])
def test_a_request_becomes_its_runs_once_and_is_removed(postgres_place, step):
    place = postgres_place
    recordings = [Recording("acme", name) for name in NAMES]
    submit_request(place.storage, new_request("backfill", recordings, stages=["transcript"]))

    place.tick("requests_sensor", step=step)
    place.tick("requests_sensor")
    place.tick("requests_sensor")

    [run] = place.runs()
    config = run.run_config["ops"]["recording_chain"]["config"]
    assert config == {
        "keys": [f"acme/{name}" for name in NAMES],
        "stages": ["transcript"],
        "retry": False,
    }
    assert run.tags["escriba/reason"] == "backfill"
    assert list(place.storage.list("requests/")) == []
