"""The marts, built by dbt in a process of its own that sees the database and no secret."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.settings import Settings, SettingsError
from resources.gpu.registry import backend_names

from .database import costs_lock, open_database
from .dbt_project import digest_of, make_project, run_dbt
from .foundations import CostsBuildError, CostsLostError, hold_loaded, hold_seeds
from .notes import note_build, shortened
from .results import Result
from .standing import CostsBusyError, beside

__all__ = ["Built", "CostsBuildError", "CostsLostError", "build_marts"]


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did. seconds: of each model and test, without dbt's own start."""

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
    """Bring the marts up to what is loaded; only days that changed are built.

    full: all days, as whenever the project or the price book is another than at the last build.
    checks: hold the business rules against the tables. as_of: the moment that forecasts look
    from. examples: run the models' worked examples too (dbt's unit tests). unless_current: do
    nothing where no row, limit, price or model is another, and the day (UTC) is the same.
    piece_rows: attempts that are built at once, which is what memory grows with.

    Raises:
        CostsBuildError: what failed, by name; nothing was loaded; the price book or the rates
            overlap or have gaps.
        CostsLostError: the database was damaged, and has to be loaded anew.
        CostsBusyError: another program has the database open.
        SettingsError: COSTS_DATABASE names what is not ours.
    """
    path = settings.costs_database
    with costs_lock(path):
        with _noting_failure(path):
            hold_seeds(settings, gaps=not checks)
        hold_loaded(path)
        folder = make_project(settings, beside(path))
        # a rule of sharing that is another makes every day another
        digest = f"{digest_of(folder)} {settings.shared_costs_by}"
        with open_database(path) as connection:
            same = bool(_told(connection, "FROM ledger.project WHERE digest = $1", digest))
            state = _state(connection, settings, digest, as_of or datetime.now(UTC))
            if unless_current and _told(
                connection, "FROM ledger.last_build WHERE state = $1", state
            ):
                return _built((), was_full=False)
            connection.execute("DELETE FROM ledger.last_build")
            if not same:
                connection.execute("DELETE FROM ledger.project")
        is_full = full or not same
        words = _arguments(full=is_full, checks=checks, examples=examples)
        words += ["--vars", json.dumps(_variables(settings, as_of, piece_rows))]
        with _noting_failure(path):
            results = run_dbt(folder, path, words)
        with open_database(path) as connection:
            _note(connection, digest, state)
        note_build(path)
    return _built(results, was_full=is_full)


@contextmanager
def _noting_failure(path: Path) -> Iterator[None]:
    """Whoever reads the tables meanwhile is told that they are older than this build."""
    try:
        yield
    except CostsLostError:  # with all that it held
        raise
    except CostsBuildError as error:
        with suppress(CostsBusyError, SettingsError):
            if path.exists():
                note_build(path, shortened(str(error)))
        raise


def _note(connection: duckdb.DuckDBPyConnection, digest: str, state: str) -> None:
    """That all is built of what the database holds now."""
    connection.execute("DELETE FROM ledger.project")
    connection.execute("INSERT INTO ledger.project VALUES (?)", [digest])
    connection.execute("INSERT INTO ledger.last_build VALUES (?)", [state])
    connection.execute(
        "DELETE FROM ledger.touched_days WHERE load_id <= (SELECT min(load_id) FROM ledger.built)"
    )


def _told(connection: duckdb.DuckDBPyConnection, query: str, *values: str) -> list[Any]:
    return connection.execute(query, list(values)).fetchall()


def _state(
    connection: duckdb.DuckDBPyConnection, settings: Settings, digest: str, now: datetime
) -> str:
    """What the tables would be made of."""
    parts = [
        digest,
        now.astimezone(UTC).date(),
        settings.budget_warn_share,
        _told(connection, "FROM ledger.limits ORDER BY ALL"),
        _told(connection, "FROM ledger.tag_rules ORDER BY ALL"),
        _told(connection, "SELECT max(load_id) FROM ledger.loaded_files"),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _arguments(*, full: bool, checks: bool, examples: bool) -> list[str]:
    words = ["build", "--quiet", "--no-use-colors"]
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
    told: dict[str, str | int] = {
        "warn_share": str(settings.budget_warn_share),
        "backends": ",".join(backend_names()),
        "shared_costs_by": settings.shared_costs_by,
    }
    if as_of is not None:
        told["as_of"] = as_of.astimezone(UTC).isoformat()
    if piece_rows is not None:
        told["piece_rows"] = piece_rows
    return told


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
