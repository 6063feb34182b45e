"""`escriba status`: how far every recording is."""

from collections import Counter

import click

from assets.inbox import Survey, survey
from assets.quarantine import printable
from pipelines.speech_models import DEMO_MODEL, TOY_NOTICE

from .costs import new_table
from .house import console, json_option, open_house, print_json
from .run import names, print_failure, print_warnings, refused_json

_MOST_WARNED = 50  # in the terminal; --json lists all


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Count the recordings by state, and say why the failed ones failed.

    Beside that: which models heard those that are done, and what is odd about them.
    """
    _, storage = open_house()
    seen = survey(storage)
    if as_json:
        print_json(_as_json(seen, storage.url))
        return
    out = console()
    table = new_table(f"Recordings in {storage.url}")
    table.add_column("state")
    table.add_column("recordings", justify="right")
    for state, count in _counts(seen).items():
        table.add_row(state, f"{count:,}")
    out.print(table)
    models = Counter(made.model for made in seen.made.values() if made.model)
    for model, count in models.most_common():
        toy = f", a toy: {TOY_NOTICE}" if model == DEMO_MODEL else ""
        out.print(f"{count:,} heard by {model}{toy}")
    told = (*seen.failed.items(), *seen.to_retry.items(), *seen.deferred.items())
    for recording, refusal in told:
        print_failure(out, recording.name, refusal.message, refusal.advice)
    for refused in seen.refused:
        print_failure(out, printable(refused.key), refused.message, refused.advice)
    for recording, end in sorted(seen.warned.items())[:_MOST_WARNED]:
        print_warnings(out, recording.name, end.warnings)
    if len(seen.warned) > _MOST_WARNED:
        left = len(seen.warned) - _MOST_WARNED
        out.print(f"… and {left:,} more with warnings: `escriba status --json`.")


def _counts(seen: Survey) -> dict[str, int]:
    return {
        "done": len(seen.done),
        "of these with warnings": len(seen.warned),
        "new": len(seen.new),
        "deferred, until the budget allows them": len(seen.deferred),
        "failed, the next run tries again": len(seen.to_retry),
        "failed, waiting for a new upload or `escriba retry`": len(seen.failed),
        "refused for their names": len(seen.refused),
        "left out, since they are no recordings": len(seen.left_out),
    }


def _as_json(seen: Survey, url: str) -> dict[str, object]:
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
