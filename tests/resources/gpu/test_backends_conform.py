"""What holds for every backend that there is, on the real thing or a server of its own."""

import asyncio
from contextlib import nullcontext

import pytest

from escriba.backend_names import BACKENDS
from escriba.settings import load_settings
from resources.gpu import registry

from .conformance import CHECKS, Place
from .places import PLACES, REQUESTS, VARIANTS, WAIT_SECONDS


@pytest.fixture(params=(*BACKENDS, *VARIANTS))
def place(request, monkeypatch, jobs):
    """A backend of this version, set up."""
    name, opened = VARIANTS.get(request.param) or (request.param, PLACES[request.param])
    fits = REQUESTS.get(name, lambda: nullcontext(lambda request: request))
    with opened(monkeypatch) as (settings, is_at_work), fits() as fitted:
        urls = {key: "http://127.0.0.1:9" for key in settings if key.endswith("_url")}

        def open_(*, unreachable=False):
            changed = settings | (urls if unreachable else {})
            (backend,) = registry._module(name).open_backends(load_settings(**changed))
            return backend

        make, result = jobs

        def request_(*number, **options):
            return fitted(make(*number, **options))

        yield Place(name, open_, bool(urls), request_, result, is_at_work, WAIT_SECONDS)


def test_every_backend_that_there_is_conforms():
    assert PLACES.keys() == set(BACKENDS)


def test_nothing_is_open_that_is_not_set_up():
    opened = {name: registry._module(name).open_backends(load_settings()) for name in BACKENDS}

    assert [name for name, backends in opened.items() if backends] == ["local"]
    assert all(registry._module(name).NEEDS for name in BACKENDS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_check_holds(check, place):
    asyncio.run(check(place))
