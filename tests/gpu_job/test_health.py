"""The health check, and the fitness of a machine."""

import os
import subprocess
import sys
import time

import pytest

from gpu_job.common.gpu_memory import GIB, Card, Memory
from gpu_job.common.settings import WorkerSettings
from gpu_job.liveness import HANGS_AFTER_SECONDS, forget
from gpu_job.startup_checks import UnfitError, check_card, check_model_is_there


@pytest.fixture
def health(tmp_path):
    (tmp_path / "models" / "m").mkdir(parents=True)
    (tmp_path / "models" / "m" / "model.bin").write_bytes(b"1")
    here = {"MODELS_FOLDER": str(tmp_path / "models"), "MODEL": "m", "TMPDIR": str(tmp_path)}

    def check(**changes):
        done = subprocess.run(
            [sys.executable, "-m", "gpu_job.health"],
            env=os.environ | here | changes,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return check


def test_a_worker_that_loads_or_works_through_a_manifest_is_healthy(health):
    assert health() == (0, "healthy\n")


def test_a_loop_that_hangs_a_lost_card_and_a_torn_model_are_unhealthy(health, tmp_path):
    pulse = tmp_path / "gpu_job.liveness"
    pulse.touch()
    assert health()[0] == 0

    old = time.time() - HANGS_AFTER_SECONDS - 60
    os.utime(pulse, (old, old))
    assert health()[0] == 1
    assert "the event loop has not responded" in health()[1]

    forget(pulse)
    assert "driver" in health(DEVICE="cuda")[1]
    assert "DEVICE=tpu" in health(DEVICE="tpu")[1]
    (tmp_path / "models" / "m" / "model.bin").unlink()
    assert "model.bin" in health()[1]


def test_a_card_must_have_room_where_one_is_paid_for(tmp_path):
    wanted = WorkerSettings(models=tmp_path, device="cuda")

    check_card(wanted, Card("L4", lambda: Memory(0, 23 * GIB)))
    check_card(WorkerSettings(models=tmp_path), Card("", lambda: Memory(0, 0)))
    with pytest.raises(UnfitError, match="1024 MiB free"):
        check_card(wanted, Card("L4", lambda: Memory(22 * GIB, GIB)))
    with pytest.raises(UnfitError, match="--gpus all"):
        check_card(wanted, Card("", lambda: Memory(0, 0)))


def test_a_model_of_the_hub_is_not_looked_for(tmp_path):
    check_model_is_there(WorkerSettings(models=tmp_path, model="small"))
