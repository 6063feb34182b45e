"""`escriba demo --costs`: a folder of made-up costs that nobody can take for real ones."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from cli.demo.simulation.fleet import simulate
from cli.demo.simulation.plan import SENDERS
from cli.demo.simulation.showcase import DAYS, showcase
from escriba.billing.price_book import read_price_book
from escriba.billing.price_csv import book_csv
from escriba.settings import HOUSE
from resources.ledger.synthetic_mark import NOTICE


def escriba(folder, *words):
    """The command as people type it, in that folder, with no setting of the environment."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder, once made."""
    folder = tmp_path_factory.mktemp("demo")
    done = escriba(folder, "demo", "--costs", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["attempts"] > 5_000
    return folder / "escriba-demo-costs"


def ask(demo, query):
    with duckdb.connect(str(demo / "costs.duckdb"), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(query).fetchall()


def test_it_shows_a_quarter_of_five_tenants_on_four_kinds_of_machines(demo):
    [(days, first, last)] = ask(
        demo, "SELECT count(DISTINCT day), min(day), max(day) FROM marts.daily_spend"
    )
    assert DAYS - 1 <= days <= DAYS
    assert (last - first).days < DAYS
    assert last >= (datetime.now(UTC) - timedelta(days=1)).date()
    tenants = {name for (name,) in ask(demo, "SELECT DISTINCT tenant FROM ledger.attempts")}
    assert tenants == {sender.name for sender in SENDERS}
    skus = ask(demo, "SELECT count(DISTINCT (backend, sku)) FROM ledger.attempts WHERE sku <> ''")
    assert skus == [(4,)]
    assert ask(demo, "SELECT count(*) > 0 FROM marts.anomalies WHERE is_anomaly") == [(True,)]
    assert ask(demo, "SELECT count(*) FROM ledger.attempts WHERE ended_at > now()") == [(0,)]


def test_every_tenant_says_that_it_is_none(demo):
    assert all(
        name.startswith("synthetic-")
        for (name,) in ask(demo, "SELECT DISTINCT tenant FROM marts.daily_spend")
        if name != "unallocated"
    )


@pytest.mark.parametrize("words", [("costs", "--by", "tenant"), ("sql", "SELECT 1")])
def test_whoever_asks_in_its_folder_is_told_that_nothing_was_spent(demo, words):
    done = escriba(demo, *words)

    assert done.returncode == 0, done.stderr
    assert NOTICE in done.stderr
    assert NOTICE not in done.stdout


def test_its_report_is_a_page_and_a_picture_that_say_what_they_are(demo):
    done = escriba(demo, "report", "--no-refresh", "--days", "30", "--out", "r.html", "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["headline"].startswith("SYNTHETIC: US$ ")
    titles = " ".join(one["title"] for one in told["advice"])
    assert "OpenAI" in titles
    assert "workers wait 60 s" in titles
    assert "none of this money was spent" in (demo / "r.html").read_text()
    assert (demo / told["png"]).read_bytes().startswith(b"\x89PNG")


def test_a_report_brings_the_tables_up_to_the_ledger(demo):
    file = next((demo / "bucket" / "ledger" / "attempts").rglob("*.parquet"))
    added = file.with_name("again.parquet")
    added.write_bytes(file.read_bytes())
    done = escriba(demo, "report", "--out", "again.html")

    assert done.returncode == 0, done.stderr
    assert "would save" in done.stdout
    key = f"%{added.name}"
    assert ask(demo, f"SELECT count(*) FROM ledger.loaded_files WHERE key LIKE '{key}'") == [(1,)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--month", "2020-13"), "not a month such as"),
        (("--month", "2020-01", "--days", "3"), "Use either --month or --days"),
        (("--out", "page.png"), "--out must name an HTML file"),
        (("--no-refresh", "--out", "no/such/folder.html"), "Cannot write no/such/folder.html"),
    ],
)
def test_a_report_that_cannot_be_made_says_why(demo, words, said):
    done = escriba(demo, "report", *words)

    assert done.returncode != 0
    assert said in done.stderr


def test_a_report_of_tables_that_were_never_built_says_so(tmp_path):
    done = escriba(tmp_path, "report", "--no-refresh")

    assert done.returncode == 1
    assert "Build it with `escriba costs`" in done.stderr


def test_nothing_of_it_lies_outside_of_its_folder(demo):
    assert [path.name for path in demo.parent.iterdir()] == [demo.name]
    assert (demo / "bucket" / "synthetic.json").exists()


def test_a_folder_with_something_of_ones_own_is_not_touched(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("mine")

    done = escriba(tmp_path, "demo", "--costs", "--folder", "mine")

    assert done.returncode == 2
    assert "Choose another --folder" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["note.txt"]


@pytest.mark.parametrize("place", ["/proc/demo", "note.txt/demo", "note.txt"])
@pytest.mark.parametrize("costs", [["--costs"], []])
def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path, place, costs):
    (tmp_path / "note.txt").write_text("mine")

    done = escriba(tmp_path, "demo", *costs, "--folder", place)

    assert done.returncode == 2
    assert place in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "note.txt").read_text() == "mine"


def test_what_it_cannot_do_is_said(tmp_path):
    done = escriba(tmp_path, "demo", "--costs", "--ui")

    assert done.returncode == 2
    assert "escriba report" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_its_prices_change_on_the_way_and_end_at_what_is_shipped(tmp_path):
    shipped = read_price_book(HOUSE / "dbt_costs" / "seeds" / "price_book.csv")
    now = datetime(2026, 6, 15, 12, tzinfo=UTC)
    plan = showcase(shipped, now)
    (tmp_path / "book.csv").write_text(book_csv(plan.prices))
    book = read_price_book(tmp_path / "book.csv")

    for backend, sku in (("runpod", "l4"), ("aws_gpu", "g5.xlarge")):
        today = shipped.at(backend, sku, now).price_usd
        assert book.at(backend, sku, now).price_usd == today
        assert book.at(backend, sku, plan.start).price_usd != today
    fleet = simulate(plan)
    assert len({row.usd_per_hour for row in fleet.attempts if row.sku == "l4"}) == 2
