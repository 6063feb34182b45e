"""A copy of the dbt project with the price book of the settings, and running dbt on it."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from escriba.billing.price_book import seed_book
from escriba.billing.price_csv import book_csv
from escriba.settings import HOUSE, Settings, child_environment
from resources.price_book import all_active

from .build_inputs import CostsBuildError, CostsLostError
from .database import MEMORY_LIMIT
from .database_file import remove, tells_of_damage
from .dbt_results import Result, read_results

PROJECT = HOUSE / "dbt_costs"
_LAST_LINES = 25


def make_project(settings: Settings, folder: Path) -> Path:
    """Create a writable copy with the price book and the rates of the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("macros", "models", "tests", "seeds"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(PROJECT / name, folder / name)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copyfile(PROJECT / name, folder / name)
    book = book_csv(seed_book(settings.price_book, all_active=all_active(settings)))
    (folder / "seeds" / "price_book.csv").write_text(book, encoding="utf-8")
    shutil.copyfile(settings.committed_use, folder / "seeds" / "committed_use.csv")
    shutil.copyfile(settings.exchange_rates, folder / "seeds" / "exchange_rates.csv")
    return folder


def digest_of(folder: Path) -> str:
    """A digest of models and seeds; changed tests do not need a full build."""
    parts = hashlib.sha256()
    for name in ("dbt_project.yml", "macros", "models", "seeds"):
        place = folder / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path == place or (path.is_file() and path.suffix != ".yml"):
                parts.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return parts.hexdigest()


def run_dbt(folder: Path, database: Path, arguments: Sequence[str]) -> tuple[Result, ...]:
    """Run dbt, and return the results; those of an earlier build are removed first.

    Raises:
        CostsBuildError: a model or test failed, or dbt could not start.
        CostsLostError: the database was damaged, and is removed.
    """
    (folder / "target" / "run_results.json").unlink(missing_ok=True)
    code, output = _run_process(folder, database, arguments)
    results = read_results(folder / "target")
    failed = [one.sentence for one in results if one.state in {"bad", "broken"}]
    if any(tells_of_damage(one.message) for one in results):
        remove(database)
        raise CostsLostError(
            f"COSTS_DATABASE: {database} was damaged and is removed. Load the ledger again."
        )
    if failed:
        raise CostsBuildError("; ".join(failed), results)
    if code:
        raise CostsBuildError(_start_error(output.strip()))
    return results


def _run_process(folder: Path, database: Path, arguments: Sequence[str]) -> tuple[int, str]:
    """The exit status and the output of dbt."""
    folders = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    environment = child_environment("dbt") | {
        "ESCRIBA_COSTS_DATABASE": _seen_from(folder, database),
        "ESCRIBA_COSTS_MEMORY": MEMORY_LIMIT,
        "ESCRIBA_COSTS_BUILD": "1",  # seeds are those of the settings (macros/by_hand.sql)
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    with subprocess.Popen(  # noqa: S603  # our own module
        [sys.executable, "-m", "resources.costs_database.dbt_process", *arguments, *folders],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,  # closed when this process dies
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        output = process.stdout.read() if process.stdout else ""
        return process.wait(), output


def _seen_from(folder: Path, database: Path) -> str:
    """The database's path for dbt, relative where it lies beside the folder.

    dbt parses the project anew when the path changes (build_manifest_state_check in its
    parser/manifest.py): so, a folder of costs that is moved or mounted elsewhere is not.
    """
    beside = Path("..") / database.name
    is_there = (folder / beside).exists() and (folder / beside).samefile(database)
    return str(beside if is_there else database)


def _start_error(output: str) -> str:
    if "No module named 'dbt'" in output:
        return "dbt is not installed. Run `make setup`."
    return "dbt could not build the marts:\n" + "\n".join(output.splitlines()[-_LAST_LINES:])
