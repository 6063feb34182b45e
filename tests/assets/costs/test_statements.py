"""Statements of a simulated fleet: to the cent, of each tenant alone, on paper and in tables."""

import csv
import io
import json
import shutil
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import dagster as dg
import openpyxl
import pytest
from click.testing import CliRunner
from playwright.sync_api import sync_playwright

from assets.costs.statements import deliver_statements, statement_files
from cli.commands.report import command
from cli.demo.simulation.fleet import simulate
from cli.demo.simulation.plan import SENDERS, SimulationPlan
from escriba.billing.price_book import read_price_book
from escriba.billing.price_csv import book_csv
from escriba.reports.periods import month
from escriba.reports.statement.cents import rounded
from escriba.settings import HOUSE, NightSettings, load_settings
from intake.tenants import tag_rules
from pipelines.definitions import make_definitions
from pipelines.schedules import statements_schedule
from resources.costs_database.load_ledger import load_ledger
from resources.costs_database.statement_figures import read_house
from resources.ledger.writer import write_rows
from tests.mailbox import Inbox, started

CHROMIUM = shutil.which("chromium")
PERIODS = month("2026-03", date(2026, 4, 5))
NAMES = [sender.name for sender in SENDERS]
COURT = "synthetic-court"
TENANTS = f"""\
tenants:
  {COURT}:
    cost_center: "2000"
    paths: [{{match: "*-0000000*", project: "=small()"}}]
    budget: {{month_usd: 40, owners: [judge@example.org]}}
    charge: {{markup: 0.1}}
    statement_mail_to: [clerk@example.org]
  synthetic-clinic: {{charge: {{usd_per_audio_hour: 0.3}}, statement_mail_to: [nobody@example.org]}}
  quiet: {{statement_mail_to: [quiet@example.org]}}
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, new_costs):
    """Six weeks of five tenants over the end of February, with bills; built once."""
    folder = tmp_path_factory.mktemp("statements")
    costs = new_costs(folder)
    shipped = read_price_book(HOUSE / "dbt_costs" / "seeds" / "price_book.csv")
    costs.settings.price_book.write_text(book_csv(shipped))
    (folder / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    told = costs.settings.model_dump(include=costs.settings.model_fields_set)
    costs.settings = load_settings(**told, tenants_file=folder / "tenants.yaml")
    made = simulate(SimulationPlan(5, date(2026, 2, 18), 42, 20, shipped))
    write_rows(costs.storage, [*made.attempts, *made.sessions, *made.invoices])
    rules = tag_rules(costs.settings.tenants_file)
    load_ledger(costs.storage, costs.settings.costs_database, {}, rules)
    costs.build(as_of=datetime(2026, 4, 5, tzinfo=UTC), checks=True)
    return costs


@pytest.fixture(scope="module")
def statements(fleet):
    """The files of each tenant, by name."""
    house = read_house(fleet.settings.costs_database, PERIODS, fleet.storage.url)
    return {
        name: statement_files(fleet.settings, fleet.storage, house, name)
        for name in [*NAMES, "quiet"]
    }


def lines(files):
    return list(csv.DictReader(io.StringIO(files.csv, newline="")))


def total(files, column="usd"):
    [row] = [row for row in lines(files) if row["part"] == "Total"]
    return Decimal(row[column])


@pytest.mark.parametrize("column", ["usd", "before_usd"])
def test_all_tenants_and_what_is_kept_apart_are_the_house_to_the_cent(fleet, statements, column):
    period = PERIODS.now if column == "usd" else PERIODS.before
    between = f"day BETWEEN '{period.first}' AND '{period.last}'"
    [(house, apart)] = fleet.ask(
        "SELECT sum(cost_usd), sum(cost_usd) FILTER (tenant = 'unallocated') "
        f"FROM marts.daily_spend WHERE {between}"
    )

    tenants = sum(total(files, column) for files in statements.values())

    assert house > 10
    assert abs(rounded(house) - tenants - apart) < Decimal("0.01")
    if column == "usd":
        list(deliver_statements(fleet.settings, fleet.storage, PERIODS))
        sheet = fleet.storage.read("reports/2026-03-house.csv").decode()
        rows = list(csv.DictReader(io.StringIO(sheet, newline="")))
        of = defaultdict(Decimal)
        for row in rows:
            of[row["part"]] += Decimal(row["usd"])
        assert of["total"] == rounded(house) == of["tenant"] + of["unallocated"]
        assert {row["name"]: Decimal(row["usd"]) for row in rows if row["part"] == "tenant"} == {
            name: total(files) for name, files in statements.items() if name != "quiet"
        }


@pytest.mark.parametrize("name", NAMES)
def test_the_recordings_of_a_statement_are_its_work_and_failures(fleet, statements, name):
    """To the nano-dollar: only shared costs are of no recording."""
    rows = list(csv.DictReader(io.StringIO(statements[name].recordings_csv, newline="")))
    [(spent, hours, failed)] = fleet.ask(
        "SELECT sum(cost_usd), sum(audio_seconds) FILTER (category = 'run') / 3600, "
        "sum(cost_usd) FILTER (category = 'failed_run') FROM marts.daily_spend "
        f"WHERE tenant = '{name}' AND day BETWEEN '2026-03-01' AND '2026-03-31' "
        "AND category IN ('run', 'failed_run', 'boot', 'idle')"
    )

    assert sum(Decimal(row["usd"]) for row in rows) == spent
    assert sum(Decimal(row["failed_usd"]) for row in rows) == (failed or 0)
    assert sum(float(row["audio_hours"]) for row in rows) == pytest.approx(hours, abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_a_tenant_never_sees_anothers_name(statements, name):
    """Neither of a tenant, nor of one of its recordings."""
    nouns = {sender.name: sender.noun for sender in SENDERS}
    book = openpyxl.load_workbook(io.BytesIO(statements[name].xlsx))
    cells = [str(cell) for sheet in book for row in sheet.values for cell in row]
    texts = [statements[name].html, statements[name].csv, statements[name].recordings_csv, *cells]

    for other in set(NAMES) - {name}:
        assert not any(other in text or f"{nouns[other]}-2026" in text for text in texts)
    assert any(f"{nouns[name]}-2026" in text for text in texts)


def test_a_workbook_has_numbers_in_cents_and_names_that_are_no_formulas(statements):
    book = openpyxl.load_workbook(io.BytesIO(statements[COURT].xlsx))

    assert book.sheetnames == ["Statement", "Cost centers", "Recordings"]
    headings, *rows = book["Statement"].values
    by_line = {row[3]: row[4] for row in rows}
    assert headings == ("month", "tenant", "part", "line", "usd", "before_usd")
    assert by_line["Total cost"] == float(total(statements[COURT]))
    tags = [row for row in book["Cost centers"].iter_rows(min_row=2) if row[3].value]
    assert {(row[3].value, row[3].data_type) for row in tags} == {("=small()", "s")}
    assert "'=small()" in statements[COURT].recordings_csv


def test_budget_and_charge_follow_from_the_total(statements):
    cost = total(statements[COURT])
    by_line = {(row["part"], row["line"]): Decimal(row["usd"]) for row in lines(statements[COURT])}

    assert by_line["Budget", "Budget left"] == 40 - cost
    assert by_line["Charged", "Cost +10 %"] == (cost * Decimal("1.1")).quantize(Decimal("0.01"))
    [charged] = [row for row in lines(statements["synthetic-clinic"]) if row["part"] == "Charged"]
    hours = Decimal(charged["line"].split(" h")[0])
    assert Decimal(charged["usd"]) == (hours * Decimal("0.3")).quantize(Decimal("0.01"))


def test_a_month_without_work_is_a_statement_of_nothing(statements):
    assert total(statements["quiet"]) == 0
    assert "No recording was processed" in statements["quiet"].html


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.mark.parametrize("size", [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_the_page_fits_its_screen_and_asks_nobody(browser, statements, tmp_path, size):
    path = tmp_path / "s.html"
    path.write_text(statements[COURT].html, encoding="utf-8")
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())

    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert asked == [path.as_uri()]
    assert said == []
    assert page.get_by_role("heading", level=1).inner_text() == f"{COURT}, 2026-03"
    shown = page.locator(".total td").first.inner_text()
    assert shown == f"US$ {total(statements[COURT]):,.2f}"


def test_on_paper_it_is_a4_with_the_money_on_the_first_page(browser, statements, tmp_path):
    path = tmp_path / "s.html"
    path.write_text(statements[COURT].html, encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    pdf = page.pdf(prefer_css_page_size=True)
    page.emulate_media(media="print")

    assert b"/MediaBox [0 0 594" in pdf or b"/MediaBox [0 0 595" in pdf
    assert pdf.count(b"/Type /Page\n") >= 2
    breaks = page.locator(".recordings").evaluate("one => getComputedStyle(one).breakBefore")
    assert breaks == "page"


@pytest.fixture
def ask(fleet, monkeypatch, tmp_path):
    """The command, as people type it, with the fleet's settings."""
    for name in ("storage_url", "costs_database", "price_book", "tenants_file"):
        monkeypatch.setenv(name.upper(), str(getattr(fleet.settings, name)))
    monkeypatch.chdir(tmp_path)

    def run(*words):
        return CliRunner().invoke(command, [*words, "--no-refresh"], catch_exceptions=False)

    return run


def test_the_command_writes_the_page_and_its_tables(ask, statements, tmp_path):
    done = ask("--tenant", COURT, "--month", "2026-03", "--json")
    told = json.loads(done.stdout)

    assert told["headline"] == statements[COURT].headline
    assert {path.name for path in tmp_path.iterdir()} == {
        f"escriba-statement-{COURT}-2026-03{ending}"
        for ending in (".html", ".csv", "-recordings.csv", ".xlsx")
    }
    assert (tmp_path / told["csv"]).read_bytes().decode() == statements[COURT].csv


def test_the_command_writes_everybodys_in_a_folder_each(ask, tmp_path):
    done = ask("--tenant", "all", "--month", "2026-03", "--out", "march")

    assert done.exit_code == 0
    assert {path.name for path in (tmp_path / "march").iterdir()} == {
        *NAMES,
        "quiet",
        "2026-03-house.csv",
    }
    assert (tmp_path / "march" / COURT / "2026-03.xlsx").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tenant", "A/B"), "not a valid tenant name"),
        (("--tenant", "unallocated"), "costs that belong to no job"),
        (("--tenant", COURT, "--days", "3"), "--tenant cannot be combined with --days"),
        (("--tenant", COURT, "--month", "2026-13"), "not a month such as"),
        (
            ("--tenant", COURT, "--month", "2026-03", "--out", "a.pdf"),
            "--out must name an .html file",
        ),
    ],
)
def test_a_statement_that_cannot_be_made_says_why(ask, words, said):
    done = ask(*words)

    assert done.exit_code == 2
    assert said in done.stderr


@pytest.fixture
def post(fleet, free_port):
    """The fleet's settings with a mail server, and what it was given."""
    inbox = Inbox()
    controller, mail = started(inbox, free_port())
    told = fleet.settings.model_dump(include=fleet.settings.model_fields_set)
    settings = load_settings(**told, **mail)
    yield SimpleNamespace(settings=settings, inbox=inbox)
    controller.stop()


def test_each_has_its_own_by_mail_once_and_one_refusal_stops_nobody(fleet, post):
    first = list(deliver_statements(post.settings, fleet.storage, PERIODS))
    second = list(deliver_statements(post.settings, fleet.storage, PERIODS))

    assert {one.tenant: one.mailed_to for one in first if one.mailed_to} == {
        COURT: ("clerk@example.org",),
        "quiet": ("quiet@example.org",),
    }
    for told in (first, second):
        [refused] = [one for one in told if one.trouble]
        assert refused.tenant == "synthetic-clinic"
        assert "no mail for nobody@example.org" in refused.trouble
    assert [to for to, _ in post.inbox.letters] == [["quiet@example.org"], ["clerk@example.org"]]
    letter = post.inbox.letters[1][1].decode()
    assert f'filename="{COURT}-2026-03.xlsx"' in letter
    assert f'filename="{COURT}-2026-03.html"' in letter


def test_without_a_mail_server_the_statements_are_in_the_bucket_and_that_is_told(fleet):
    told = {one.tenant: one for one in deliver_statements(fleet.settings, fleet.storage, PERIODS)}

    assert "SMTP_HOST" in told["synthetic-clinic"].trouble
    assert fleet.storage.read(f"{told['synthetic-clinic'].key}.html")


def test_the_job_writes_them_all_and_fails_where_a_mail_was_refused(fleet, post):
    job = make_definitions(post.settings, None).resolve_job_def("statements_job")
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(
            instance=instance, tags={"escriba/statements": "2026-03"}, raise_on_error=False
        )

    assert not done.success
    failure = done.failure_data_for_node("deliver_monthly_statements")
    said = failure.user_failure_data.description
    assert "synthetic-clinic: " in said
    assert "All statements are in the bucket" in said
    assert all(
        fleet.storage.read(f"reports/statements/{name}/2026-03.html") for name in [*NAMES, "quiet"]
    )


@pytest.mark.parametrize(
    ("zone", "when", "wanted"),
    [
        ("America/Sao_Paulo", datetime(2026, 4, 1, 12, tzinfo=UTC), "2026-03"),
        # the first in Auckland is still March in UTC, and the second is April
        ("Pacific/Auckland", datetime(2026, 3, 31, 20, tzinfo=UTC), None),
        ("Pacific/Auckland", datetime(2026, 4, 1, 20, tzinfo=UTC), "2026-03"),
    ],
)
def test_the_schedule_asks_for_the_month_that_is_over(fleet, zone, when, wanted):
    schedule = statements_schedule(NightSettings(nightly_timezone=zone))
    context = dg.build_schedule_context(
        scheduled_execution_time=when, resources={"settings": fleet.settings}
    )
    found = schedule.evaluate_tick(context)

    assert schedule.cron_schedule == "0 9 1,2 * *"
    assert [one.run_key for one in found.run_requests or ()] == (
        [f"statements-{wanted}"] if wanted else []
    )
