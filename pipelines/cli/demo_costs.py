"""`escriba demo --costs`: a quarter of a made-up fleet, in a bucket and a database of its own."""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from assets.refreshed_costs import refresh
from pipelines.billing.prices import read_price_book
from pipelines.billing.simulation import showcase
from pipelines.billing.simulation.fleet import simulate, until
from pipelines.billing.simulation.plan import Plan
from pipelines.billing.simulation.prices import book_csv
from pipelines.settings import Settings, load_settings
from resources.ledger_writer import write_rows
from resources.storage import open_storage
from resources.storage.base import Storage
from resources.synthetic import NOTICE, mark_synthetic

from .demo_folder import fresh_folder
from .faults import told_plainly
from .house import console, print_json


def show_costs(folder: Path, *, as_json: bool) -> None:
    """Fill the folder, build the marts, and say what to look at."""
    with told_plainly():
        _show(folder, as_json=as_json)


def _show(folder: Path, *, as_json: bool) -> None:
    out, began, now = console(), time.monotonic(), datetime.now(UTC)
    settings, plan = _house(fresh_folder(folder), now)
    storage = open_storage(settings)
    if not as_json:
        out.print(f"Ninety days of a made-up fleet, in {folder}/ …")
    attempts = _fill(storage, plan, now)
    if not as_json:
        out.print(f"{attempts:,} attempts in the ledger. Building the marts …")
    _, built = refresh(settings, storage, checks=False)
    if as_json:
        bucket, database = storage.url, str(settings.costs_database)
        print_json({"attempts": attempts, "bucket": bucket, "costs_database": database})
    else:
        out.print(f"{built.models} tables in {time.monotonic() - began:.0f} s.")
        _say_next(out, folder)


def _house(folder: Path, now: datetime) -> tuple[Settings, Plan]:
    """The settings of the folder, also as files for whoever works in it; and the plan."""
    plan = showcase.showcase(read_price_book(load_settings().price_book), now)
    (folder / "price_book.csv").write_text(book_csv(plan.prices), encoding="utf-8")
    (folder / "tenants.yaml").write_text(_tenants(), encoding="utf-8")
    overrides = {
        "storage_url": (folder / "bucket").as_uri(),
        "dagster_home": folder / "dagster",
        "costs_database": folder / "costs.duckdb",
        "price_book": folder / "price_book.csv",
        "tenants_file": folder / "tenants.yaml",
        "daily_cost_threshold": showcase.DAY_LIMIT_USD,
        "monthly_cost_threshold": showcase.MONTH_LIMIT_USD,
    }
    lines = [f"{name.upper()}={value}\n" for name, value in overrides.items()]
    (folder / ".env").write_text("".join(lines), encoding="utf-8")
    return load_settings(**overrides), plan


def _tenants() -> str:
    lines = ["# made up, as everything in this folder\ntenants:\n"]
    limits, terms = showcase.TENANT_MONTH_USD, showcase.TENANT_TERMS
    for tenant in sorted(limits | terms):
        lines.append(f"  {tenant}:\n{terms.get(tenant, '')}")
        if tenant in limits:
            lines.append(f"    budget:\n      month_usd: {limits[tenant]}\n")
    return "".join(lines)


def _fill(storage: Storage, plan: Plan, now: datetime) -> int:
    """The ledger up to now; the number of its attempts."""
    mark_synthetic(storage, plan.seed, now)
    fleet = simulate(plan)
    write_rows(storage, list(until(fleet, now - timedelta(minutes=1))))
    return sum(row.ended_at < now for row in fleet.attempts)


def _say_next(out: Console, folder: Path) -> None:
    escriba = Path(sys.argv[0]).absolute()
    out.print(f"\n{NOTICE}\n")
    out.print(Text("Next", style="bold"))
    out.print(f"""\
  cd {folder}
  {escriba} report
  {escriba} report --tenant synthetic-university
  {escriba} costs --by tenant
  {escriba} sql "FROM attempts LIMIT 5"
costs.duckdb opens in any DuckDB client; the tables are in the schema `marts`.""")
