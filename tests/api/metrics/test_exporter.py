"""What the exporter counts, what it reads for it, and who may read the page."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import dagster as dg
import pytest
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from api.metrics.exporter import Exporter, registry_of
from api.metrics.page import make_app
from escriba.settings import HOUSE, load_settings
from resources.compaction import compact_ledger
from resources.gpu.engine_reports import EngineReport, write_report
from resources.ledger.writer import write_rows
from resources.storage import open_storage

NIGHT = datetime(2026, 3, 10, 3, tzinfo=UTC)
TOKEN = "a token of some length".replace(" ", "-")


class Scraped(dict):
    """The samples of a scrape, by name and labels."""

    def __init__(self, exporter):
        text = generate_latest(registry_of(exporter)).decode()
        for family in text_string_to_metric_families(text):
            for one in family.samples:
                self[one.name, frozenset(one.labels.items())] = one.value

    def of(self, name, **labels):
        return self.get((name, frozenset(labels.items())))

    def labels(self, name, label):
        return {dict(labels)[label] for of, labels in self if of == name}


@pytest.fixture
def house(tmp_path, attempt):
    """A bucket, `scrape`, and `start` for an exporter that has just been started."""
    (tmp_path / "dagster").mkdir()
    settings = load_settings(
        storage_url=(tmp_path / "bucket").as_uri(),
        dagster_home=tmp_path / "dagster",
        costs_database=tmp_path / "costs.duckdb",
        metrics_tenants=2,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        found = SimpleNamespace(storage=open_storage(settings), settings=settings, now=NIGHT)
        found.start = lambda: Exporter(settings, found.storage, instance, lambda: found.now)
        found.write = lambda *names, **changes: write_rows(
            found.storage,
            [attempt(name, started_at=found.now, **changes) for name in names],
        )
        yield found


def done(scraped):
    return scraped.of("transcription_jobs_total", backend="runpod", status="done")


def test_a_batch_that_is_over_before_the_first_scrape_is_counted(house):
    exporter = house.start()
    assert Scraped(exporter).of("transcription_jobs_total", backend="none", status="done") is None
    house.write("a", "b")
    house.write("c", status="failed", error_type="cuda", rtf=None)

    scraped = Scraped(exporter)

    assert done(scraped) == 2
    assert scraped.of("transcription_jobs_failed_total", error_type="cuda") == 1
    assert scraped.of("transcription_cost_usd_total", backend="runpod") == pytest.approx(0.057)
    assert scraped.of("escriba_wasted_usd_total", backend="runpod") == pytest.approx(0.019)
    assert scraped.of("escriba_audio_seconds_total", backend="runpod") == 1200
    per_hour = scraped.of("transcription_cost_per_audio_hour", backend="runpod")
    assert per_hour == pytest.approx(0.057 * 3)
    latency = "transcription_job_duration_seconds_bucket"
    assert scraped.of(latency, backend="runpod", le="60.0") == 0
    assert scraped.of(latency, backend="runpod", le="120.0") == 2  # queued 3 s, ran 100 s
    assert scraped.of("transcription_rtf_bucket", backend="runpod", le="0.2") == 2


def test_no_counter_falls_after_a_restart_a_compaction_or_a_late_result(house):
    first = house.start()
    house.write("a", "b", status="lost")
    before = Scraped(first)
    house.write("a")  # it was lost, and delivers its result
    house.now += timedelta(days=1)
    house.write("c")

    after = Scraped(house.start())

    assert done(after) == 2
    assert after.of("transcription_jobs_total", backend="runpod", status="lost") == 2
    assert after.of("transcription_cost_usd_total", backend="runpod") == pytest.approx(0.057)
    house.now += timedelta(days=7)
    compact_ledger(house.storage, house.now + timedelta(days=2))
    last = Scraped(house.start())
    for name, labels in before:
        if name.endswith(("_total", "_bucket", "_count", "_sum")):
            assert before[name, labels] <= after[name, labels] <= last[name, labels]
    assert last.of("transcription_cost_usd_total", backend="runpod") == pytest.approx(0.057)


def test_without_its_file_the_totals_come_from_the_ledger(house):
    house.write("a", "b")
    house.now += timedelta(days=40)
    house.write("c")
    assert done(Scraped(house.start())) == 3

    (house.settings.dagster_home / "metrics.json").write_text("half a fi")

    scraped = Scraped(house.start())
    assert done(scraped) == 3
    assert scraped.of("transcription_cost_per_audio_hour", backend="runpod") == pytest.approx(0.114)


def test_a_clock_that_is_set_back_counts_no_day_twice(house):
    exporter = house.start()
    house.write("a")
    midnight = datetime(2026, 3, 19, tzinfo=UTC)  # from then on the day of "a" is not looked at
    for moment in (house.now, midnight - timedelta(days=4), midnight + timedelta(seconds=1)):
        house.now = moment
        assert done(Scraped(exporter)) == 1

    for back in (timedelta(seconds=2), timedelta(days=5)):
        house.now = midnight - back
        assert done(Scraped(exporter)) == 1
        assert done(Scraped(house.start())) == 1


def test_a_full_disk_hides_no_totals(house):
    exporter = house.start()
    (house.settings.dagster_home / "metrics.json").mkdir()
    house.write("a")
    assert done(Scraped(exporter)) == 1


def test_a_scrape_reads_only_what_is_new(house, monkeypatch):
    exporter = house.start()
    for name in "abcdefgh":
        house.write(name)
    Scraped(exporter)
    read, original = [], house.storage.read
    monkeypatch.setattr(
        house.storage, "read", lambda key, *more: (read.append(key), original(key, *more))[1]
    )

    assert done(Scraped(exporter)) == 8
    assert not [key for key in read if key.startswith("ledger/attempts/")]
    [new] = house.write("i")
    assert done(Scraped(exporter)) == 9
    assert [key for key in read if key.startswith("ledger/attempts/")] == [new]


def test_tenants_beyond_the_limit_share_one_series_and_recordings_have_none(house):
    exporter = house.start()
    for number in range(30):
        name = f"{number:02}"
        house.write(name, tenant=f"tenant-{name}", attempt_id=f"t:{name}:1")

    scraped = Scraped(exporter)

    cost = "escriba_tenant_cost_usd_total"
    assert len(scraped.labels(cost, "tenant")) == 3
    assert scraped.of(cost, tenant="other") == pytest.approx(28 * 0.019)
    values = {value for _, labels in scraped for _, value in labels}
    assert not {value for value in values if ".mp3" in value}


def test_the_engines_say_what_waits_and_what_is_cut_off(house):
    state = {"waiting": 5, "active": {"runpod": 2}, "circuit_open_seconds": {"aws_gpu": 700}}
    write_report(house.storage, "one", EngineReport(at=house.now, **state))
    write_report(house.storage, "two", EngineReport(at=house.now, waiting=1, active={"runpod": 1}))
    killed = house.now - timedelta(minutes=4)
    write_report(house.storage, "killed", EngineReport(at=killed, waiting=100))

    scraped = Scraped(house.start())

    assert scraped.of("transcription_queue_size") == 6
    assert scraped.of("transcription_active_workers", backend="runpod") == 3
    assert scraped.of("escriba_circuit_open_seconds", backend="aws_gpu") == 700
    assert scraped.of("escriba_engines") == 2


def test_a_source_that_fails_hides_no_other(house, monkeypatch):
    exporter = house.start()
    house.write("a")
    house.settings.costs_database.write_bytes(b"not a database")

    scraped = Scraped(exporter)

    assert scraped.of("escriba_source_up", source="bills") == 0
    assert scraped.of("escriba_source_up", source="ledger") == 1
    assert done(scraped) == 1


def test_the_docs_list_each_metric_with_its_labels(busy_house):
    busy_house.work("documented")
    listed = {}
    for line in (HOUSE / "docs" / "metrics.md").read_text("utf-8").splitlines():
        if line.startswith("| `"):
            name, _, labels = (cell.replace("`", "").strip() for cell in line.split("|")[1:4])
            listed[name] = {label for label in labels.split(", ") if label}
    found = {}
    for name, labels in Scraped(busy_house.exporter):
        base = name
        for suffix in ("_bucket", "_sum", "_count"):
            base = base.removesuffix(suffix)
        found.setdefault(base, set()).update({label for label, _ in labels} - {"le"})

    assert listed == found


@pytest.mark.parametrize(
    ("token", "client", "headers", "status"),
    [
        ("", "127.0.0.1", {}, 200),
        ("", "::1", {}, 200),
        ("", "192.168.1.7", {}, 403),
        ("", "127.0.0.1", {"X-Forwarded-For": "8.8.8.8"}, 403),
        ("", "127.0.0.1", {"Host": "evil.example"}, 421),
        (TOKEN, "127.0.0.1", {}, 401),
        (TOKEN, "192.168.1.7", {"Authorization": "Bearer wrong"}, 401),
        (TOKEN, "192.168.1.7", {"Authorization": f"Bearer {TOKEN}", "Host": "escriba:3002"}, 200),
    ],
)
def test_only_this_machine_or_who_has_the_token_reads_the_page(
    house, token, client, headers, status
):
    app = make_app(registry_of(house.start()), token)
    browser = TestClient(app, base_url="http://localhost", client=(client, 50_000))

    answer = browser.get("/metrics", headers=headers)

    assert answer.status_code == status
    assert ("transcription_queue_size" in answer.text) == (status == 200)
