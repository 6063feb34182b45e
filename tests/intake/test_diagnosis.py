"""What `escriba doctor --deep` finds, and what it leaves alone."""

import dataclasses
import hashlib
import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest
from click.testing import CliRunner

from cli import escriba
from escriba.billing.attempts import Attempt
from escriba.recordings import from_inbox_key
from escriba.settings import HOUSE
from gpu_job.contract.process_identity import here
from intake.diagnosis.causes import failure_cause
from intake.diagnosis.diagnose import diagnose
from intake.diagnosis.findings import Code
from intake.work_requests import new_request, submit_request
from resources.gpu.job_folder import JobFolder
from resources.ledger.writer import write_rows
from resources.spending.reservations import Spending, reservation_of
from resources.storage.clock import utc_now


@pytest.fixture
def found(storage, day):
    """The findings on the day after everything happened, by code."""

    def find(*rows, days=7, **options):
        if rows:
            write_rows(storage, rows)
        findings = diagnose(storage, day + timedelta(days=1), days=days, **options)
        return {code: [one for one in findings if one.code == code] for code in get_args(Code)}

    return find


@pytest.fixture
def open_attempt(aged):
    """Leaves an open attempt in the bucket, as old as wanted; a heartbeat that old, or none."""

    def leave(name, age, silent=None):
        now = utc_now()
        attempt = Attempt(
            job=hashlib.sha256(name.encode()).hexdigest(),
            attempt=1,
            nonce="ab" * 8,
            backend="runpod",
            sku="l4",
            tenant="acme",
            recording=f"acme/{name}.wav",
            model="demo",
            audio_ms=1_000,
            speech_ms=1_000,
            queued_at=now,
            created_at=now,
            creator=here(),
            queue_limit_seconds=60,
            run_limit_seconds=60,
            quote_usd=Decimal(1),
        )
        folder, reservation = JobFolder(aged, "acme", attempt.job), reservation_of(attempt)
        assert folder.begin(attempt)
        Spending(aged).reserve(reservation)
        aged.older_seconds[reservation.key] = age
        if silent is not None:
            aged.write(folder.key("claim-1.json"), b"{}")
            aged.older_seconds[folder.key("claim-1.json")] = silent

    return leave


class AgedStorage:
    """A bucket in which some objects are older than they are; a folder has its own times."""

    def __init__(self, storage):
        self._storage, self.older_seconds = storage, {}

    def __getattr__(self, name):
        return getattr(self._storage, name)

    def list(self, prefix, after=""):
        return map(self._aged, self._storage.list(prefix, after))

    def head(self, key):
        found = self._storage.head(key)
        return found and self._aged(found)

    def _aged(self, found):
        older = timedelta(seconds=self.older_seconds.get(found.key, 0))
        return dataclasses.replace(found, modified=found.modified - older)


@pytest.fixture
def aged(storage):
    return AgedStorage(storage)


def test_slow_jobs_are_named_by_machine_with_the_slowest_first(found, attempt):
    slow = [attempt(f"s{n}", ran=301.0 + n) for n in range(3)]
    findings = found(*slow, attempt("quick", ran=299.0), attempt("x", ran=900.0, status="failed"))

    [one] = findings["slow_jobs"]
    assert one.found.startswith("3 jobs on runpod/l4 took over 0.5 s for a second of audio")
    assert one.recordings == ("acme/s2.mp3", "acme/s1.mp3", "acme/s0.mp3")


def test_this_machine_gets_other_advice_than_a_gpu(found, attempt):
    findings = found(attempt("a", ran=400.0, backend="local", sku="this-machine"))

    assert "MODEL=small" in findings["slow_jobs"][0].command


def test_cold_starts_over_ten_seconds_name_the_first_recording_of_the_worker(
    found, attempt, session
):
    first, other = attempt("first"), attempt("other", worker="w2")
    cold, warm = session(first, "cold", boot=25.0), session(other, "warm", boot=9.0)

    findings = found(cold, warm, first, other)

    [one] = findings["cold_starts"]
    assert "1 workers" in one.found
    assert "25 s" in one.found
    assert one.recordings == ("acme/first.mp3",)
    assert "RUNPOD_WORKERS_MIN" in one.command


def test_failures_are_grouped_by_backend_and_kind_with_their_share(found, attempt):
    findings = found(
        attempt("a", status="failed", error_type="out_of_memory"),
        attempt("b", status="failed", error_type="out_of_memory"),
        attempt("c", status="lost", backend="aws_gpu", sku="g5.xlarge"),
        attempt("d"),
        attempt("e"),
    )

    told = [(one.count, one.found, one.command) for one in findings["failures"]]
    assert told[0][:2] == (
        2,
        "2 attempts on runpod ended as out_of_memory (50% of its attempts)",
    )
    assert "BATCH_WINDOWS" in told[0][2]
    assert told[1][1] == "1 attempts on aws_gpu ended as lost (100% of its attempts)"
    assert told[1][2].startswith("escriba reconcile")


def test_a_kind_that_nobody_foresaw_has_a_command_too():
    assert "escriba status" in failure_cause("never_seen")[1]


def test_a_job_is_dear_with_all_its_attempts_together(found, attempt):
    findings = found(
        attempt("two", cost_usd=Decimal("0.6"), status="lost"),
        attempt("two", attempt_id="acme:two:2", attempt=2, cost_usd=Decimal("0.6")),
        attempt("cheap", cost_usd=Decimal("1.0")),
    )

    [one] = findings["dear_jobs"]
    assert (one.count, one.recordings) == (1, ("acme/two.mp3",))
    assert "dearest 1.20 USD" in one.found
    assert "attempts" in one.cause


def test_what_ended_before_the_period_is_not_found(found, attempt, day):
    old = attempt("old", ran=400.0, started_at=day - timedelta(days=7))

    assert not any(found(old).values())
    assert found(days=30)["slow_jobs"]


def test_jobs_open_for_over_an_hour_are_told_apart_by_what_their_worker_does(aged, open_attempt):
    open_attempt("dead", 7_200, silent=400)
    open_attempt("alive", 4_000, silent=10)
    open_attempt("queued", 5_000)
    open_attempt("fresh", 3_000, silent=2_000)

    findings = diagnose(aged, utc_now(), days=7)

    assert [(one.code, one.recordings, one.command.split(" (")[0]) for one in findings] == [
        ("stuck_jobs", ("acme/dead.wav",), "escriba reconcile"),
        ("stuck_jobs", ("acme/queued.wav",), "escriba doctor"),
        ("stuck_jobs", ("acme/alive.wav",), "escriba doctor --deep"),
    ]


@pytest.mark.parametrize(("waiting", "workers", "is_found"), [(51, 0, 1), (50, 0, 0), (60, 5, 0)])
def test_a_queue_of_over_50_is_found_if_fewer_than_5_workers_work(
    aged, open_attempt, waiting, workers, is_found
):
    recordings = [from_inbox_key(f"inbox/acme/{n:03}.wav") for n in range(waiting)]
    for one in recordings:
        aged.write(one.inbox_key, b"sound")
    submit_request(aged, new_request("many", recordings))
    for n in range(workers):
        open_attempt(f"busy{n}", 60, silent=5)

    findings = diagnose(aged, utc_now(), days=7)

    assert len(findings) == is_found
    assert (
        not findings or findings[0].found == f"{waiting} recordings wait, and 0 workers are at work"
    )


def test_every_finding_has_its_section_in_the_runbook():
    text = (HOUSE / "docs" / "runbook.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (.+)$", text.partition("## Findings")[2], re.MULTILINE)

    anchors = {title.lower().replace(" ", "-") for title in sections}
    assert {code.replace("_", "-") for code in get_args(Code)} <= anchors


def test_the_command_shows_recordings_cause_and_what_mends_it(storage, attempt, monkeypatch, capfd):
    monkeypatch.setenv("STORAGE_URL", storage.url)
    started = utc_now() - timedelta(hours=1)
    write_rows(storage, [attempt("a", ran=400.0, started_at=started)])

    told = CliRunner().invoke(escriba, ["doctor", "--deep", "--json"], catch_exceptions=False)
    CliRunner().invoke(escriba, ["doctor", "--deep"], catch_exceptions=False)

    [one] = json.loads(told.output)["findings"]
    assert (one["recordings"], one["page"]) == (["acme/a.mp3"], "docs/runbook.md#slow-jobs")
    shown = capfd.readouterr().out
    for line in ("slow jobs: 1 jobs on runpod/l4", "recordings: acme/a.mp3", "what mends it:"):
        assert line in shown
