"""`escriba backfill`: ask for recordings to be gone through again, in runs of BATCH_SIZE."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime

import click

from assets.inbox import Survey, survey
from assets.names import STAGES, TRANSCRIPT
from assets.requests import ask, new_request
from pipelines.recordings import Recording
from pipelines.settings import Settings
from resources.ledger import lock_in, open_ledger
from resources.storage.base import Storage

from .house import console, json_option, open_house, print_json
from .redoing import price_of


@click.command()
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="Only files that came into the inbox at that time (UTC) or later.",
)
@click.option("--tenant", help="Only this tenant's recordings.")
@click.option(
    "--stage",
    "stages",
    type=click.Choice(STAGES),
    multiple=True,
    help="Only this asset; may be given several times. Default: all five.",
)
@click.option("--where", help="Only recordings with an attempt of which this SQL is true.")
@click.option(
    "--force", is_flag=True, help="Do the stages again though they stand; this costs money."
)
@click.option("--yes", is_flag=True, help="Do not ask before everything is forced.")
@json_option
def command(  # noqa: PLR0913  # one for each option
    since: datetime | None,
    tenant: str | None,
    stages: tuple[str, ...],
    where: str | None,
    *,
    force: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Ask for all recordings, or for some, to go through the stages again.

    Nothing is done again that stands, unless --force says so. --force without --since, --tenant or
    --where is about every recording: it tells what that costs, and asks. The request lies in the
    bucket; the sensor of `escriba up` turns it into runs.

    For instance: escriba backfill --where "status = 'failed' AND error_type = 'internal'"
    """
    settings, storage = open_house()
    seen = survey(storage)
    chosen = _chosen(storage, seen, since, tenant, where)
    if force and chosen and since is None and tenant is None and where is None:
        _confirm(chosen, seen, stages or STAGES, settings, storage, yes=yes)
    request = new_request(
        "backfill", sorted(chosen), stages=stages, forced=(stages or STAGES) if force else ()
    )
    if chosen:
        ask(storage, request)
    if as_json:
        print_json({"recordings": list(request.keys), "request": request.key if chosen else None})
    elif chosen:
        out = console()
        out.print(f"Asked for {len(chosen):,} recordings in {request.key}.")
        out.print("`escriba up` begins the runs within half a minute, where it is running.")
    else:
        console().print("No recording fits.")
    sys.exit(0)


def _chosen(
    storage: Storage, seen: Survey, since: datetime | None, tenant: str | None, where: str | None
) -> list[Recording]:
    chosen = [r for r in seen.everyone if tenant in {None, r.tenant}]
    if since is not None:
        chosen = list(_newer(storage, chosen, since.replace(tzinfo=UTC)))
    if where is not None:
        wanted = _where(storage, where)
        chosen = [recording for recording in chosen if recording.name in wanted]
    return chosen


def _confirm(  # noqa: PLR0913  # what the price hangs on
    chosen: list[Recording],
    seen: Survey,
    stages: tuple[str, ...],
    settings: Settings,
    storage: Storage,
    *,
    yes: bool,
) -> None:
    """Tell the count and the price, and ask where somebody can answer; elsewhere --yes is needed.

    Raises:
        click.UsageError: nobody can answer.
        click.exceptions.Exit: the answer is no.
    """
    price = _price(chosen, seen, stages, settings, storage)
    click.echo(f"{len(chosen):,} recordings would be done again: {price}.", err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(
            "--force without --since, --tenant or --where is about every recording: say --yes too, "
            "or which ones."
        )
    if not click.confirm("Force all of them?", err=True):
        raise click.exceptions.Exit(1)


def _price(
    chosen: list[Recording],
    seen: Survey,
    stages: tuple[str, ...],
    settings: Settings,
    storage: Storage,
) -> str:
    if TRANSCRIPT not in stages:
        return "these stages compute on this machine's CPU, and cost no GPU time"
    known = {one: seen.made[one] for one in chosen if one in seen.made}
    price = price_of(known, settings, storage) if known else "nobody knows what that costs"
    others = len(chosen) - len(known)
    return price + (f", and {others:,} that were never done" if others else "")


def _newer(
    storage: Storage, recordings: Iterable[Recording], since: datetime
) -> Iterable[Recording]:
    for recording in recordings:
        seen = storage.head(recording.inbox_key)
        if seen is not None and seen.modified >= since:
            yield recording


def _where(storage: Storage, condition: str) -> set[str]:
    import duckdb

    with open_ledger(storage) as ledger:
        lock_in(ledger)
        try:
            found = ledger.execute(f"SELECT DISTINCT recording FROM attempts WHERE ({condition})")  # noqa: S608  # the caller's own question, in a locked database
        except duckdb.Error as error:
            raise click.UsageError(f"--where: {error}") from error
        return {row[0] for row in found.fetchall()}
