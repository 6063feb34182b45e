"""The openai backend: what it offers the router, what it costs, and when it is down."""

import asyncio
import dataclasses
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.backend_exclusions import exclusion, lasting_exclusion
from escriba.billing.permissions import Permission
from escriba.billing.price_book import read_price_book
from escriba.billing.quotes import Capabilities, Health, JobSize, Speed
from escriba.settings import load_settings
from gpu_job.contract.api_presets import preset_of
from resources.gpu.api_workers.api_health import ApiHealth, end_of_life
from resources.gpu.backends import openai
from resources.gpu.backends.openai import OpenaiBackend, billed_ms, is_set_up
from resources.gpu.local_worker import LocalJob
from tests.fake_openai import FakeOpenAI

OPENAI, GROQ = "https://api.openai.com/v1", "https://api.groq.com/openai/v1"
HOUR = JobSize(3_600_000, 3_000_000, 1, "whisper-1", "pt", diarized=True)
SPEED = Speed(rtf=0.05, start_seconds=5.0, basis="planned")
KEY = "sk-test-SECRET"


def backend(url=OPENAI, model="whisper-1", **more):
    settings = {"openai_base_url": url, "openai_model": model, "openai_api_key": KEY} | more
    return OpenaiBackend(load_settings(**settings))


def quote(made, job=HOUR):
    book = read_price_book(load_settings().price_book)
    return made.quote(job, book.at(made.name, made.sku, datetime.now(UTC)), SPEED)


@pytest.fixture
def api():
    with FakeOpenAI(key=KEY) as server:
        yield server


def test_a_key_alone_sends_nothing():
    assert not is_set_up(load_settings(openai_api_key=KEY))
    assert not is_set_up(load_settings(openai_model="whisper-1"))
    assert is_set_up(load_settings(openai_api_key=KEY, openai_model="whisper-1"))


def test_a_server_of_ones_own_needs_no_key():
    own = {"openai_base_url": "http://localhost:8000/v1", "openai_model": "Systran/x"}

    assert is_set_up(load_settings(**own))
    assert not is_set_up(load_settings(**own, openai_is_own_server="no"))


@pytest.mark.parametrize(
    ("url", "model", "usd"),
    [
        (OPENAI, "whisper-1", "0.36"),
        (OPENAI, "gpt-transcribe", "0.27"),
        (OPENAI, "gpt-4o-mini-transcribe", "0.18"),
        (GROQ, "whisper-large-v3-turbo", "0.04000002"),
        (GROQ, "whisper-large-v3", "0.111"),
        ("https://api.mistral.ai/v1", "voxtral-mini-latest", "0.21"),
        ("http://localhost:8000/v1", "any", "0.015"),
    ],
)
def test_an_hour_has_the_price_of_the_api(url, model, usd):
    assert quote(backend(url, model)).cost_usd == Decimal(usd)


def test_the_last_piece_is_billed_with_the_minimum():
    groq = preset_of(GROQ, "whisper-large-v3-turbo")

    assert billed_ms(4_000, groq) == 10_000
    assert billed_ms(603_000, groq) == 610_000
    assert billed_ms(650_000, groq) == 650_000
    assert billed_ms(4_000, preset_of(OPENAI, "whisper-1")) == 4_000


def test_the_tenants_permission_is_needed_but_not_for_ones_own_server():
    forbids = Permission(third_parties=False)

    def cause(made):
        job = dataclasses.replace(HOUR, model=min(made.capabilities.models))
        return lasting_exclusion(job, made.name, made.capabilities, forbids)

    assert cause(backend()) == (
        "permission",
        "it sends audio to a third party, which the tenant forbids",
    )
    assert cause(backend("http://localhost:8000/v1", "any")) == ("", "")


def test_a_tenant_may_permit_only_regions():
    eu = Permission(regions=("eu",))

    assert "unknown" in lasting_exclusion(HOUR, "openai", backend().capabilities, eu)[1]
    regional = backend(openai_regions="eu").capabilities
    assert lasting_exclusion(HOUR, "openai", regional, eu) == ("", "")


def test_a_job_goes_only_where_its_model_is():
    turbo = dataclasses.replace(HOUR, model="large-v3-turbo")
    anything = Permission()

    assert lasting_exclusion(turbo, "openai", backend().capabilities, anything)[0] == "capability"
    groq = backend(GROQ, "whisper-large-v3-turbo").capabilities
    assert lasting_exclusion(turbo, "openai", groq, anything) == ("", "")
    speaches = backend("http://localhost:8000/v1", "deepdml/faster-whisper-large-v3-turbo-ct2")
    assert lasting_exclusion(turbo, "openai", speaches.capabilities, anything) == ("", "")


def test_a_model_behind_an_api_is_for_no_machine():
    machine = Capabilities(paid=False, third_party=False)

    cause = lasting_exclusion(HOUR, "local", machine, Permission())

    assert cause == ("capability", "the model whisper-1 exists only behind its API")


def test_a_model_that_does_not_name_the_language_needs_one():
    silent = backend(model="gpt-4o-transcribe").capabilities
    unknown = dataclasses.replace(HOUR, model="gpt-4o-transcribe", language=None)

    assert "the language is unknown" in lasting_exclusion(unknown, "x", silent, Permission())[1]
    assert backend().capabilities.languages is None


def test_the_end_of_life_is_told_sixty_days_before_and_refuses_after():
    preset = preset_of(OPENAI, "whisper-1")

    assert end_of_life(preset, date(2026, 12, 27)) == ""
    assert end_of_life(preset, date(2026, 12, 28)) == "whisper-1 ends on 2027-02-26, in 60 days"
    assert "OPENAI_MODEL" in end_of_life(preset, date(2027, 2, 26))


def test_the_routers_reasons_show_the_end_of_life(monkeypatch):
    monkeypatch.setattr(openai, "today", lambda: date(2027, 1, 1))

    assert quote(backend()).basis == "planned; whisper-1 ends on 2027-02-26, in 56 days"


def health(api, *, day=date(2026, 11, 30), key=KEY, url=None, clock=lambda: 0.0):
    preset = preset_of(OPENAI, "whisper-1")
    return ApiHealth(url or api.url, key, preset, clock=clock, day=lambda: day)


def state(found):
    return found.state, found.lasting


def test_it_is_well_where_the_api_answers_and_lists_the_model(api):
    assert asyncio.run(health(api).health()) == Health("well")


def test_it_asks_every_thirty_seconds_at_most(api):
    now = [0.0]
    watch = health(api, clock=lambda: now[0])
    asyncio.run(watch.health())
    api.key = "another"

    assert asyncio.run(watch.health()).state == "well"
    now[0] = 30.0
    assert asyncio.run(watch.health()).state == "down"


def test_orders_that_wait_together_ask_once(api):
    watch = health(api)

    async def all_at_once():
        return await asyncio.gather(*(watch.health() for _ in range(50)))

    assert asyncio.run(all_at_once()) == [Health("well")] * 50
    assert len(api.looks) == 1


def test_a_refused_key_lasts_and_names_the_setting(api):
    found = asyncio.run(health(api, key="sk-WRONG").health())

    assert state(found) == ("down", True)
    assert "OPENAI_API_KEY" in found.reason
    assert "WRONG" not in found.reason


def test_a_server_that_does_not_answer_may_come_back():
    assert state(asyncio.run(health(None, url="http://127.0.0.1:9/v1").health())) == ("down", False)


def test_a_model_that_is_not_listed_is_only_doubted(api):
    api.models = ("whisper-2",)

    found = asyncio.run(health(api).health())

    assert (found.state, "OPENAI_MODEL=whisper-1" in found.reason) == ("degraded", True)


def test_after_its_end_a_model_is_down_for_good(api):
    found = asyncio.run(health(api, day=date(2027, 2, 26)).health())

    assert state(found) == ("down", True)


def test_an_account_that_a_job_was_refused_with_is_not_tried_again_for_ten_minutes(api):
    now = [0.0]
    watch = health(api, clock=lambda: now[0])
    job = LocalJob("a", 1, lambda _: None, code="api_refused", error="Add credit.")

    watch.ended(job)
    assert state(asyncio.run(watch.health())) == ("down", True)
    now[0] = 600.0
    assert asyncio.run(watch.health()).state == "well"


def test_other_failures_say_nothing_about_the_account(api):
    watch = health(api)

    watch.ended(LocalJob("a", 1, lambda _: None, code="internal", error="a piece is too long"))

    assert asyncio.run(watch.health()).state == "well"


def test_a_worker_that_cannot_start_takes_the_backend_down(api):
    made = backend(api.url, openai_is_own_server="yes", local_worker_python="/no/such/python")

    async def go():
        with pytest.raises(Exception, match="LOCAL_WORKER_PYTHON"):
            async with made.slot():
                pass
        return await made.health()

    assert state(asyncio.run(go())) == ("down", True)


def test_health_excludes_it_from_the_route():
    made = backend()
    down = Health("down", "it refuses the key", lasting=True)

    cause = exclusion(HOUR, quote(made), made.capabilities, down, permission=Permission(), left=())

    assert cause == ("health", "it is down: it refuses the key")


def test_sixty_days_are_counted_from_the_table():
    ends = preset_of(OPENAI, "whisper-1").ends_on

    assert end_of_life(preset_of(OPENAI, "whisper-1"), ends - timedelta(days=61)) == ""
