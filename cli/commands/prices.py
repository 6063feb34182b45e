"""`escriba prices`: compare the price book with the providers' current prices."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.cli_context import console, json_option, print_json, say
from cli.cost_tables.cost_table import new_table
from cli.renamed_option import RenamedOption

if TYPE_CHECKING:
    from escriba.billing.price_changes import PriceDifference
    from escriba.settings import Settings


_NO_PRICES = (
    "No provider returned a price that is in the price book. RunPod needs RUNPOD_API_KEY, AWS "
    "needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or its credential chain, Google needs "
    "GOOGLE_API_KEY."
)


@click.group()
def command() -> None:
    """Compare the price book, the single source of all prices, with the providers' prices."""


@command.command(short_help="Request current prices and show differences")
@click.option("--apply", "is_applied", is_flag=True, help="Write the new prices to PRICE_BOOK.")
@click.option(
    "--min-percent",
    "min_percent",
    cls=RenamedOption,
    old_names=("--least",),
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Ignore differences below this percentage.",
)
@json_option
def refresh(*, is_applied: bool, min_percent: float, as_json: bool) -> None:
    """Request current prices from RunPod, AWS (spot history) and Google; show differences.

    --apply closes the old lines and adds new ones, valid from tomorrow (UTC), in your own copy of
    the price book; the built-in price book is never changed.

    Exit status: 2 if no provider returned a price.
    """
    from escriba.billing.price_changes import compare_prices
    from escriba.errors import BackendUnavailableError
    from escriba.settings import load_settings
    from resources.price_book import open_price_book
    from resources.prices.ask_providers import ask_all

    settings = load_settings()
    if is_applied:
        _check_own_price_book(settings)
    now = datetime.now(UTC)
    book = open_price_book(settings)
    asked = ask_all(settings, book, now)
    for trouble in asked.troubles:
        say(f"escriba: {trouble}")
    changes = compare_prices(book, asked.offers, now, Decimal(repr(min_percent)))
    if not changes:
        raise BackendUnavailableError(_NO_PRICES)
    changed = [one for one in changes if one.state == "changed"]
    if is_applied and changed:
        _apply(settings.price_book, changed)
    if as_json:
        print_json(
            {
                "changes": [_json(one) for one in changes],
                "applied": is_applied and bool(changed),
            }
        )
    else:
        _report(settings.price_book, changes, is_applied=is_applied)


def _check_own_price_book(settings: "Settings") -> None:
    from escriba.settings import HOUSE, SettingsError

    shipped = HOUSE / "dbt_costs" / "seeds" / "price_book.csv"
    if settings.price_book.resolve() == shipped.resolve():
        raise SettingsError(
            f"PRICE_BOOK: the built-in price book cannot be changed. Copy it "
            f"(cp {shipped} prices.csv), set PRICE_BOOK=prices.csv in .env, and run this again."
        )


def _apply(path: Path, changes: "list[PriceDifference]") -> None:
    """Write the new price book, after checking that the draft can be read."""
    from escriba.billing.price_book import read_price_book
    from escriba.billing.price_changes import apply_changes

    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(apply_changes(path.read_text(encoding="utf-8"), changes), encoding="utf-8")
    read_price_book(draft)
    draft.replace(path)


def _json(change: "PriceDifference") -> dict[str, str]:
    return {
        "price": change.line.name,
        "unit": change.line.unit,
        "in_the_book_usd": f"{change.line.price_usd:f}",
        "now_usd": f"{change.offer.price_usd:f}",
        "percent": f"{change.percent:.1f}",
        "state": change.state,
        "valid_from": f"{change.since:%Y-%m-%d}",
        "source": change.offer.source,
    }


def _report(path: Path, changes: "list[PriceDifference]", *, is_applied: bool) -> None:
    out, table = console(), new_table("Price book and current prices")
    for name in ("price", "in the book", "now", "%", "", "source"):
        table.add_column(name, justify="right" if name in {"in the book", "now", "%"} else "left")
    for one in changes:
        row = _json(one)
        cells = (
            row["price"],
            row["in_the_book_usd"],
            row["now_usd"],
            f"{one.percent:+.1f}",
            "" if one.state == "same" else one.state,
            row["source"],
        )
        table.add_row(*cells)
    out.print(table)
    count = sum(one.state == "changed" for one in changes)
    if count and is_applied:
        line = f"Added {count} lines to {path}, valid from {changes[0].since:%Y-%m-%d}."
        out.print(line)
    elif count:
        out.print(f"{count} differ. Write them to PRICE_BOOK: `escriba prices refresh --apply`.")
