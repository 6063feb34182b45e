"""An exchange rate that is an assumption is called that on every sum that is made by it."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import openpyxl
import pytest

from assets.costs.statements import statement_files
from escriba.reports.html.figure_sheets import figure_sheets
from escriba.reports.html.report_page import make_report
from escriba.reports.periods import month
from resources.costs_database.report_figures import read_figures
from resources.costs_database.statement_figures import read_house
from resources.invoices.import_invoices import DeliveryFiles, import_invoices

APRIL = datetime(2026, 4, 5, tzinfo=UTC)
PERIODS = month("2026-03", APRIL.date())
EURO = "assumed rate from EXCHANGE_RATES: 1 EUR = 1.1 USD since 2020-01-01 (assumption: put in"
REAL = "assumed rate from EXCHANGE_RATES: 1 BRL = 0.2 USD since 2020-01-01 (assumption: put in"


@pytest.fixture
def house(costs):
    """A run of 100 s at 0.0001 EUR a second on AWS, and one on RunPod in dollars."""
    book = costs.settings.price_book
    heading, *lines = book.read_text().splitlines()
    priced = [f"{line},," for line in lines if not line.startswith("aws")]
    euro = "aws_gpu,g5.xlarge,gpu_second,,2020-01-01,,test,EUR,0.0001"
    book.write_text("\n".join([f"{heading},currency,price", *priced, euro, ""]))

    def made(*rows):
        costs.write(*rows)
        costs.load()
        costs.build(as_of=APRIL)
        return costs

    return made


def report_of(costs):
    figures = read_figures(costs.settings.costs_database, PERIODS)
    return make_report(figures, APRIL), figures


def statement_of(costs, tenant):
    found = read_house(costs.settings.costs_database, PERIODS, costs.storage.url)
    return statement_files(costs.settings, costs.storage, found, tenant)


def test_a_price_in_euros_is_told_on_the_report_and_on_who_ran_there(house, attempt):
    costs = house(
        attempt("a"),
        attempt("b", backend="aws_gpu", sku="g5.xlarge", tenant="beta", recording="beta/b.mp3"),
    )
    assert costs.ask(
        "SELECT tenant, cost_usd, is_by_assumed_rate FROM marts.daily_spend ORDER BY 1"
    ) == [("acme", Decimal("0.019"), False), ("beta", Decimal("0.011"), True)]
    report, figures = report_of(costs)
    assert f"Costs of AWS are converted, fully or in part, at an {EURO}" in report.html
    assert "partly at an assumed exchange rate" in report.headline
    [spend] = [sheet for sheet in figure_sheets(figures) if sheet.name == "spend"]
    assert [(row[1], row[-1]) for row in spend.rows] == [("acme", False), ("beta", True)]

    beta, acme = statement_of(costs, "beta"), statement_of(costs, "acme")

    assert EURO in beta.html
    assert "partly at an assumed exchange rate" in beta.headline
    rows = list(csv.reader(io.StringIO(beta.csv, newline="")))
    assert ["2026-03", "beta", "Work", "Transcription (at an assumed exchange rate)", "0.01"] in [
        row[:5] for row in rows
    ]
    assert next(row[3] for row in rows if row[2] == "Note").startswith("Costs of AWS are")
    assert "is_by_assumed_rate" in beta.recordings_csv
    sheet = openpyxl.load_workbook(io.BytesIO(beta.xlsx))["Statement"]
    assert any(EURO in str(row[3]) for row in sheet.iter_rows(values_only=True))
    for body in (acme.html, acme.csv, acme.recordings_csv, acme.headline):
        assert "assumed" not in body


def test_a_bill_in_reais_is_told_on_the_report(house, write_json, rates, bills):
    costs = house()
    import_invoices(
        costs.storage, [write_json("e.jsonl", bills.gcp)], rates, DeliveryFiles(), APRIL
    )
    house()

    report, _ = report_of(costs)

    assert f"Costs of Google Cloud are converted, fully or in part, at an {REAL}" in report.html


def test_where_a_bank_was_asked_nothing_is_assumed(house, attempt, tmp_path):
    rates = tmp_path / "rates.csv"
    rates.write_text(
        "currency,usd_per_unit,valid_from,valid_to,source\n"
        "USD,1,2000-01-01,,by definition\nEUR,1.1,2020-01-01,,ECB\n"
    )
    costs = house(attempt("b", backend="aws_gpu", sku="g5.xlarge"))
    costs.settings = costs.settings.model_copy(update={"exchange_rates": rates})
    costs.build(as_of=APRIL)

    assert "ssumed" not in report_of(costs)[0].html
