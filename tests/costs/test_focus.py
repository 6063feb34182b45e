"""FOCUS 1.2: what the specification asks of a file, and how the validator's answer is read."""

import importlib.util
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipelines.cli import escriba
from pipelines.settings import HOUSE
from resources.costs.focus import export_focus
from resources.costs.standing import CostsNotBuiltError

COSTS = {"BilledCost", "EffectiveCost", "ListCost", "ContractedCost"}
NEVER_NULL = COSTS | {
    "BillingAccountId",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ChargeCategory",
    "InvoiceIssuerName",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
}
MAY_BE_NULL = {
    "BillingAccountName",
    "ChargeClass",
    "ChargeDescription",
    "PricingQuantity",
    "PricingUnit",
    "ChargeFrequency",
    "ServiceSubcategory",
    "InvoiceId",
    "SubAccountId",
    "SubAccountName",
}


@pytest.fixture
def exported(built, tmp_path):
    path = tmp_path / "focus.parquet"
    count = export_focus(built.settings.costs_database, path)
    table = pq.read_table(path)
    assert table.num_rows == count > 0
    return table


def test_the_file_has_the_columns_and_types_of_the_specification(exported):
    names = set(exported.column_names)
    assert names >= NEVER_NULL | MAY_BE_NULL
    assert {name for name in names - NEVER_NULL - MAY_BE_NULL if not name.startswith("x_")} == set()
    for name in COSTS:
        assert pa.types.is_decimal(exported.schema.field(name).type), name
    for name in (n for n in names if n.endswith(("PeriodStart", "PeriodEnd"))):
        assert exported.schema.field(name).type.tz == "UTC", name
    assert [name for name in NEVER_NULL if exported[name].null_count] == []


def test_a_charge_lies_in_its_billing_period_and_has_a_unit_where_it_has_a_quantity(exported):
    for charge in exported.to_pylist():
        start, end = charge["ChargePeriodStart"], charge["ChargePeriodEnd"]
        assert charge["BillingPeriodStart"] <= start < end <= charge["BillingPeriodEnd"]
        assert (charge["PricingQuantity"] is None) == (charge["PricingUnit"] is None)
        assert charge["ChargeCategory"] in {"Usage", "Tax", "Credit", "Adjustment"}


def test_without_marts_the_export_says_what_is_missing(costs, tmp_path):
    with pytest.raises(CostsNotBuiltError, match=r"there is no .* yet"):
        export_focus(costs.settings.costs_database, tmp_path / "focus.parquet")
    costs.load()
    with pytest.raises(CostsNotBuiltError, match=r"has no marts\.focus_charges"):
        export_focus(costs.settings.costs_database, tmp_path / "focus.parquet")


def test_people_export_and_import_from_the_command_line(tmp_path, monkeypatch, write_json, bills):
    monkeypatch.setenv("STORAGE_URL", (tmp_path / "bucket").as_uri())
    bill = write_json("bill.json", [bills.runpod])
    calls = CliRunner()

    done = calls.invoke(escriba, ["invoices", "import", str(bill), "--json"])
    assert json.loads(done.output) == {
        "rows": 1,
        "new": 1,
        "replaced": 0,
        "unchanged": 0,
        "left_out": 0,
        "empty_files": [],
        "amount_usd": "1.250000000",
        "backends": ["runpod"],
        "gone": 0,
        "gone_usd": "0",
        "superseded": [],
        "rate_sources": [],
    }
    done = calls.invoke(escriba, ["costs", "--export-focus", "focus.parquet", "--json"])
    assert json.loads(done.output) == {"file": "focus.parquet", "charges": 1}
    [charge] = pq.read_table("focus.parquet").to_pylist()
    assert (charge["x_Charge"], charge["ChargeCategory"]) == ("unexplained", "Adjustment")


SCRIPT = HOUSE / "dbt_costs" / "validate_focus.py"


@pytest.fixture(scope="module")
def judge():
    """Of the script that runs in the validator's environment."""
    spec = importlib.util.spec_from_file_location("validate_focus", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.judge


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing.parquet", "it cannot be read (No such file or directory)."),
        (".", "it cannot be read (Is a directory)."),
        ("text.parquet", "it is no Parquet file: `escriba costs --export-focus` writes one."),
    ],
)
def test_a_file_that_cannot_be_held_against_anything_is_named(tmp_path, name, why):
    (tmp_path / "text.parquet").write_text("no Parquet")
    path = tmp_path / name

    done = subprocess.run(
        [sys.executable, SCRIPT, path], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (2, f"FILE={path}: {why}\n")


ANSWER = (
    "rules …\n--- Failures ---\n{failures}Total: 578 | Pass: 136 | Fail: {count} | Skipped: 441\n"
)
EXCUSED = "- InvoiceId-C-005-C: violations=17; InvoiceId MUST NOT be NULL.\n"


@pytest.mark.parametrize(
    ("failures", "code", "told"),
    [
        ("", 0, "136 of 578 rules pass, 0 fail"),
        (EXCUSED, 0, "excused, since the model contradicts itself: InvoiceId-C-005-C"),
        (EXCUSED + "- BilledCost-C-001-M: violations=1; not decimal\n", 1, "BilledCost-C-001-M: "),
    ],
)
def test_only_the_rule_that_contradicts_another_is_excused(judge, capsys, failures, code, told):
    answer = ANSWER.format(failures=failures, count=failures.count("\n"))

    assert judge(answer) == code
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("answer", ["", "Traceback …", ANSWER.format(failures="", count=3)])
def test_no_answer_is_not_taken_for_a_good_one(judge, answer):
    assert judge(answer) == 2
