"""`escriba backfill`: ask for recordings to be gone through again, in runs of BATCH_SIZE."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime

import click

from assets.inbox import survey
from assets.names import STAGES
from assets.requests import ask, new_request
from pipelines.recordings import Recording
from resources.ledger import lock_in, open_ledger
from resources.storage.base import Storage

from .house import console, json_option, open_house, print_json


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
@json_option
def command(  # noqa: PLR0913  # one for each option
    since: datetime | None,
    tenant: str | None,
    stages: tuple[str, ...],
    where: str | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Ask for all recordings, or for some, to go through the stages again.

    Nothing is done again that stands, unless --force says so. The request lies in the bucket;
    the sensor of `escriba up` turns it into runs.

    For instance: escriba backfill --where "status = 'failed' AND error_type = 'internal'"
    """
    _, storage = open_house()
    chosen = [r for r in survey(storage).everyone if tenant in {None, r.tenant}]
    if since is not None:
        chosen = list(_newer(storage, chosen, since.replace(tzinfo=UTC)))
    if where is not None:
        wanted = _where(storage, where)
        chosen = [recording for recording in chosen if recording.name in wanted]
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
