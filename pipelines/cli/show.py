"""`escriba show`: a transcript, in the format somebody wants."""

import json
import sys

import click

from assets.diarized_transcript import DIARIZED_FILE, FORMATS
from assets.inbox import survey
from pipelines.recordings import Recording
from pipelines.speech.diarized import loads
from resources.storage.base import Storage

from .history import runs_of
from .house import find_recording, open_house


def _warnings(storage: Storage, recording: Recording) -> tuple[str, ...]:
    """What the transcript's own file warns of; one that cannot be read warns of nothing."""
    try:
        return loads(storage.read(recording.transcript_key(DIARIZED_FILE)) or b"").warnings
    except ValueError:
        return ()


@click.command()
@click.argument("recording")
@click.option(
    "--format", "file_format", type=click.Choice(list(FORMATS)), default="txt", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(recording: str, file_format: str, *, as_json: bool) -> None:
    """Print the transcript of RECORDING: its name, or as much of it as is clear.

    The runs of Dagster that made it are named on standard error.
    """
    settings, storage = open_house()
    seen = survey(storage)
    found = find_recording(recording, seen.everyone)
    text = storage.read(found.transcript_key(FORMATS["json" if as_json else file_format]))
    if text is None:
        reason = {**seen.failed, **seen.to_retry}.get(found)
        why = f"{reason.message} {reason.advice}" if reason else "`escriba run` makes it."
        if as_json:
            click.echo(json.dumps({"recording": found.name, "error": why}, ensure_ascii=False))
        raise click.ClickException(f"{found.name} has no transcript yet. {why}")
    for line in runs_of(settings, found):
        click.echo(line, err=True)
    silent = not text.strip()
    for message in _warnings(storage, found):
        if not (silent and message.lower().startswith("nobody speaks")):
            click.echo(f"! {message}", err=True)
    if silent:
        click.echo(f"Nobody speaks in {found.name}.", err=True)
    sys.stdout.buffer.write(text)
    sys.stdout.flush()
