"""`escriba prices`: the price book beside what the providers ask for now."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from .costs import new_table
from .house import console, json_option, print_json

if TYPE_CHECKING:
    from pipelines.billing.catalogue import Change
    from pipelines.settings import Settings


_NOBODY = (
    "Nobody told a price that the book has. RunPod can be asked with RUNPOD_API_KEY, AWS with "
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or its own chain, Google with GOOGLE_API_KEY."
)


@click.group()
def command() -> None:
    """The price book, the only place of prices."""


@command.command()
@click.option("--apply", "is_applied", is_flag=True, help="Write what differs into PRICE_BOOK.")
@click.option(
    "--least",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    help="Percent; what differs by less is rounding, and is left alone.",
)
@json_option
def refresh(*, is_applied: bool, least: float, as_json: bool) -> None:
    """Ask RunPod, AWS (spot history) and Google for their prices, and show what differs.

    --apply ends the old lines and adds new ones, valid from tomorrow on (UTC), in a price book of
    your own; the one that is shipped is never changed. Where nobody tells a price, nothing is
    shown, and the exit status is 2.
    """
    from pipelines.billing.catalogue import compare
    from pipelines.price_book import open_price_book
    from pipelines.settings import load_settings
    from resources.failures import BackendUnavailableError
    from resources.prices.asking import ask_all

    settings = load_settings()
    if is_applied:
        _refuse_the_shipped(settings)
    now = datetime.now(UTC)
    book = open_price_book(settings)
    asked = ask_all(settings, book, now)
    for trouble in asked.troubles:
        click.echo(f"escriba: {trouble}", err=True)
    changes = compare(book, asked.offers, now, Decimal(repr(least)))
    if not changes:
        raise BackendUnavailableError(_NOBODY)
    changed = [one for one in changes if one.state == "changed"]
    if is_applied and changed:
        _apply(settings.price_book, changed)
    if as_json:
        print_json(
            {"changes": [_json(one) for one in changes], "applied": is_applied and bool(changed)}
        )
    else:
        _tell(settings.price_book, changes, is_applied=is_applied)


def _refuse_the_shipped(settings: "Settings") -> None:
    from pipelines.settings import HOUSE, SettingsError

    shipped = HOUSE / "dbt_costs" / "seeds" / "price_book.csv"
    if settings.price_book.resolve() == shipped.resolve():
        raise SettingsError(
            f"PRICE_BOOK: the price book that is shipped is never changed. Copy it "
            f"(cp {shipped} prices.csv), set PRICE_BOOK=prices.csv in .env, and run this again."
        )


def _apply(path: Path, changes: "list[Change]") -> None:
    """A draft is read as a price book first; only a sound one takes the place of the old."""
    from pipelines.billing.catalogue import applied
    from pipelines.billing.prices import read_price_book

    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(applied(path.read_text(encoding="utf-8"), changes), encoding="utf-8")
    read_price_book(draft)
    draft.replace(path)


def _json(change: "Change") -> dict[str, str]:
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


def _tell(path: Path, changes: "list[Change]", *, is_applied: bool) -> None:
    out, table = console(), new_table("Prices of now beside the price book")
    for name in ("price", "in the book", "now", "%", "", "source"):
        table.add_column(name, justify="right" if name in {"in the book", "now", "%"} else "left")
    for one in changes:
        told = _json(one)
        cells = (
            told["price"],
            told["in_the_book_usd"],
            told["now_usd"],
            f"{one.percent:+.1f}",
            "" if one.state == "same" else one.state,
            told["source"],
        )
        table.add_row(*map(escape, cells))
    out.print(table)
    count = sum(one.state == "changed" for one in changes)
    if count and is_applied:
        told = f"{count} new lines in {path}, valid from {changes[0].since:%Y-%m-%d} on."
        out.print(told, markup=False)
    elif count:
        out.print(f"{count} differ: `escriba prices refresh --apply` writes them into PRICE_BOOK.")
