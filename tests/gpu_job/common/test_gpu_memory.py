"""Which card a process looks at."""

import sys
from types import SimpleNamespace

import pytest

from gpu_job.common.gpu_memory import Card
from gpu_job.common.settings import WorkerSettings


@pytest.fixture
def driver(monkeypatch):
    """A driver with two cards."""

    class NVMLError(Exception):
        pass

    def by_uuid(uuid):
        if uuid != "GPU-b":
            raise NVMLError
        return "card 1"

    library = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda number: f"card {number}",
        nvmlDeviceGetHandleByUUID=by_uuid,
        nvmlDeviceGetName=lambda handle: f"NVIDIA of {handle}",
        nvmlDeviceGetMemoryInfo=lambda _handle: SimpleNamespace(used=3, free=5),
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)


@pytest.mark.parametrize(
    ("visible", "name"),
    [
        (None, "NVIDIA of card 0"),
        ("1", "NVIDIA of card 1"),
        ("1,0", "NVIDIA of card 1"),
        ("GPU-b", "NVIDIA of card 1"),
        ("GPU-gone", ""),
        ("", ""),
        ("-1", ""),
    ],
)
def test_it_is_the_first_that_the_process_may_use(driver, visible, name):
    card = Card.find(visible)

    assert card.name == name
    assert card.memory().used == (3 if name else 0)


def test_the_environment_says_which_may_be_used():
    assert WorkerSettings.from_environment({"CUDA_VISIBLE_DEVICES": "1"}).visible_cards == "1"
    assert WorkerSettings.from_environment({}).visible_cards is None
