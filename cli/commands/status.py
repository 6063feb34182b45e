"""`escriba status`: count the recordings by state and explain failures."""

from collections import Counter

import click

from cli.cli_context import console, json_option, open_context, print_json
from cli.cost_tables.cost_table import new_table
from escriba.model_names import DEMO_MODEL, TOY_NOTICE
from escriba.recordings import Recording
from intake.inbox import Survey, survey_inbox
from intake.outdated_files import outdated_files
from intake.quarantine import printable
from intake.refused_requests import read_refused

from .run import names, print_failure, print_warnings, refused_json

_MOST_WARNED = 50  # in the terminal; --json lists all


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Count the recordings by state, and list failures with what to do.

    Also shows which models transcribed the recordings, and warnings about them.
    """
    settings, storage = open_context()
    seen = survey_inbox(storage)
    files = outdated_files(seen, settings, storage)
    requests = list(read_refused(storage))
    if as_json:
        refused_requests = [one.model_dump(mode="json") for one in requests]
        print_json(_as_json(seen, files, storage.url) | {"refused_requests": refused_requests})
        return
    out = console()
    table = new_table(f"Recordings in {storage.url}")
    table.add_column("state")
    table.add_column("recordings", justify="right")
    for state, count in _counts(seen, files).items():
        table.add_row(state, f"{count:,}")
    out.print(table)
    models = Counter(made.model for made in seen.made.values() if made.model)
    for model, count in models.most_common():
        toy = f", a toy: {TOY_NOTICE}" if model == DEMO_MODEL else ""
        out.print(f"{count:,} transcribed by {model}{toy}")
    not_done = (*seen.failed.items(), *seen.to_retry.items(), *seen.deferred.items())
    for recording, refusal in not_done:
        print_failure(out, recording.name, refusal.message, refusal.advice)
    for refused in seen.refused:
        print_failure(out, printable(refused.key), refused.message, refused.advice)
    for request in requests:
        print_failure(out, request.key, f"The request {request.reason}.", request.advice)
    for recording, end in sorted(seen.warned.items())[:_MOST_WARNED]:
        print_warnings(out, recording.name, end.warnings)
    if len(seen.warned) > _MOST_WARNED:
        left = len(seen.warned) - _MOST_WARNED
        out.print(f"… and {left:,} more with warnings: `escriba status --json`.")


def _counts(seen: Survey, files: list[Recording]) -> dict[str, int]:
    return {
        "done": len(seen.done),
        "done with warnings": len(seen.warned),
        "done, output files to update": len(files),
        "new": len(seen.new),
        "deferred, waiting for budget": len(seen.deferred),
        "failed, the next run retries": len(seen.to_retry),
        "failed, waiting for a new upload or `escriba retry`": len(seen.failed),
        "refused because of their names": len(seen.refused),
        "skipped, not recordings": len(seen.left_out),
    }


def _as_json(seen: Survey, files: list[Recording], url: str) -> dict[str, object]:
    failures = {
        recording.name: refusal
        for recording, refusal in (*seen.failed.items(), *seen.to_retry.items())
    }
    return {
        "bucket": url,
        "done": names(seen.done),
        "models": {
            recording.name: {"model": made.model, "model_revision": made.revision, "toy": made.toy}
            for recording, made in seen.made.items()
            if made.model
        },
        "files_to_write_again": names(files),
        "new": names(seen.new),
        "deferred": [
            {"recording": recording.name} | refusal.model_dump(mode="json", exclude={"name"})
            for recording, refusal in seen.deferred.items()
        ],
        "failed": [
            {"recording": name} | refusal.model_dump(mode="json", exclude={"name"})
            for name, refusal in failures.items()
        ],
        "refused": [refused_json(one) for one in seen.refused],
        "left_out": seen.left_out,
        "warnings": [
            {"recording": recording.name} | warning.model_dump()
            for recording, end in sorted(seen.warned.items())
            for warning in end.warnings
        ],
    }
