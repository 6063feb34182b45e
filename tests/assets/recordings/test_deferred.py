"""A budget limit defers recordings beyond it, names them, and releases them when it allows."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import dagster as dg
import pytest
from click.testing import CliRunner

from cli import escriba
from escriba.billing.quotes import Capabilities
from escriba.errors import OVER_BUDGET
from escriba.recordings import from_inbox_key
from escriba.settings import load_settings
from intake.deferred_recordings import affordable, deferred, request_name
from intake.inbox import survey_inbox
from intake.quarantine import write_refusal
from intake.work_requests import new_request, read_requests, submit_request
from resources.storage import open_storage
from sensors.budget import budget_sensor
from tests.conftest import RECORDINGS

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture
def paid(quick):
    """A paid backend: RunPod's L4."""
    quick.name, quick.sku = "runpod", "l4"
    quick.capabilities = Capabilities(paid=True, third_party=True)
    return quick


@pytest.fixture
def bucket(cut, tmp_path, monkeypatch):
    """Three recordings in a bucket, and the command line for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORAGE_URL", (tmp_path / "bucket").as_uri())
    for start, name in enumerate("abc"):
        source = RECORDINGS / "english-2-voices.mp3"
        asked("add", str(cut(source, tmp_path / f"{name}.wav", 4.0, start)))
    return open_storage(load_settings())


def asked(*arguments, status=0):
    """The output of a command, which must exit with this status."""
    result = CliRunner().invoke(escriba, arguments, catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def told(*arguments, status=0):
    return json.loads(asked(*arguments, "--json", status=status))


def test_what_would_pass_the_limit_is_deferred_named_and_no_failure(bucket, paid, monkeypatch):
    monkeypatch.setenv("DAILY_COST_THRESHOLD", "0.001")

    ran = told("run", status=3)

    assert (ran["done"], ran["failed"], len(ran["deferred"])) == ([], [], 3)
    assert "DAILY_COST_THRESHOLD" in ran["deferred"][0]["message"]
    status = told("status")
    assert [one["recording"] for one in status["deferred"]] == [f"default/{n}.wav" for n in "abc"]
    assert (status["new"], status["failed"]) == ([], [])


def test_the_run_of_what_is_deferred_is_green(house, paid, clips):
    recording = house.put(clips.english, "a.wav")
    house.settings = house.settings.model_copy(update={"daily_cost_threshold": Decimal(0)})

    assert house.run([recording]).success
    assert house.status("transcript") == (set(), set())
    assert "deferred" in house.storage.read(recording.work_key("log.jsonl")).decode()


def test_what_is_deferred_is_taken_up_by_the_next_run_that_may(bucket, paid, monkeypatch):
    monkeypatch.setenv("DAILY_COST_THRESHOLD", "0.001")
    asked("run", status=3)
    monkeypatch.setenv("DAILY_COST_THRESHOLD", "50")

    assert len(told("run")["done"]) == 3
    assert survey_inbox(bucket).deferred == {}


def test_a_tenants_own_budget_holds_back_its_recordings_alone(bucket, paid, tmp_path):
    (tmp_path / "tenants.yaml").write_text("tenants: {default: {budget: {day_usd: 0.001}}}")
    asked("add", str(tmp_path / "a.wav"), "--tenant", "rich")

    ran = told("run", status=3)

    assert ran["done"] == ["rich/a.wav"]
    assert "the daily budget of default" in ran["deferred"][0]["message"]


def test_only_as_many_are_asked_for_as_the_budget_allows(bucket, paid, monkeypatch):
    monkeypatch.setenv("DAILY_COST_THRESHOLD", "0.001")
    asked("run", status=3)
    waiting = deferred(bucket)
    needs = next(iter(waiting.values())).needs_usd

    for threshold, count in (("0.001", 0), (str(needs), 1), (str(needs * 2), 2), ("50", 3)):
        monkeypatch.setenv("DAILY_COST_THRESHOLD", threshold)
        assert len(asyncio.run(affordable(load_settings(), bucket, waiting))) == count


def test_the_sensor_asks_once_for_what_the_budget_allows(bucket, paid, monkeypatch):
    monkeypatch.setenv("DAILY_COST_THRESHOLD", "0.001")
    asked("run", status=3)
    monkeypatch.setenv("DAILY_COST_THRESHOLD", "50")

    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            tick(instance)

    [request] = read_requests(bucket)
    assert len(request.keys) == 3


def tick(instance):
    context = dg.build_sensor_context(instance=instance, resources={"settings": load_settings()})
    return budget_sensor.evaluate_tick(context)


def test_what_waits_in_a_request_is_not_asked_for_beside_it(bucket, paid, monkeypatch):
    monkeypatch.setenv("DAILY_COST_THRESHOLD", "0.001")
    asked("run", status=3)
    monkeypatch.setenv("DAILY_COST_THRESHOLD", "50")
    first = sorted(deferred(bucket))[:2]
    submit_request(bucket, new_request("somebody wants it", first))

    with dg.DagsterInstance.ephemeral() as instance:
        tick(instance)

    ours = [request for request in read_requests(bucket) if request.id.startswith("deferred-")]
    assert [request.keys for request in ours] == [("default/c.wav",)]


def test_what_a_run_that_died_left_deferred_may_be_asked_for_again_in_the_next_hour(bucket, paid):
    refusal = write_refusal(
        bucket,
        "inbox/default/a.wav",
        "default",
        etag="1",
        stage="transcript",
        code=OVER_BUDGET,
        message="It waits.",
        advice="Nothing.",
        permanent=False,
    )
    taken = {from_inbox_key("inbox/default/a.wav"): refusal}
    names = [request_name(taken, NOON + timedelta(minutes=m)) for m in (0, 59, 60)]

    assert names[0] == names[1] != names[2]


def test_a_name_with_a_space_that_does_not_break_is_taken_up(bucket, paid, monkeypatch, tmp_path):
    (tmp_path / "a.wav").rename(tmp_path / "Reunião\u00a0de maio.wav")
    asked("add", str(tmp_path / "Reunião\u00a0de maio.wav"))
    monkeypatch.setenv("DAILY_COST_THRESHOLD", "0.001")

    asked("run", status=3)

    assert "default/Reunião\u00a0de maio.wav" in {one.name for one in deferred(bucket)}
