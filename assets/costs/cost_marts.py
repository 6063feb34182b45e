"""The cost marts as assets after `attempts_ledger`, built by dbt in its own process.

They need no automation condition: the ledger sensor includes them in its run.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from escriba.masked_errors import masks_errors

from .attempts_ledger import ATTEMPTS_LEDGER, WAIT_SECONDS
from .budget_alerts import LIMITS_CHECK, report_limits
from .dbt_checks import Check, check_of, checks
from .dbt_models import Mart, marts

if TYPE_CHECKING:
    from escriba.settings import Settings
    from resources.costs_database.dbt_results import Result

COST_MARTS = "cost_marts"


def _spec(mart: Mart) -> dg.AssetSpec:
    columns = [dg.TableColumn(c.name, c.kind, c.description) for c in mart.columns]
    return dg.AssetSpec(
        mart.name,
        deps=mart.made_of or [ATTEMPTS_LEDGER],
        description=mart.description,
        group_name="costs",
        owners=["team:transcription"],
        kinds={"dbt", "duckdb"},
        metadata={"dagster/column_schema": dg.TableSchema(columns)},
    )


@dg.multi_asset(
    name=COST_MARTS,
    specs=[_spec(mart) for mart in marts()],
    check_specs=[
        *(
            dg.AssetCheckSpec(check.name, asset=check.mart, description=check.description)
            for check in checks()
        ),
        LIMITS_CHECK,
    ],
    required_resource_keys={"settings"},
)
@masks_errors
def cost_marts(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """One build for all marts; if some fail, those that were built are still reported."""
    from resources.costs_database.build_marts import CostsBuildError, build_marts  # noqa: PLC0415  # loads DuckDB,
    from resources.costs_database.database_file import CostsBusyError  # noqa: PLC0415  # which the UI does not need

    settings: Settings = context.resources.settings
    failure = None
    try:
        results = build_marts(settings).results
    except CostsBuildError as error:
        results, failure = error.results, error
    except CostsBusyError as error:
        raise dg.RetryRequested(max_retries=5, seconds_to_wait=WAIT_SECONDS) from error
    yield from _events(settings, results)
    if failure is None:
        yield from report_limits(context, settings)
    if failure is not None:
        raise dg.Failure(str(failure), allow_retries=False) from failure


def _events(settings: "Settings", results: "tuple[Result, ...]") -> Iterator[Any]:
    from resources.costs_database.read_only import row_counts  # noqa: PLC0415

    if not results:  # dbt did not start, and there may be no database
        return
    rows = row_counts(settings.costs_database, "marts")
    names = {mart.name for mart in marts()}
    for result in results:
        if result.kind == "model" and result.name in names and result.state == "well":
            metadata = {"dagster/row_count": rows[result.name], "build_seconds": result.seconds}
            yield dg.MaterializeResult(asset_key=result.name, metadata=metadata)
    for result in results:
        check = check_of(
            checks(), of=result.of, rule=result.rule, column=result.column, name=result.name
        )
        if result.kind == "test" and check is not None and result.state != "skipped":
            yield _evaluation(check, result)


def _evaluation(check: Check, result: "Result") -> dg.AssetCheckResult:
    is_warning = result.state == "odd"
    return dg.AssetCheckResult(
        passed=result.state == "well",
        asset_key=check.mart,
        check_name=check.name,
        severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
        metadata={"dbt": result.message} if result.message else {},
    )
