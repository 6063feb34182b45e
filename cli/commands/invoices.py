"""`escriba invoices`: import the providers' invoices."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.cli_context import console, json_option, open_context, print_json, say

if TYPE_CHECKING:
    from escriba.billing.bill_deliveries import DeliveryKind
    from resources.invoices.import_invoices import ImportResult


@click.group()
def command() -> None:
    """Import the providers' invoices, to reconcile them with measured costs."""


@command.command("import", short_help="Import invoice files of RunPod, AWS or Google")
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
    help="Provider of the files; by default recognized from their columns.",
)
@click.option(
    "--bucket",
    type=click.Choice(["hour", "day", "week"]),
    default="day",
    show_default=True,
    help="Period of each RunPod record, as requested from its API.",
)
@click.option("--tag", help="Only lines with this tag or label, KEY=VALUE.")
@click.option("--whole", is_flag=True, help="The files are complete: replace earlier imports.")
@click.option("--part", is_flag=True, help="The files add to what was imported before.")
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
    """Import invoice FILES: RunPod's billing API (JSON), AWS CUR 2.0, Google's billing export.

    Import the files of one export together or one at a time. Importing the same file again
    changes nothing. A file that repeats imported lines starts a new export, which replaces
    everything imported before for that payer and month.
    """
    from escriba.billing.exchange_rates import ExchangeRateError, read_exchange_rates
    from escriba.billing.invoice_rows import InvoiceError
    from resources.invoices.import_invoices import DeliveryFiles, import_invoices

    settings, storage = open_context()
    if whole and part:
        raise click.UsageError("Use either --whole or --part, not both.")
    kind: DeliveryKind = "whole" if whole else "part" if part else ""
    delivery = DeliveryFiles(provider or "", bucket, _tag(tag), kind)
    try:
        rates = read_exchange_rates(settings.exchange_rates)
        done = import_invoices(storage, files, rates, delivery, datetime.now(UTC))
    except (InvoiceError, ExchangeRateError) as error:
        raise click.UsageError(str(error)) from error
    for name in done.empty:
        say(f"escriba: {name} contains no lines.")
    _report(done, as_json=as_json)


@command.command("fetch", short_help="Fetch charges from RunPod's API")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="First day (UTC) to request. Default: a week ago.",
)
@json_option
def fetch(since: datetime | None, *, as_json: bool) -> None:
    """Fetch RunPod's charges for the configured endpoints, day by day up to yesterday.

    The daily report does the same before it is written.
    """
    from assets.costs.fetch_bills import DAYS
    from escriba.billing.exchange_rates import ExchangeRateError, read_exchange_rates
    from escriba.billing.invoice_rows import InvoiceError
    from resources.invoices.runpod_api import fetch_bill

    settings, storage = open_context()
    now = datetime.now(UTC)
    first = since.date() if since else now.date() - timedelta(days=DAYS)
    try:
        rates = read_exchange_rates(settings.exchange_rates)
        done = fetch_bill(settings, storage, rates, first, now)
    except (InvoiceError, ExchangeRateError) as error:
        raise click.UsageError(str(error)) from error
    _report(done, as_json=as_json)


def _report(done: "ImportResult", *, as_json: bool) -> None:
    if as_json:
        print_json(_json(done))
    else:
        console().print(done.sentence)


def _json(done: "ImportResult") -> dict[str, object]:
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
        "stands_beside": done.beside,
        "rate_sources": done.rate_sources,
    }


def _tag(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.UsageError(f"--tag {text!r}: write it as KEY=VALUE.")
    return key, value
