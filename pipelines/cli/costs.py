"""`escriba costs`: the ledger, added up."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assets.rebuild import rebuild_ledger
from pipelines.billing.estimates import on_runpod_l4
from pipelines.billing.prices import PriceBook, PriceBookError
from pipelines.price_book import open_price_book
from pipelines.settings import Settings
from resources.duplicates import JUDGED
from resources.ledger import open_ledger
from resources.storage.base import Storage

from .cost_table import (
    all_together,
    costs_sheet,
    costs_table,
    new_table,  # noqa: F401  # other commands take it from here
    sum_lines,
    total_of,
)
from .faults import told_plainly
from .house import console, json_option, open_house, print_json, say_if_synthetic
from .mart_files import export_marts
from .overheads import COLUMNS, Overheads, limit_lines, limits_json, read_overheads
from .plain import plain
from .sheet_files import save_sheets, xlsx_option
from .tag_costs import TAG_GROUPS, charge_rows, rows_by_tag

if TYPE_CHECKING:
    import pyarrow as pa

_GROUPS = {
    "recording": "recording",
    "tenant": "tenant",
    "backend": "backend",
    "model": "model",
    "day": "strftime(started_at, '%Y-%m-%d')",
}
# what an attempt cost is what the cost tables say, where they have it already
_QUERY = f"""
    WITH told AS (
        SELECT judged.* REPLACE (coalesce(charged.run_usd, judged.cost_usd) AS cost_usd)
        FROM ({JUDGED}) AS judged LEFT JOIN ({{charged}}) AS charged USING (attempt_id)
    )
    SELECT {{group}} AS name,
           count(*) FILTER (backend <> 'none') AS attempts,
           count(*) FILTER (is_wasted) AS wasted_attempts,
           sum(audio_seconds) FILTER (NOT is_wasted) AS audio_seconds,
           coalesce(sum(audio_seconds) FILTER (status = 'done' AND NOT is_wasted), 0)
               AS computed_audio_seconds,
           sum(run_seconds) AS run_seconds,
           sum(run_seconds) FILTER (status = 'done')
               / nullif(sum(audio_seconds) FILTER (status = 'done'), 0) AS rtf,
           sum(cost_usd) AS cost_usd,
           coalesce(sum(cost_usd) FILTER (is_wasted), 0) AS wasted_usd
    FROM told GROUP BY 1 ORDER BY 1
"""  # noqa: S608  # our own words
_NOT_CHARGED = "SELECT '' AS attempt_id, 0::DECIMAL(18, 9) AS run_usd WHERE false"
# of a group that has no attempts, but money
_NO_ATTEMPTS = {
    "attempts": 0,
    "wasted_attempts": 0,
    "audio_seconds": 0.0,
    "computed_audio_seconds": 0.0,
    "run_seconds": 0.0,
    "rtf": None,
    "cost_usd": Decimal(0),
    "wasted_usd": Decimal(0),
}


@click.command()
@click.option(
    "--by",
    "group",
    type=click.Choice([*_GROUPS, *TAG_GROUPS]),
    default="recording",
    show_default=True,
)
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(writable=True, path_type=Path),
    metavar="FILE",
    help="The rows into this file, and no table; with --mart all into this folder.",
)
@xlsx_option("The rows into this workbook, and no table.")
@click.option(
    "--mart",
    metavar="NAME",
    help="With --csv or --xlsx: one of the cost tables, such as daily_spend, or 'all' of them.",
)
@click.option("--rebuild", is_flag=True, help="Write the ledger anew from the attempts' records.")
@click.option("--compact", is_flag=True, help="Put old days of the ledger together, as at night.")
@click.option(
    "--export-focus",
    "focus",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write all charges into a Parquet file in the columns of FOCUS, and no table.",
)
@click.option("--mirror", is_flag=True, help="Copy the cost tables into COSTS_POSTGRES_URL.")
@json_option
def command(  # noqa: PLR0913  # one for each option
    *,
    group: str,
    csv_file: Path | None,
    xlsx_file: Path | None,
    mart: str | None,
    rebuild: bool,
    compact: bool,
    focus: Path | None,
    mirror: bool,
    as_json: bool,
) -> None:
    """What the recordings cost, all attempts together, the failed ones too."""
    files = csv_file is not None or xlsx_file is not None
    _check(mirror=mirror, focus=focus is not None, others=rebuild or compact or files)
    if mart is not None and not files:
        raise click.UsageError(
            "--mart goes with --csv or --xlsx; `escriba sql` shows a table here."
        )
    settings, storage = open_house()
    say_if_synthetic(storage)
    with told_plainly():
        if mirror:
            _mirror(settings, storage, as_json=as_json)
        elif focus is not None:
            _export_focus(settings, storage, focus, as_json=as_json)
        elif mart is not None:
            export_marts(settings, storage, mart, (csv_file, xlsx_file), as_json=as_json)
        else:
            _rebuild(settings, storage, rebuild=rebuild, compact=compact)
            _show(settings, storage, group, (csv_file, xlsx_file), as_json=as_json)


def _check(*, mirror: bool, focus: bool, others: bool) -> None:
    context = click.get_current_context()
    by = context.get_parameter_source("group") is click.core.ParameterSource.COMMANDLINE
    if (mirror or focus) and mirror + focus + others + by > 1:
        raise click.UsageError(
            "--mirror and --export-focus each go alone: they tell of all that was spent, and show "
            "no table."
        )


def _rebuild(settings: Settings, storage: Storage, *, rebuild: bool, compact: bool) -> None:
    if rebuild:
        count = rebuild_ledger(storage, open_price_book(settings))
        click.echo(f"The rows of {count:,} attempts are written anew from their records.", err=True)
    if compact:
        _compact(storage)


def _rows(
    settings: Settings, storage: Storage, group: str
) -> tuple[list[dict[str, Any]], Overheads | None]:
    """Of the ledger, with what the cost tables add; by tag of the cost tables alone."""
    prices = open_price_book(settings)
    overheads: Overheads | None
    if group in TAG_GROUPS:
        rows, overheads = rows_by_tag(settings, storage, group)
    else:
        overheads = read_overheads(settings.costs_database, group, storage.url)
        runs = overheads.runs if overheads is not None else None
        with open_ledger(storage, tables=["attempts"]) as ledger:
            rows = query_costs(ledger, group, runs)
        if overheads is not None:
            rows = with_overheads(rows, overheads)
    price_rows(prices, rows, diarized=settings.diarizer != "none")
    if group == "tenant":
        charge_rows(settings, rows)
    return rows, overheads


def _show(
    settings: Settings,
    storage: Storage,
    group: str,
    files: tuple[Path | None, Path | None],
    *,
    as_json: bool,
) -> None:
    rows, overheads = _rows(settings, storage, group)
    for line in _notes(settings.costs_database, storage.url):
        click.echo(f"escriba: {line}", err=True)
    if any(files):
        written = save_sheets([costs_sheet(rows, group)], *files)
        for path in written:
            click.echo(f"{len(rows):,} rows in {path}.", err=as_json)
        if not as_json:
            return
    if as_json:
        limits = {"limits": limits_json(settings, storage)}
        print_json(costs_json(rows, group) | limits)
        return
    out = console()
    out.print(costs_table(rows, group, out))
    if overheads is not None:
        out.print(sum_lines(rows, overheads))
    for line in limit_lines(settings, storage):
        out.print(line)


def _notes(database: Path, bucket: str) -> list[str]:
    """That the cost tables are old, or prices missing or assumed."""
    from resources.costs.notes import failed_build, price_notes

    told = [failed_build(database, bucket), *price_notes(database, bucket)]
    return [line for line in told if line]


def _compact(storage: Storage) -> None:
    from resources.costs.compaction import compact_ledger

    done = compact_ledger(storage, datetime.now(UTC))
    for line in (done.headline, *done.troubles):
        click.echo(line, err=True)


def _export_focus(settings: Settings, storage: Storage, target: Path, *, as_json: bool) -> None:
    """Of what is in the bucket now."""
    from assets.refreshed_costs import refresh
    from resources.costs.focus import export_focus

    refresh(settings, storage)
    count = export_focus(settings.costs_database, target, settings.focus_version)
    if as_json:
        print_json({"file": str(target), "charges": count})
    else:
        console().print(f"{count:,} charges in {target}.")


def _mirror(settings: Settings, storage: Storage, *, as_json: bool) -> None:
    """Of what is in the bucket now."""
    from assets.refreshed_costs import refresh
    from resources.costs.mirroring import MirrorError, mirror_costs

    url = settings.costs_postgres_url.get_secret_value()
    if not url:
        raise click.UsageError("COSTS_POSTGRES_URL is empty: name the PostgreSQL to copy into.")
    with told_plainly(MirrorError):
        refresh(settings, storage)
        done = mirror_costs(settings.costs_database, url)
    if as_json:
        print_json({"tables": done.tables, "rows": done.rows})
    else:
        console().print(done.headline)


def query_costs(
    ledger: Any,  # noqa: ANN401  # a DuckDB connection
    group: str,
    runs: "pa.Table | None" = None,
) -> list[dict[str, Any]]:
    """One dictionary for each group, in the order of its name.

    runs: what attempts cost by the cost tables (`Overheads.runs`); any other costs what was
    written down when it ended.
    """
    if runs is not None:
        ledger.register("runs", runs)
    charged = _NOT_CHARGED if runs is None else "FROM runs"
    answer = ledger.execute(_QUERY.format(group=_GROUPS[group], charged=charged))
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def with_overheads(rows: list[dict[str, Any]], overheads: Overheads) -> list[dict[str, Any]]:
    """The rows with what the cost tables add to each, and those of groups only these know."""
    known = {row["name"]: row for row in rows}
    nothing = dict.fromkeys(COLUMNS, Decimal(0))
    found = [row | overheads.rows.get(name, nothing) for name, row in known.items()]
    for name, added in overheads.rows.items():
        if name not in known and any(added.values()):
            found.append({"name": name} | _NO_ATTEMPTS | added)
    return sorted(found, key=lambda row: str(row["name"]))


def costs_json(rows: list[dict[str, Any]], group: str) -> dict[str, Any]:
    """For programs; total_usd is of the attempts alone, all_usd with what the cost tables add."""
    told = {
        "by": group,
        "rows": plain(rows),
        "total_usd": plain(Decimal(total_of(rows, "cost_usd"))),
    }
    if any(COLUMNS[0] in row for row in rows):
        told["all_usd"] = plain(all_together(rows))
    return told


def price_rows(prices: PriceBook, rows: list[dict[str, Any]], *, diarized: bool) -> None:
    """Add to each row what its audio would cost on a RunPod L4 today; None: no such price."""
    today = datetime.now(UTC)
    for row in rows:
        seconds = row["computed_audio_seconds"]
        try:
            row["usd_on_runpod_l4"] = on_runpod_l4(prices, seconds, today, diarized=diarized)
        except PriceBookError:
            row["usd_on_runpod_l4"] = None
