"""The cost marts in Dagster: built after the ledger, with dbt tests as checks."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import dagster as dg
import psycopg2
import pytest
from pydantic import SecretStr

from assets.costs.dbt_checks import checks
from assets.costs.dbt_models import marts
from escriba.billing.invoice_rows import InvoiceRow
from pipelines.definitions import defs, make_definitions
from resources.costs_database.read_only import read_only
from resources.ledger.writer import write_rows
from sensors.ledger import ledger_sensor


def build(house):
    """The run that the ledger sensor requests."""
    [target] = ledger_sensor.targets
    definitions = make_definitions(house.settings, house.progress())
    return definitions.resolve_job_def(target.job_name).execute_in_process(
        instance=house.instance, raise_on_error=False
    )


@pytest.fixture
def built(house, quick, clips):
    """A recording, its attempt, and all cost assets."""
    house.run([house.put(clips.english, "a.wav")])
    return build(house)


def test_new_rows_go_through_to_every_mart_and_each_of_dbts_tests_is_a_check(house, built):
    evaluations = built.get_asset_check_evaluations()

    assert built.success
    made = {event.asset_key.to_user_string() for event in built.get_asset_materialization_events()}
    assert made == {"attempts_ledger", *(mart.name for mart in marts())}
    assert {(e.asset_key.to_user_string(), e.check_name) for e in evaluations} == {
        *((one.mart, one.name) for one in checks()),
        ("budget_burn", "every_limit_holds"),
    }
    assert [e.check_name for e in evaluations if not e.passed] == []
    with read_only(house.settings.costs_database) as costs:
        rows = costs.execute("SELECT tenant, cost_usd FROM marts.cost_per_recording").fetchall()
    assert [tenant for tenant, _ in rows] == ["acme"]


def test_a_rule_that_does_not_hold_is_a_failed_check_of_a_failed_run(house, quick, clips, tmp_path):
    house.run([house.put(clips.english, "a.wav")])
    book = tmp_path / "prices.csv"
    book.write_text(
        "backend,sku,unit,price_usd,valid_from,valid_to,source\n"
        "local,this-machine,machine_hour,0.05,2020-01-01,2021-01-01,a gap follows\n"
        "local,this-machine,machine_hour,0.05,2022-01-01,,after it\n"
    )
    house.settings = house.settings.model_copy(update={"price_book": book})

    made = build(house)

    assert not made.success
    failed = [e.check_name for e in made.get_asset_check_evaluations() if not e.passed]
    assert failed == ["prices_have_no_overlaps_or_gaps"]


def test_where_a_mirror_is_set_the_same_run_fills_it(house, quick, clips, postgres_url):
    house.run([house.put(clips.english, "a.wav")])
    house.settings = house.settings.model_copy(
        update={"costs_postgres_url": SecretStr(postgres_url)}
    )

    assert build(house).success

    connection = psycopg2.connect(postgres_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT tenant, status FROM costs.job_metrics")
        assert cursor.fetchall() == [("acme", "done")]
    connection.close()


def test_a_mart_tells_of_each_of_its_columns():
    for mart in marts():
        spec = defs.get_assets_def(dg.AssetKey(mart.name)).specs_by_key[dg.AssetKey(mart.name)]
        schema = spec.metadata["dagster/column_schema"]
        assert [column.name for column in schema.columns] == [one.name for one in mart.columns]
        assert all(column.description for column in schema.columns), mart.name
        assert (spec.group_name, spec.automation_condition) == ("costs", None)


def test_the_ledger_knows_what_it_holds(built, house):
    event = house.instance.get_latest_materialization_event(dg.AssetKey("attempts_ledger"))
    told = event.asset_materialization.metadata

    assert (told["attempts"].value, told["new_rows"].value) == (
        1,
        2,
    )  # with its share of a worker session
    assert Decimal(told["cost_usd"].value) > 0


def storage_of_today():
    """A line of RunPod's bill; this machine itself is on no bill."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return InvoiceRow(
        row_id="volume",
        backend="runpod",
        invoice_id=f"{today:%Y-%m}",
        sku="volume",
        category="storage",
        period_start=today,
        period_end=today + timedelta(days=1),
        amount=Decimal("0.25"),
        currency="USD",
        amount_usd=Decimal("0.25"),
        description="",
        imported_at=datetime.now(UTC),
    )


def test_a_limit_that_is_reached_is_a_failed_check_and_told_once(house, quick, clips):
    house.run([house.put(clips.english, "a.wav")])
    write_rows(house.storage, [storage_of_today()])
    house.settings = house.settings.model_copy(
        update={"daily_cost_threshold": Decimal("1e-9"), "monthly_cost_threshold": Decimal(100)}
    )

    first, second = build(house), build(house)

    assert first.success
    for built in (first, second):
        [limits] = [
            one
            for one in built.get_asset_check_evaluations()
            if one.check_name == "every_limit_holds"
        ]
        assert not limits.passed
        assert limits.severity == dg.AssetCheckSeverity.ERROR
    told = house.instance.fetch_observations(dg.AssetKey("budget_burn"), limit=10).records
    assert [one.asset_observation.metadata["limit"].value for one in told] == [
        "DAILY_COST_THRESHOLD"
    ]
