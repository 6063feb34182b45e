"""sql, backfill, doctor, show and run --watch, as people type them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

from cli.runs.watch_inbox import arrivals
from escriba.settings import load_settings
from resources.storage import open_storage

HOUSE = Path(__file__).resolve().parents[2]
MEDIA = HOUSE / "demo" / "recordings"


def command(*arguments):
    return [sys.executable, "-m", "cli", *map(str, arguments)]


def escriba(*arguments, cwd, **environment):
    """Run the command; its exit status, output and complaints."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(HOUSE), "DEFAULT_LANGUAGE": "auto"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two tenants: one recording done in each, one file in the second that is none."""
    folder = tmp_path_factory.mktemp("questions")
    (folder / "notes.mp3").write_text("no audio")
    escriba("add", MEDIA / "english-2-voices.mp3", "--tenant", "law", cwd=folder)
    escriba("add", MEDIA / "portuguese-2-voices.m4a", "notes.mp3", "--tenant", "arts", cwd=folder)
    ran = escriba("run", cwd=folder)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return folder


@pytest.fixture(scope="module")
def asked(place):
    """The same, once somebody asked something: the cost tables are built."""
    assert escriba("sql", "SELECT 1", cwd=place).returncode == 0
    return place


def requests_in(folder):
    found = sorted((folder / "data" / "bucket" / "requests").glob("*.json"))
    return [json.loads(path.read_text()) for path in found]


def test_the_ledger_answers_in_every_form(place):
    query = "SELECT tenant, count(*) AS attempts FROM attempts GROUP BY 1 ORDER BY 1"

    table = escriba("sql", query, cwd=place).stdout
    rows = json.loads(escriba("sql", query, "--json", cwd=place).stdout)
    lines = escriba("sql", query, "--csv", cwd=place).stdout.splitlines()

    assert "arts" in table
    assert rows == [{"tenant": "arts", "attempts": 1}, {"tenant": "law", "attempts": 1}]
    assert lines == ["tenant,attempts", "arts,1", "law,1"]


@pytest.mark.parametrize("words", [("{}", "--json"), ("--json", "{}"), ("--json", "--", "{}")])
@pytest.mark.parametrize("comment", ["-- who = what?", "--who", "-- --csv"])
def test_a_question_may_begin_with_a_comment(asked, comment, words):
    query = f"{comment}\nSELECT count(*) AS attempts FROM attempts"

    done = escriba("sql", "--stale", *(word.format(query) for word in words), cwd=asked)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [{"attempts": 2}]


def test_an_option_that_is_none_is_told(asked):
    done = escriba("sql", "SELECT 1", "--cvs", cwd=asked)

    assert done.returncode == 2
    assert "--cvs" in done.stderr


def test_the_marts_are_built_when_somebody_asks_and_left_as_they_are_when_told_to(place):
    query = "SELECT tenant, sum(cost_usd) > 0 AS paid FROM daily_spend GROUP BY 1 ORDER BY 1"

    fresh = json.loads(escriba("sql", query, "--json", cwd=place).stdout)
    old = escriba("sql", query, "--json", "--stale", cwd=place)
    never = escriba("sql", query, "--stale", cwd=place, COSTS_DATABASE=str(place / "none.duckdb"))

    assert fresh == [{"tenant": "arts", "paid": True}, {"tenant": "law", "paid": True}]
    assert json.loads(old.stdout) == fresh
    assert (never.returncode, "COSTS_DATABASE" in never.stderr) == (1, True)


@pytest.mark.parametrize(
    "query", ["SELECT nothing", "SELECT * FROM read_text('notes.mp3')", "COPY attempts TO 'x.csv'"]
)
def test_a_question_that_is_wrong_or_leaves_the_ledger_is_a_sentence(asked, query):
    done = escriba("sql", query, "--stale", cwd=asked)

    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not (asked / "x.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["--tenant", "law"], ["law/english-2-voices.mp3"]),
        (["--where", "language_is_wrong"], None),
        (["--where", "tenant = 'arts' AND rtf > 0"], ["arts/portuguese-2-voices.m4a"]),
        (["--since", "2099-01-01"], []),
        (["--stage", "diarized_transcript", "--tenant", "law"], ["law/english-2-voices.mp3"]),
        (["--since", "2020-01-01", "--force", "--stage", "transcript", "--tenant", "law"],
         ["law/english-2-voices.mp3"]),
    ],
)  # fmt: skip
def test_a_backfill_asks_for_just_what_fits(place, arguments, keys):
    before = requests_in(place)
    done = escriba("backfill", *arguments, "--json", cwd=place)

    if keys is None:
        assert (done.returncode, "--where" in done.stderr) == (2, True)
        return
    assert json.loads(done.stdout)["recordings"] == keys
    new = [one for one in requests_in(place) if one not in before]
    assert [one["keys"] for one in new] == ([keys] if keys else [])
    for one in new:
        stages = [name for flag, name in pairwise(arguments) if flag == "--stage"]
        assert one["stages"] == stages
        assert one["forced"] == (stages if "--force" in arguments else [])


def test_a_doctor_finds_everything_well_and_says_what_is_odd(place):
    done = escriba("doctor", "--json", cwd=place)

    findings = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert {one["what"] for one in findings} >= {"versions", "bucket", "model", "prices", "Dagster"}
    [model] = [one for one in findings if one["what"] == "model"]
    assert (model["state"], "MODEL=small" in model["advice"]) == ("odd", True)


@pytest.mark.parametrize(
    ("environment", "what", "advice"),
    [
        ({"NIGHTLY_AT": "25:00"}, "settings", ".env"),
        ({"PRICE_BOOK": "nothing.csv"}, "prices", "Add the missing line"),
        ({"MODEL": "."}, "model", "CTranslate2"),
        ({"MODEL": "smal"}, "model", "Correct MODEL"),
        (
            {"MODEL": "small", "HF_HUB_OFFLINE": "1", "HF_HOME": ".", "MODELS_FOLDER": "m"},
            "model", "Set MODEL to a folder",
        ),
        ({"TENANTS_FILE": "none.yaml"}, "settings", ".env"),
        ({"RUNPOD_API_KEY": "hunter2", "RUNPOD_ENDPOINT_ID": "e",
          "RUNPOD_CONTROL_URL": "http://127.0.0.1:9", "RUNPOD_API_URL": "http://127.0.0.1:9"},
         "RunPod", "STORAGE_URL"),
        ({"OPENAI_API_KEY": "hunter2", "OPENAI_MODEL": "whisper-1",
          "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"},
         "OpenAI-compatible API", "OPENAI_BASE_URL"),
        ({"OPENAI_MODEL": "whisper-1"}, "OpenAI-compatible API", "OPENAI_API_KEY"),
        ({"MODEL": "gpt-transcribe"}, "model", "OPENAI_MODEL=gpt-transcribe"),
        ({"DIARIZER": "pyannote", "LOCAL_WORKER_PYTHON": "/none"}, "diarizer", "setup-worker"),
        ({"DAGSTER_POSTGRES_URL": "postgresql://u:hunter2@127.0.0.1:9/x"}, "Dagster", "POSTGRES"),
        (
            {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "9", "SMTP_USER": "u",
             "SMTP_PASSWORD": "hunter2"},
            "mail", "only written to the bucket",
        ),
        (
            {"STORAGE_URL": "s3://b", "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
             "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "hunter2"},
            "bucket", "STORAGE_URL",
        ),
    ],
)  # fmt: skip
def test_a_doctor_names_what_is_broken_and_what_to_do(tmp_path, environment, what, advice):
    done = escriba("doctor", "--json", cwd=tmp_path, **environment)

    assert done.returncode == 1
    broken = [one for one in json.loads(done.stdout) if one["state"] == "broken"]
    assert {one["what"] for one in broken} == {what}
    assert advice in broken[0]["advice"]
    assert "hunter2" not in done.stdout + done.stderr


def test_a_recording_names_the_runs_that_made_it(place):
    done = escriba("show", "english-2-voices.mp3", cwd=place)

    assert "\nrun " in done.stderr
    assert "command line: raw_audio, optimized_audio" in done.stderr
    assert "run " not in done.stdout


def test_what_comes_while_a_run_watches_is_taken_until_it_is_interrupted(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(HOUSE), "DEFAULT_LANGUAGE": "auto"}
    with subprocess.Popen(
        command("run", "--watch"),
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert "Nothing new" in process.stdout.readline()
        escriba("add", MEDIA / "english-2-voices.mp3", cwd=tmp_path)
        assert json.loads(process.stderr.readline())["recording"] == "default/english-2-voices.mp3"
        for _ in range(600):  # Dagster drops an interrupt that comes while it writes a run's end
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=1)
                break

    status = json.loads(escriba("status", "--json", cwd=tmp_path).stdout)
    assert status["done"] == ["default/english-2-voices.mp3"]


def test_arrivals_are_told_once_and_waits_lie_between_looks(tmp_path):
    storage = open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))
    storage.write("inbox/acme/a.wav", b"1")
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 4:
            storage.write("inbox/acme/b.wav", b"1")
        if len(waits) == 8:
            raise KeyboardInterrupt

    came = []

    def gather():
        for found in arrivals(storage, sleep):
            paths = [one.recording.path for one in found]
            came.append(paths)

    with pytest.raises(KeyboardInterrupt):
        gather()

    assert came == [["a.wav"], ["b.wav"]]


def test_a_doctor_proves_on_s3_that_a_signed_address_creates_once(s3, tmp_path):
    done = escriba(
        "doctor",
        "--json",
        cwd=tmp_path,
        STORAGE_URL=f"s3://{s3.bucket}/x",
        AWS_ENDPOINT_URL=s3.settings.aws_endpoint_url,
        AWS_ACCESS_KEY_ID="key",
        AWS_SECRET_ACCESS_KEY="secret",
    )

    found = [one["found"] for one in json.loads(done.stdout) if one["what"] == "bucket"]
    assert "several clients cannot create the same object through a signed URL" in found


def test_a_run_of_the_command_line_says_whose_it_is_and_why(place):
    with dg.DagsterInstance.from_config(str(place / "data" / "dagster")) as instance:
        tags = instance.get_runs(limit=1)[0].tags

    assert (tags["escriba/reason"], tags["escriba/tenant"]) == ("command line", "2 tenants")
    assert tags["escriba/batch"].endswith("-0")
