"""The marts, built by dbt in a process of its own that sees the database and no secret."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipelines.billing.currencies import ExchangeRateError, read_exchange_rates
from pipelines.billing.prices import PriceBookError, read_price_book
from pipelines.billing.seed_lines import gap
from pipelines.settings import HOUSE, Settings, inherited_environment

from .database import MEMORY_LIMIT, bucket_of, costs_lock, open_database
from .reading import read_only
from .results import Result, read_results
from .standing import CostsDamagedError, CostsNotBuiltError, beside, remove, tells_of_damage

PROJECT = HOUSE / "dbt_costs"
_LAST_LINES = 25


class CostsBuildError(RuntimeError):
    """dbt could not build, or a rule does not hold; names the models and the tests.

    results: what was built all the same, and what was not.
    """

    def __init__(self, message: str, results: tuple[Result, ...] = ()) -> None:
        super().__init__(message)
        self.results = results


class CostsLostError(CostsBuildError):
    """The database was found damaged and is removed: the bucket has all of it."""


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
    _hold_seeds(settings, gaps=not checks)
    with costs_lock(path):
        _hold_loaded(path)
        folder = _project(settings, beside(path))
        digest = _digest(folder)
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
        results = _dbt(
            folder,
            path,
            [
                *_arguments(full=is_full, checks=checks, examples=examples),
                *("--vars", json.dumps(_variables(settings, as_of, piece_rows))),
            ],
        )
        with open_database(path) as connection:
            _note(connection, digest, state)
    return _built(results, was_full=is_full)


def _hold_seeds(settings: Settings, *, gaps: bool) -> None:
    """With two prices at a time rows would be there twice. gaps: where no rule of dbt's tells."""
    try:
        prices = read_price_book(settings.price_book).prices
        rates = read_exchange_rates(settings.exchange_rates).rates
    except (PriceBookError, ExchangeRateError) as error:
        raise CostsBuildError(str(error)) from error
    for setting, lines in (("PRICE_BOOK", prices), ("EXCHANGE_RATES", rates)):
        if gaps and (missing := gap(lines)):
            raise CostsBuildError(f"{setting}: there is a gap: nothing is said of {missing}.")


def _hold_loaded(path: Path) -> None:
    """A build of a database that was lost meanwhile would tell of no costs at all."""
    try:
        with read_only(path, "ledger.bucket") as connection:
            if bucket_of(connection):
                return
    except CostsDamagedError as error:
        raise CostsBuildError(str(error)) from error
    except CostsNotBuiltError:
        pass
    raise CostsBuildError(f"COSTS_DATABASE: nothing was loaded into {path}: load the ledger first.")


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
    told: dict[str, str | int] = {"warn_share": str(settings.budget_warn_share)}
    if as_of is not None:
        told["as_of"] = as_of.astimezone(UTC).isoformat()
    if piece_rows is not None:
        told["piece_rows"] = piece_rows
    return told


def _project(settings: Settings, folder: Path) -> Path:
    """A copy that may be written to, with the price book and the rates of the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("macros", "models", "tests", "seeds"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(PROJECT / name, folder / name)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copyfile(PROJECT / name, folder / name)
    shutil.copyfile(settings.price_book, folder / "seeds" / "price_book.csv")
    shutil.copyfile(settings.exchange_rates, folder / "seeds" / "exchange_rates.csv")
    return folder


def _digest(folder: Path) -> str:
    """Of what the tables are made by; tests may change without a build of everything."""
    parts = hashlib.sha256()
    for name in ("dbt_project.yml", "macros", "models", "seeds"):
        place = folder / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path == place or (path.is_file() and path.suffix != ".yml"):
                parts.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return parts.hexdigest()


def _dbt(folder: Path, database: Path, arguments: Sequence[str]) -> tuple[Result, ...]:
    """What was built; the results of an earlier build are forgotten first."""
    (folder / "target" / "run_results.json").unlink(missing_ok=True)
    places = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    environment = inherited_environment() | {
        "ESCRIBA_COSTS_DATABASE": str(database),
        "ESCRIBA_COSTS_MEMORY": MEMORY_LIMIT,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    with subprocess.Popen(  # noqa: S603  # our own words
        [sys.executable, "-m", "resources.costs.dbt_process", *arguments, *places],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,  # closed when this process dies
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        said = process.stdout.read() if process.stdout else ""
        code = process.wait()
    results = read_results(folder / "target")
    failed = [one.sentence for one in results if one.state in {"bad", "broken"}]
    if any(tells_of_damage(one.message) for one in results):
        remove(database)
        raise CostsLostError(
            f"COSTS_DATABASE: {database} was damaged and is removed: load the ledger again."
        )
    if failed:
        raise CostsBuildError("; ".join(failed), results)
    if code:
        raise CostsBuildError(_why_not(said.strip()))
    return results


def _why_not(said: str) -> str:
    if "No module named 'dbt'" in said:
        return (
            "dbt is not installed: `make setup` brings it, as does "
            "`pip install -c requirements.lock -e '.[costs]'`."
        )
    return "dbt could not build the marts:\n" + "\n".join(said.splitlines()[-_LAST_LINES:])


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
