"""Building the marts with dbt, in a separate process that sees the database but no secret."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from escriba.backend_names import BACKENDS
from escriba.settings import Settings, SettingsError

from .build_inputs import CostsBuildError, CostsLostError, check_loaded, check_seeds
from .build_notes import record_build, shortened
from .database import costs_lock, open_database
from .database_file import CostsBusyError, dbt_folder
from .dbt_project import digest_of, make_project, run_dbt
from .dbt_results import Result

__all__ = ["Built", "CostsBuildError", "CostsLostError", "build_marts"]


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a build. seconds: of all models and tests, without dbt's own start."""

    models: int
    tests: int
    was_full: bool
    warnings: tuple[str, ...]
    seconds: float
    results: tuple[Result, ...] = ()


def build_marts(  # noqa: PLR0913  # how a build may differ
    settings: Settings,
    *,
    full: bool = False,
    checks: bool = True,
    as_of: datetime | None = None,
    examples: bool = False,
    unless_current: bool = False,
    piece_rows: int | None = None,
) -> Built:
    """Bring the marts up to date with the loaded ledger; builds only changed days.

    full: build all days; always so if the project or the price book has changed since the last
    build. checks: test the tables against the business rules. as_of: the time from which forecasts
    look ahead. examples: also run the models' examples (dbt's unit tests). unless_current: do
    nothing if no row, limit, price or model has changed, and the day (UTC) is the same.
    piece_rows: the number of attempts built in one step, which determines the memory use.

    Raises:
        CostsBuildError: names what failed; or nothing is loaded, or the price book or the rates
            overlap or have gaps.
        CostsLostError: the database was damaged, and must be loaded again.
        CostsBusyError: another program has the database open.
        SettingsError: COSTS_DATABASE names a foreign file.
    """
    path = settings.costs_database
    with costs_lock(path):
        with _recording_failure(path):
            check_seeds(settings, gaps=not checks)
        check_loaded(path)
        folder = make_project(settings, dbt_folder(path))
        # another rule of sharing changes every day
        digest = f"{digest_of(folder)} {settings.shared_costs_by}"
        with open_database(path) as connection:
            same = bool(_rows(connection, "FROM ledger.project WHERE digest = $1", digest))
            state = _state(connection, settings, digest, as_of or datetime.now(UTC))
            if unless_current and _is_current(connection, state):
                return _built((), was_full=False)
            _forget_build(connection, keeps_project=same)
        is_full = full or not same
        arguments = _arguments(full=is_full, checks=checks, examples=examples)
        arguments += ["--vars", json.dumps(_variables(settings, as_of, piece_rows))]
        with _recording_failure(path):
            results = run_dbt(folder, path, arguments)
        with open_database(path) as connection:
            _note(connection, digest, state)
        record_build(path)
    return _built(results, was_full=is_full)


@contextmanager
def _recording_failure(path: Path) -> Iterator[None]:
    """Record a failed build, so that readers of the older tables see a note."""
    try:
        yield
    except CostsLostError:  # the database is removed
        raise
    except CostsBuildError as error:
        with suppress(CostsBusyError, SettingsError):
            if path.exists():
                record_build(path, shortened(str(error)))
        raise


def _is_current(connection: duckdb.DuckDBPyConnection, state: str) -> bool:
    return bool(_rows(connection, "FROM ledger.last_build WHERE state = $1", state))


def _forget_build(connection: duckdb.DuckDBPyConnection, *, keeps_project: bool) -> None:
    """Forget the last build before a new one starts, so that a killed one is repeated."""
    connection.execute("DELETE FROM ledger.last_build")
    if not keeps_project:
        connection.execute("DELETE FROM ledger.project")


def _note(connection: duckdb.DuckDBPyConnection, digest: str, state: str) -> None:
    """Record that everything is built from what the database holds now."""
    connection.execute("DELETE FROM ledger.project")
    connection.execute("INSERT INTO ledger.project VALUES (?)", [digest])
    connection.execute("INSERT INTO ledger.last_build VALUES (?)", [state])
    connection.execute(
        "DELETE FROM ledger.touched_days WHERE load_id <= (SELECT min(load_id) FROM ledger.built)"
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str, *values: str) -> list[Any]:
    return connection.execute(query, list(values)).fetchall()


def _state(
    connection: duckdb.DuckDBPyConnection, settings: Settings, digest: str, now: datetime
) -> str:
    """A digest of everything that the tables are built from."""
    parts = [
        digest,
        now.astimezone(UTC).date(),
        settings.budget_warn_share,
        _rows(connection, "FROM ledger.limits ORDER BY ALL"),
        _rows(connection, "FROM ledger.tag_rules ORDER BY ALL"),
        _rows(connection, "SELECT max(load_id) FROM ledger.loaded_files"),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _arguments(*, full: bool, checks: bool, examples: bool) -> list[str]:
    # exposures are for dbt's docs: nothing is built for them
    words = ["build", "--quiet", "--no-use-colors", "--exclude-resource-type", "exposure"]
    if full:
        words.append("--full-refresh")
    if not checks:
        words += ["--exclude-resource-type", "test"]
    if not examples:
        words += ["--exclude-resource-type", "unit_test"]
    return words


def _variables(
    settings: Settings, as_of: datetime | None, piece_rows: int | None
) -> dict[str, str | int]:
    variables: dict[str, str | int] = {
        "warn_share": str(settings.budget_warn_share),
        "backends": ",".join(BACKENDS),
        "shared_costs_by": settings.shared_costs_by,
    }
    if as_of is not None:
        variables["as_of"] = as_of.astimezone(UTC).isoformat()
    if piece_rows is not None:
        variables["piece_rows"] = piece_rows
    return variables


def _built(results: tuple[Result, ...], *, was_full: bool) -> Built:
    kinds = [one.kind for one in results]
    return Built(
        models=kinds.count("model"),
        tests=kinds.count("test") + kinds.count("unit_test"),
        was_full=was_full,
        warnings=tuple(one.sentence for one in results if one.state == "odd"),
        seconds=sum(one.seconds for one in results),
        results=results,
    )
