"""`escriba demo --costs`: 90 days of a simulated fleet in a bucket and database of its own."""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cli.cli_context import console, print_json
from cli.demo.simulation.fleet import simulate, until
from cli.demo.simulation.plan import SimulationPlan
from cli.plain_errors import plain_errors
from escriba.billing.price_book import read_price_book
from escriba.billing.price_csv import book_csv
from escriba.settings import Settings, load_settings
from intake.refresh_costs import refresh
from resources.ledger.synthetic_mark import NOTICE, mark_synthetic
from resources.ledger.writer import write_rows
from resources.storage import open_storage
from resources.storage.base import Storage

from .demo_folder import fresh_folder
from .simulation import showcase


def show_costs(folder: Path, *, as_json: bool) -> None:
    """Fill the folder, build the cost tables, and print next steps."""
    with plain_errors():
        _show(folder, as_json=as_json)


def _show(folder: Path, *, as_json: bool) -> None:
    out, began, now = console(), time.monotonic(), datetime.now(UTC)
    settings, plan = _write_settings(fresh_folder(folder), now)
    storage = open_storage(settings)
    if not as_json:
        out.print(f"Simulating 90 days of a GPU fleet in {folder}/ …")
    attempts = _fill(storage, plan, now)
    if not as_json:
        out.print(f"{attempts:,} attempts in the ledger. Building the cost tables …")
    _, built = refresh(settings, storage, checks=False)
    if as_json:
        bucket, database = storage.url, str(settings.costs_database)
        print_json({"attempts": attempts, "bucket": bucket, "costs_database": database})
    else:
        out.print(f"{built.models} tables in {time.monotonic() - began:.0f} s.")
        _print_next_steps(out, folder)


def _write_settings(folder: Path, now: datetime) -> tuple[Settings, SimulationPlan]:
    """Write .env, tenants.yaml and a price book; return the settings and the plan."""
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
    lines = ["# Simulated, like everything in this folder.\ntenants:\n"]
    limits, terms = showcase.TENANT_MONTH_USD, showcase.TENANT_TERMS
    for tenant in sorted(limits | terms):
        lines.append(f"  {tenant}:\n{terms.get(tenant, '')}")
        if tenant in limits:
            lines.append(f"    budget:\n      month_usd: {limits[tenant]}\n")
    return "".join(lines)


def _fill(storage: Storage, plan: SimulationPlan, now: datetime) -> int:
    """Write the ledger up to now; return the number of attempts."""
    mark_synthetic(storage, plan.seed, now)
    fleet = simulate(plan)
    write_rows(storage, list(until(fleet, now - timedelta(minutes=1))))
    return sum(row.ended_at < now for row in fleet.attempts)


def _print_next_steps(out: Console, folder: Path) -> None:
    escriba = Path(sys.argv[0]).absolute()
    out.print(f"\n{NOTICE}\n")
    out.print(Text("Next", style="bold"))
    out.print(f"""\
  cd {folder}
  {escriba} report
  {escriba} report --tenant synthetic-university
  {escriba} costs --by tenant
  {escriba} sql "FROM attempts LIMIT 5"
Any DuckDB client opens costs.duckdb; the tables are in the schema `marts`.""")
