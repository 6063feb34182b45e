"""What MODEL=auto is: by where jobs go, and by what the driver of this machine says."""

import ctypes
import sys

import pytest

from escriba.settings import load_settings
from resources.gpu import model_choice
from resources.gpu.model_choice import has_cuda, model_of

CLOUD = {"runpod_api_key": "k", "runpod_endpoint_id": "e"}


class FakeDriver:
    """libcuda, with so many cards that this process may use."""

    def __init__(self, cards, *, starts=True):
        self.cards, self.starts = cards, starts

    def cuInit(self, _):  # noqa: N802  # CUDA's name
        return 0 if self.starts else 100  # CUDA_ERROR_NO_DEVICE

    def cuDeviceGetCount(self, count):  # noqa: N802
        count._obj.value = self.cards
        return 0


@pytest.fixture
def driver(monkeypatch):
    """Puts a driver in place, or none."""

    def put(found):
        def load(_):
            if found is None:
                raise OSError
            return found

        monkeypatch.delenv("MODEL", raising=False)
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.setattr(ctypes, "CDLL", load)
        has_cuda.cache_clear()
        model_choice._auto.cache_clear()

    yield put
    has_cuda.cache_clear()
    model_choice._auto.cache_clear()


@pytest.mark.parametrize(
    ("found", "settings", "model"),
    [
        (None, {}, "small"),
        (FakeDriver(0), {}, "small"),
        (FakeDriver(1, starts=False), {}, "small"),
        (FakeDriver(1), {}, "large-v3-turbo"),
        (FakeDriver(1), {"device": "cpu"}, "small"),
        (None, CLOUD, "large-v3-turbo"),
        (None, CLOUD | {"local_fallback": True}, "large-v3-turbo"),
        (None, CLOUD | {"primary_backend": "local"}, "small"),
        (FakeDriver(2), CLOUD | {"primary_backend": "local"}, "large-v3-turbo"),
        (FakeDriver(1), {"model": "base"}, "base"),
    ],
)
def test_auto_is_a_model_with_a_name(driver, found, settings, model):
    driver(found)

    assert model_of(load_settings(**settings)) == model
