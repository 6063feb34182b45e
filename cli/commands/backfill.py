"""`escriba backfill`: request that recordings be processed again, in runs of BATCH_SIZE."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime

import click

from cli.cli_context import console, json_option, open_context, print_json, say
from cli.runs.outdated_recordings import price_of
from escriba.recordings import Recording
from escriba.settings import Settings
from escriba.stages import STAGES, TRANSCRIPT
from intake.inbox import Survey, survey_inbox
from intake.work_requests import new_request, submit_request
from resources.ledger.queries import lock_down, open_ledger
from resources.storage.base import Storage


@click.command()
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    metavar="DATE[THH:MM[:SS]]",
    help="Only files that arrived in the inbox at this time (UTC) or later.",
)
@click.option("--tenant", help="Only this tenant's recordings.")
@click.option(
    "--stage",
    "stages",
    type=click.Choice(STAGES),
    multiple=True,
    help="Only this asset; repeatable. Default: all five.",
)
@click.option("--where", help="Only recordings with an attempt that matches this SQL condition.")
@click.option("--force", is_flag=True, help="Redo up-to-date stages too; this costs money.")
@click.option("--yes", is_flag=True, help="Do not ask before all recordings are forced.")
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
    """Queue all recordings, or a selection, to go through the stages again.

    Up-to-date stages are skipped unless you give --force. --force without --since, --tenant or
    --where applies to every recording: it shows the estimated cost and asks first. The request is
    written to the bucket; the sensor of `escriba up` turns it into runs.

    Example: escriba backfill --where "status = 'failed' AND error_type = 'internal'"
    """
    settings, storage = open_context()
    seen = survey_inbox(storage)
    chosen = _chosen(storage, seen, since, tenant, where)
    if force and chosen and since is None and tenant is None and where is None:
        _confirm(chosen, seen, stages or STAGES, settings, storage, yes=yes)
    request = new_request(
        "backfill", sorted(chosen), stages=stages, forced=(stages or STAGES) if force else ()
    )
    if chosen:
        submit_request(storage, request)
    if as_json:
        print_json({"recordings": list(request.keys), "request": request.key if chosen else None})
    elif chosen:
        out, count = console(), len(chosen)
        out.print(f"Requested {count:,} recording{'s' * (count != 1)} in {request.key}.")
        out.print("`escriba up`, if it is running, starts them within 30 seconds.")
    else:
        console().print("No recording matches.")
    sys.exit(0)


def _chosen(
    storage: Storage, seen: Survey, since: datetime | None, tenant: str | None, where: str | None
) -> list[Recording]:
    chosen = [r for r in seen.everyone if tenant in {None, r.tenant}]
    if since is not None:
        chosen = list(_newer(storage, chosen, since.replace(tzinfo=UTC)))
    if where is not None:
        wanted = _matching(storage, where)
        chosen = [recording for recording in chosen if recording.name in wanted]
    return chosen


def _confirm(  # noqa: PLR0913  # what the price depends on
    chosen: list[Recording],
    seen: Survey,
    stages: tuple[str, ...],
    settings: Settings,
    storage: Storage,
    *,
    yes: bool,
) -> None:
    """Show the count and the price, and ask in a terminal; elsewhere --yes is required.

    Raises:
        click.UsageError: standard input is not a terminal, and --yes is missing.
        click.exceptions.Exit: the answer is no.
    """
    price = _price(chosen, seen, stages, settings, storage)
    plural = "" if len(chosen) == 1 else "s"
    say(f"{len(chosen):,} recording{plural} would be redone: {price}.")
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(
            "--force without --since, --tenant or --where applies to every recording. Add --yes, "
            "or select recordings."
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
        return "these stages run on this machine's CPU and use no GPU time"
    known = {one: seen.made[one] for one in chosen if one in seen.made}
    price = price_of(known, settings, storage) if known else "cost unknown"
    others = len(chosen) - len(known)
    return price + (f", plus {others:,} that were never done" if others else "")


def _newer(
    storage: Storage, recordings: Iterable[Recording], since: datetime
) -> Iterable[Recording]:
    for recording in recordings:
        seen = storage.head(recording.inbox_key)
        if seen is not None and seen.modified >= since:
            yield recording


def _matching(storage: Storage, condition: str) -> set[str]:
    """Return names of recordings with an attempt that matches the SQL condition."""
    import duckdb

    with open_ledger(storage) as ledger:
        lock_down(ledger)
        try:
            found = ledger.execute(f"SELECT DISTINCT recording FROM attempts WHERE ({condition})")  # noqa: S608  # the user's own query, in a locked database
        except duckdb.Error as error:
            raise click.UsageError(f"--where: {error}") from error
        return {row[0] for row in found.fetchall()}
