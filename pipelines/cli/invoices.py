"""`escriba invoices`: what the providers billed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .house import console, json_option, open_house, print_json

if TYPE_CHECKING:
    from pipelines.billing.deliveries import Wish
    from resources.invoices.importing import Imported


@click.group()
def command() -> None:
    """What the providers billed, which the measured seconds have to explain."""


@command.command("import")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--from",
    "provider",
    type=click.Choice(["runpod", "aws", "gcp"]),
    help="Whose they are; told by their columns where it is left out.",
)
@click.option(
    "--bucket",
    type=click.Choice(["hour", "day", "week"]),
    default="day",
    show_default=True,
    help="Length of RunPod's records, as they were asked for.",
)
@click.option("--tag", help="Only lines with this tag or label, KEY=VALUE.")
@click.option("--whole", is_flag=True, help="The files are all of their months: what stood goes.")
@click.option("--part", is_flag=True, help="They are a further part of what stands.")
@json_option
def import_files(  # noqa: PLR0913  # one for each option
    files: tuple[Path, ...],
    provider: str | None,
    bucket: str,
    tag: str | None,
    *,
    whole: bool,
    part: bool,
    as_json: bool,
) -> None:
    """Read a delivery: RunPod's billing API (JSON), AWS CUR 2.0, Google's billing export.

    Its files may come at once, or one at a time. A file that was imported before adds nothing;
    one that says again what stands begins a new delivery, which takes the place of all that the
    one before said of that payer's month.
    """
    from pipelines.billing.currencies import ExchangeRateError, read_exchange_rates
    from pipelines.billing.invoices import InvoiceError
    from resources.invoices.importing import Delivery, import_invoices

    settings, storage = open_house()
    if whole and part:
        raise click.UsageError("--whole and --part exclude each other.")
    wish: Wish = "whole" if whole else "part" if part else ""
    delivery = Delivery(provider or "", bucket, _tag(tag), wish)
    try:
        rates = read_exchange_rates(settings.exchange_rates)
        done = import_invoices(storage, files, rates, delivery, datetime.now(UTC))
    except (InvoiceError, ExchangeRateError) as error:
        raise click.UsageError(str(error)) from error
    for name in done.empty:
        click.echo(f"escriba: {name} holds no lines.", err=True)
    _tell(done, as_json=as_json)


@command.command("fetch")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The first day (UTC) that is asked for: a week ago.",
)
@json_option
def fetch(since: datetime | None, *, as_json: bool) -> None:
    """Ask RunPod what it billed for the endpoints that are set, day by day up to yesterday.

    The report of the morning does the same before it is written.
    """
    from assets.bills import DAYS
    from pipelines.billing.currencies import ExchangeRateError, read_exchange_rates
    from pipelines.billing.invoices import InvoiceError
    from resources.invoices.runpod_api import fetch_bill

    settings, storage = open_house()
    now = datetime.now(UTC)
    first = since.date() if since else now.date() - timedelta(days=DAYS)
    try:
        rates = read_exchange_rates(settings.exchange_rates)
        done = fetch_bill(settings, storage, rates, first, now)
    except (InvoiceError, ExchangeRateError) as error:
        raise click.UsageError(str(error)) from error
    _tell(done, as_json=as_json)


def _tell(done: "Imported", *, as_json: bool) -> None:
    if as_json:
        print_json(_json(done))
    else:
        console().print(done.sentence)


def _json(done: "Imported") -> dict[str, object]:
    return {
        "rows": done.rows,
        "new": done.new,
        "replaced": done.replaced,
        "unchanged": done.unchanged,
        "left_out": done.left_out,
        "empty_files": done.empty,
        "amount_usd": f"{done.usd:f}",
        "backends": done.backends,
        "gone": done.gone,
        "gone_usd": f"{done.gone_usd:f}",
        "stood_usd": None if done.stood_usd is None else f"{done.stood_usd:f}",
        "superseded": done.superseded,
        "rate_sources": done.rate_sources,
    }


def _tag(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.UsageError(f"--tag {text!r}: write it as KEY=VALUE.")
    return key, value
