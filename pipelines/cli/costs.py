"""`escriba costs`: the ledger, added up."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from assets.rebuild import rebuild_ledger
from pipelines.billing.estimates import on_runpod_l4
from pipelines.billing.prices import PriceBook, read_price_book
from pipelines.settings import Settings
from resources.ledger import open_ledger
from resources.storage.base import Storage

from .house import console, json_option, open_house, print_json, say_if_synthetic
from .overheads import COLUMNS, add_overheads, limit_lines

_GROUPS = {
    "recording": "recording",
    "tenant": "tenant",
    "backend": "backend",
    "model": "model",
    "day": "strftime(started_at, '%Y-%m-%d')",
}
_QUERY = """
    SELECT {group} AS name,
           count(*) FILTER (backend <> 'none') AS attempts,
           count(*) FILTER (status NOT IN ('done', 'none')) AS wasted_attempts,
           sum(audio_seconds) FILTER (status IN ('done', 'none') ) AS audio_seconds,
           coalesce(sum(audio_seconds) FILTER (status = 'done'), 0) AS computed_audio_seconds,
           sum(run_seconds) AS run_seconds,
           sum(run_seconds) FILTER (status = 'done')
               / nullif(sum(audio_seconds) FILTER (status = 'done'), 0) AS rtf,
           sum(cost_usd) AS cost_usd,
           coalesce(sum(cost_usd) FILTER (status NOT IN ('done', 'none')), 0) AS wasted_usd
    FROM attempts GROUP BY 1 ORDER BY 1
"""


@click.command()
@click.option(
    "--by", "group", type=click.Choice(list(_GROUPS)), default="recording", show_default=True
)
@click.option("--rebuild", is_flag=True, help="Write the ledger anew from the attempts' records.")
@click.option("--compact", is_flag=True, help="Put old days of the ledger together, as at night.")
@click.option(
    "--export-focus",
    "focus",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write all charges into a Parquet file in the columns of FOCUS 1.2, and no table.",
)
@click.option("--mirror", is_flag=True, help="Copy the cost tables into COSTS_POSTGRES_URL.")
@json_option
def command(  # noqa: PLR0913  # one for each option
    group: str, *, rebuild: bool, compact: bool, focus: Path | None, mirror: bool, as_json: bool
) -> None:
    """What the recordings cost, all attempts together, the failed ones too."""
    settings, storage = open_house()
    say_if_synthetic(storage)
    if mirror:
        _mirror(settings, storage, as_json=as_json)
        return
    if focus is not None:
        _export_focus(settings, storage, focus, as_json=as_json)
        return
    prices = read_price_book(settings.price_book)
    if rebuild:
        rebuild_ledger(storage, prices)
    if compact:
        _compact(storage)
    with open_ledger(storage, tables=["attempts"]) as ledger:
        rows = query_costs(ledger, group)
    price_rows(prices, rows, diarized=settings.diarizer != "none")
    add_overheads(settings.costs_database, rows, group)
    if as_json:
        print_json(costs_json(rows, group))
        return
    console().print(costs_table(rows, group))
    for line in limit_lines(settings):
        console().print(line)


def _compact(storage: Storage) -> None:
    from resources.costs.compaction import compact_ledger

    done = compact_ledger(storage, datetime.now(UTC))
    for line in (done.headline, *done.troubles):
        click.echo(line, err=True)


def _export_focus(settings: Settings, storage: Storage, target: Path, *, as_json: bool) -> None:
    """Of what is in the bucket now."""
    from assets.cost_limits import cost_limits
    from resources.costs.building import CostsBuildError
    from resources.costs.focus import export_focus
    from resources.costs.refreshing import refresh_costs
    from resources.costs.standing import CostsBusyError

    try:
        refresh_costs(settings, storage, cost_limits(settings))
        count = export_focus(settings.costs_database, target)
    except (CostsBuildError, CostsBusyError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json({"file": str(target), "charges": count})
    else:
        console().print(f"{count:,} charges in {target}.")


def _mirror(settings: Settings, storage: Storage, *, as_json: bool) -> None:
    """Of what is in the bucket now."""
    from assets.cost_limits import cost_limits
    from resources.costs.building import CostsBuildError
    from resources.costs.mirroring import MirrorError, mirror_costs
    from resources.costs.refreshing import refresh_costs
    from resources.costs.standing import CostsBusyError

    url = settings.costs_postgres_url.get_secret_value()
    if not url:
        raise click.UsageError("COSTS_POSTGRES_URL is empty: name the PostgreSQL to copy into.")
    try:
        refresh_costs(settings, storage, cost_limits(settings))
        done = mirror_costs(settings.costs_database, url)
    except (CostsBuildError, CostsBusyError, MirrorError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json({"tables": done.tables, "rows": done.rows})
    else:
        console().print(done.headline)


def query_costs(ledger: Any, group: str) -> list[dict[str, Any]]:  # noqa: ANN401  # a DuckDB connection
    """One dictionary for each group, in the order of its name."""
    answer = ledger.execute(_QUERY.format(group=_GROUPS[group]))
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def costs_json(rows: list[dict[str, Any]], group: str) -> dict[str, Any]:
    """For programs: money as text in plain digits, since `str` makes 0E-9 of a nano-zero."""
    total = Decimal(_total(rows, "cost_usd"))
    plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
    return {"by": group, "rows": plain, "total_usd": _plain(total)}


def _plain(value: Any) -> Any:  # noqa: ANN401  # whatever a column holds
    return f"{value:f}" if isinstance(value, Decimal) else value


def costs_table(rows: list[dict[str, Any]], group: str) -> Table:
    """For people: a line each, the sum below."""
    table = new_table("What it cost", show_footer=True)
    total = f"{_total(rows, 'cost_usd'):.6f}"
    wasted = f"{_total(rows, 'wasted_usd'):.6f}"
    elsewhere = f"{_total(rows, 'usd_on_runpod_l4'):.4f}"
    table.add_column(group, footer="total", overflow="fold")
    table.add_column("audio", justify="right", footer=clock(_total(rows, "audio_seconds")))
    table.add_column("attempts", justify="right", footer=str(_total(rows, "attempts")))
    table.add_column("run", justify="right", footer=f"{_total(rows, 'run_seconds'):.1f} s")
    table.add_column("RTF", justify="right")
    table.add_column("USD", justify="right", footer=total, no_wrap=True)
    table.add_column("of it\nwasted", justify="right", footer=wasted, no_wrap=True)
    table.add_column("USD on a\nRunPod L4", justify="right", footer=elsewhere, no_wrap=True)
    for name, parts in _overheads(rows).items():
        total = f"{sum(_total(rows, part) for part in parts):.4f}"
        table.add_column(name, justify="right", footer=total, no_wrap=True)
    shown = _overheads(rows).values()
    for row in rows:
        overheads = (f"{sum(row[part] for part in parts):.4f}" for parts in shown)
        table.add_row(*_cells(row), *overheads)
    return table


def new_table(title: str, *, show_footer: bool = False) -> Table:
    """A table without a frame: eight columns must fit a terminal of 80."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_footer=show_footer,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        str(row["name"]),
        clock(row["audio_seconds"] or 0),
        str(row["attempts"]),
        f"{row['run_seconds']:.1f} s",
        "" if row["rtf"] is None else f"{row['rtf']:.3f}",
        f"{row['cost_usd']:.6f}",
        f"{row['wasted_usd']:.6f}",
        f"{row['usd_on_runpod_l4']:.4f}",
    ]


def _overheads(rows: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Headings, and what is added up under them, where the cost tables are built."""
    if not any(name in row for row in rows for name in COLUMNS):
        return {}
    boot_and_idle = {"boot +\nidle": COLUMNS[:2]}
    is_unexplained = any(row[COLUMNS[2]] for row in rows)
    return boot_and_idle | ({"unex-\nplained": COLUMNS[2:]} if is_unexplained else {})


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, 1:02:03; below an hour 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def price_rows(prices: PriceBook, rows: list[dict[str, Any]], *, diarized: bool) -> None:
    """Add to each row what its audio would cost on a RunPod L4 today."""
    today = datetime.now(UTC)
    for row in rows:
        seconds = row["computed_audio_seconds"]
        row["usd_on_runpod_l4"] = on_runpod_l4(prices, seconds, today, diarized=diarized)


def _total(rows: list[dict[str, Any]], column: str) -> Any:  # noqa: ANN401  # int, float or Decimal
    return sum((row[column] or 0 for row in rows), start=0)
