import os
import subprocess
import sys

from gpu_job.contract.process_identity import here, is_known_dead, place_of


def test_a_living_process_is_not_dead():
    assert not is_known_dead(here())


def test_a_killed_process_is_known_to_be_dead_and_so_is_its_zombie():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    place = place_of(child.pid)
    assert not is_known_dead(place)

    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_known_dead(place)
    child.wait()
    assert is_known_dead(place)


def test_a_number_that_was_given_to_another_process_is_another_place():
    assert is_known_dead(here().model_copy(update={"started": "1"}))


def test_a_process_of_another_boot_or_container_is_never_called_dead():
    assert not is_known_dead(here().model_copy(update={"boot_id": "other", "pid": 1}))
    assert not is_known_dead(here().model_copy(update={"pid_namespace": "other", "pid": 1}))
