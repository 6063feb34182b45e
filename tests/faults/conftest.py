import pytest

from .zygote import Zygote


@pytest.fixture(scope="session")
def zygote(tmp_path_factory):
    """The process that forks orchestrators and workers."""
    with Zygote(tmp_path_factory.mktemp("zygote")) as one:
        yield one
