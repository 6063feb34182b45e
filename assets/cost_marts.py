"""The marts of costs as assets behind `attempts_ledger`, built by dbt in a process of its own.

No automation condition: the sensor of the ledger asks for them in the run that it makes.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from .attempts_ledger import ATTEMPTS_LEDGER, WAIT_SECONDS
from .budget_levels import LIMITS_CHECK, tell_of_limits
from .dbt_models import Check, Mart, checks, marts

if TYPE_CHECKING:
    from pipelines.settings import Settings
    from resources.costs.results import Result

COST_MARTS = "cost_marts"
_CHECKS = {(one.of, one.rule, one.column): one for one in checks()}


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
            dg.AssetCheckSpec(one.name, asset=one.mart, description=one.description)
            for one in checks()
        ),
        LIMITS_CHECK,
    ],
    required_resource_keys={"settings"},
)
def cost_marts(context: dg.AssetExecutionContext) -> Iterator[Any]:
    """One build for all of them; what fails is told beside what was built all the same."""
    from resources.costs.building import CostsBuildError, build_marts  # noqa: PLC0415  # no DuckDB
    from resources.costs.standing import CostsBusyError  # noqa: PLC0415  # while the UI only looks

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
        yield from tell_of_limits(context, settings)
    if failure is not None:
        raise dg.Failure(str(failure), allow_retries=False) from failure


def _events(settings: "Settings", results: "tuple[Result, ...]") -> Iterator[Any]:
    from resources.costs.reading import row_counts  # noqa: PLC0415

    if not results:  # dbt did not come to begin, and there may be no database
        return
    rows = row_counts(settings.costs_database, "marts")
    names = {mart.name for mart in marts()}
    for one in results:
        if one.kind == "model" and one.name in names and one.state == "well":
            told = {"dagster/row_count": rows[one.name], "build_seconds": one.seconds}
            yield dg.MaterializeResult(asset_key=one.name, metadata=told)
    for one in results:
        check = _CHECKS.get((one.of, one.rule or one.name, one.column))
        if one.kind == "test" and check is not None and one.state != "skipped":
            yield _evaluation(check, one)


def _evaluation(check: Check, result: "Result") -> dg.AssetCheckResult:
    odd = result.state == "odd"
    return dg.AssetCheckResult(
        passed=result.state == "well",
        asset_key=check.mart,
        check_name=check.name,
        severity=dg.AssetCheckSeverity.WARN if odd else dg.AssetCheckSeverity.ERROR,
        metadata={"dbt": result.message} if result.message else {},
    )
