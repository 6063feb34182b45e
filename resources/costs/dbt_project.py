"""dbt's project: a copy of it, with the price book of the settings, and dbt at work on it."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.billing.prices import seed_text
from pipelines.price_book import all_active
from pipelines.settings import HOUSE, Settings, inherited_environment

from .database import MEMORY_LIMIT
from .foundations import CostsBuildError, CostsLostError
from .results import Result, read_results
from .standing import remove, tells_of_damage

PROJECT = HOUSE / "dbt_costs"
_LAST_LINES = 25


def make_project(settings: Settings, folder: Path) -> Path:
    """A copy that may be written to, with the price book and the rates of the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("macros", "models", "tests", "seeds"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(PROJECT / name, folder / name)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copyfile(PROJECT / name, folder / name)
    book = seed_text(settings.price_book, all_active=all_active(settings))
    (folder / "seeds" / "price_book.csv").write_text(book, encoding="utf-8")
    shutil.copyfile(settings.committed_use, folder / "seeds" / "committed_use.csv")
    shutil.copyfile(settings.exchange_rates, folder / "seeds" / "exchange_rates.csv")
    return folder


def digest_of(folder: Path) -> str:
    """Of what the tables are made by; tests may change without a build of everything."""
    parts = hashlib.sha256()
    for name in ("dbt_project.yml", "macros", "models", "seeds"):
        place = folder / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path == place or (path.is_file() and path.suffix != ".yml"):
                parts.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return parts.hexdigest()


def run_dbt(folder: Path, database: Path, arguments: Sequence[str]) -> tuple[Result, ...]:
    """What was built; the results of an earlier build are forgotten first."""
    (folder / "target" / "run_results.json").unlink(missing_ok=True)
    places = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    environment = inherited_environment() | {
        "ESCRIBA_COSTS_DATABASE": str(database),
        "ESCRIBA_COSTS_MEMORY": MEMORY_LIMIT,
        "ESCRIBA_COSTS_BUILD": "1",  # seeds are those of the settings (macros/by_hand.sql)
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
