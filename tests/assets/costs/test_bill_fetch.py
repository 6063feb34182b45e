"""RunPod's bill, asked of its API: the endpoints that are set, day by day."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from assets.costs.fetch_bills import fetch_last_days
from cli import main
from cli.commands.invoices import command
from escriba.settings import load_settings
from resources.storage import open_storage
from tests.fake_runpod import FakeRunPod, Fault

KEY = "rpa_very_secret"
TODAY = datetime.now(UTC).date()


def record(days_ago, usd, endpoint="abc"):
    day = TODAY - timedelta(days=days_ago)
    return {
        "serverlessId": endpoint,
        "startTime": f"{day}T00:00:00Z",
        "endTime": f"{day + timedelta(days=1)}T00:00:00Z",
        "totalAmount": usd,
    }


@pytest.fixture
def runpod():
    with FakeRunPod(KEY) as fake:
        fake.control.bills = [
            record(0, 0.5),  # today is not over
            record(1, 1.25),
            record(3, 2.5),
            record(3, 4.0, "def"),
            record(3, 100.0, "of something else"),
            record(20, 8.0),
        ]
        yield fake


@pytest.fixture
def environment(runpod, monkeypatch, tmp_path):
    values = {
        "STORAGE_URL": (tmp_path / "bucket").as_uri(),
        "RUNPOD_API_KEY": KEY,
        "RUNPOD_ENDPOINT_ID": "abc",
        "RUNPOD_ENDPOINTS": "h100=def",
        "RUNPOD_CONTROL_URL": f"{runpod.url}/control",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def fetch(*words):
    done = CliRunner().invoke(command, ["fetch", "--json", *words])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_the_days_of_a_week_that_are_over_are_asked_for(environment):
    told = fetch()

    assert (told["new"], told["amount_usd"], told["backends"]) == (3, "7.750000000", ["runpod"])


def test_what_is_asked_for_again_adds_nothing_and_a_correction_takes_its_place(environment, runpod):
    fetch()
    runpod.control.bills[1]["totalAmount"] = 1.5
    again = fetch()

    assert (again["new"], again["replaced"], again["unchanged"]) == (0, 1, 2)


def test_the_first_day_can_be_chosen(environment):
    assert fetch("--since", f"{TODAY - timedelta(days=30)}")["amount_usd"] == "15.750000000"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"RUNPOD_API_KEY": "another"}, "RunPod refuses the key (HTTP 401)"),
        (
            {"RUNPOD_API_KEY": "", "RUNPOD_ENDPOINT_ID": "", "RUNPOD_ENDPOINTS": ""},
            "RunPod's bill cannot be requested",
        ),
    ],
)
def test_whoever_cannot_ask_is_told_why_without_the_key(environment, capsys, change, says):
    for name, value in change.items():
        environment.setenv(name, value)
    environment.setattr("sys.argv", ["escriba", "invoices", "fetch"])

    with pytest.raises(SystemExit) as ended:
        main()

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert says in told
    assert KEY not in told
    assert "Traceback" not in told


def test_the_report_of_the_morning_asks_and_goes_on_without_an_answer(environment, runpod):
    settings = load_settings()
    storage = open_storage(settings)
    came, trouble = fetch_last_days(settings, storage, datetime.now(UTC))
    assert came.startswith("3 rows of runpod, 7.75 USD: 3 new")
    assert not trouble

    runpod.faults["billing"].extend([Fault("answer", 403, body=b"{}")])
    came, trouble = fetch_last_days(settings, storage, datetime.now(UTC))
    assert not came
    assert "refuses the key" in trouble
