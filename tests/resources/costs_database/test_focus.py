"""FOCUS: what the specification asks of a file, and how the validator's answer is read."""

import importlib.util
import json
import subprocess
import sys
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli import escriba
from escriba.settings import HOUSE
from resources.costs_database.database_file import CostsNotBuiltError
from resources.costs_database.focus_export import export_focus


@pytest.fixture(scope="module")
def columns():
    """What the make target holds a file against, of every version."""
    return _module("focus_columns")


def _module(name):
    path = HOUSE / "dbt_costs" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def exported(built, tmp_path):
    path = tmp_path / "focus.parquet"
    count = export_focus(built.settings.costs_database, path)
    table = pq.read_table(path)
    assert table.num_rows == count > 0
    return table


@pytest.mark.parametrize("version", ["1.2", "1.4"])
def test_the_file_keeps_the_rules_of_the_specification(built, tmp_path, columns, version):
    path = tmp_path / "focus.parquet"
    assert export_focus(built.settings.costs_database, path, version) > 0

    table = pq.read_table(path)
    assert columns.version_of(table.column_names) == version
    assert columns.broken(table, version) == []
    assert pq.read_schema(path).metadata[b"FocusVersion"] == version.encode()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ListCost": Decimal(9)}, "ListUnitPrice times PricingQuantity is ListCost"),
        ({"ChargeCategory": "Gift"}, "ChargeCategory is ['Gift'"),
        ({"ConsumedUnit": None}, "a quantity has a unit"),
        ({"SubAccountName": None}, "a sub account has a name"),
        ({"ServiceName": None}, "ServiceName is null in "),
        ({"SkuId": None}, "usage has a price, and tax none"),
        ({"Discount": "x"}, "Discount is no column of 1.2"),
        ({"BillingCurrency": "dollars"}, "currencies have three letters"),
    ],
)
def test_a_file_that_breaks_a_rule_is_told(exported, columns, change, told):
    rows = [row | change for row in exported.to_pylist()]
    own = [name for name in exported.column_names if name.startswith("x_")]
    table = pa.Table.from_pylist(rows)
    names = [name for name in table.column_names if name not in own]

    assert any(told in sentence for sentence in columns.broken(table.select(names + own), "1.2"))


def test_a_charge_lies_in_its_billing_period(exported):
    for charge in exported.to_pylist():
        start, end = charge["ChargePeriodStart"], charge["ChargePeriodEnd"]
        assert charge["BillingPeriodStart"] <= start < end <= charge["BillingPeriodEnd"]


def test_audio_is_in_minutes_a_disk_is_storage_and_nobody_is_no_sub_account(exported):
    charges = exported.to_pylist()
    assert {row["SubAccountId"] for row in charges} == {"acme", "beta", None}
    sources = {row["x_Charge"]: row["x_CostSource"] for row in charges}
    assert (sources["run"], sources["storage"]) == ("measured", "billed")
    api = next(row for row in charges if row["x_Backend"] == "openai")
    assert (api["PricingQuantity"], api["PricingUnit"]) == (10, "Minutes")
    storage = next(row for row in charges if row["x_Charge"] == "storage")
    assert storage["ServiceCategory"] == "Storage"
    assert {row["InvoiceId"] for row in charges} == {None}  # the month alone is no number


def test_without_marts_the_export_says_what_is_missing(costs, tmp_path):
    with pytest.raises(CostsNotBuiltError, match=r"does not exist yet"):
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
        "stood_usd": None,
        "superseded": [],
        "stands_beside": [],
        "rate_sources": [],
    }
    done = calls.invoke(escriba, ["costs", "--export-focus", "focus.parquet", "--json"])
    assert json.loads(done.output) == {"file": "focus.parquet", "charges": 1}
    [charge] = pq.read_table("focus.parquet").to_pylist()
    assert (charge["x_Charge"], charge["ChargeCategory"]) == ("unexplained", "Adjustment")


SCRIPT = HOUSE / "dbt_costs" / "validate_focus.py"


@pytest.fixture(scope="module")
def judge(columns):
    """Of the script that runs in the validator's environment."""
    return _module("validate_focus").judge


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
def test_only_the_rules_that_contradict_others_are_excused(judge, capsys, failures, code, told):
    answer = ANSWER.format(failures=failures, count=failures.count("\n"))

    assert judge(answer) == code
    assert told in capsys.readouterr().out


def test_what_was_checked_and_what_was_not_is_told_by_kind(judge, capsys):
    lines = """\
⏭️ Tags-C-001-M: SKIPPED  (violations=0, reason=Rule skipped - validation is dynamic and cannot)
⏭️ RegionId-C-001-M: SKIPPED  (violations=0, reason=rule not applicable, 1.0ms)
⏭️ RegionId-C-002-M: SKIPPED  (violations=0, reason=rule not applicable, 1.0ms)
✅ BilledCost-C-001-M: PASS  (violations=0)
✅ SkuId-C-004-C: PASS  (violations=0)
"""
    total = "Total: 5 | Pass: 2 | Fail: 0 | Skipped: 3\n"

    assert judge(lines + total) == 0
    said = capsys.readouterr().out
    assert "2 of 5 rules pass (1 must, 1 must under a condition), 0 fail" in said
    assert "2 not checked: of what Escriba has not" in said
    assert "1 not checked: no file can show it" in said


@pytest.mark.parametrize("answer", ["", "Traceback …", ANSWER.format(failures="", count=3)])
def test_no_answer_is_not_taken_for_a_good_one(judge, answer):
    assert judge(answer) == 2
