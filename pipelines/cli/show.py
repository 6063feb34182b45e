"""`escriba show`: a transcript, in the format somebody wants."""

import json
import sys

import click
from pydantic import ValidationError

from assets.diarized_transcript import FORMATS
from assets.inbox import survey
from assets.names import TRANSCRIPT
from assets.records import TranscriptFacts, read_record
from pipelines.recordings import Recording
from pipelines.speech_models import TOY_NOTICE
from resources.storage.base import Storage

from .history import runs_of
from .house import find_recording, open_house


@click.command()
@click.argument("recording")
@click.option(
    "--format", "file_format", type=click.Choice(list(FORMATS)), default="txt", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(recording: str, file_format: str, *, as_json: bool) -> None:
    """Print the transcript of RECORDING: its name, or as much of it as is clear.

    The model that heard it and the runs of Dagster that made it are named on standard error.
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
    _tell_model(storage, found)
    for line in runs_of(settings, found):
        click.echo(line, err=True)
    if not text.strip():
        click.echo(f"Nobody speaks in {found.name}.", err=True)
    sys.stdout.buffer.write(text)
    sys.stdout.flush()


def _tell_model(storage: Storage, recording: Recording) -> None:
    """Which model heard it, and of which revision; a toy is called one."""
    record = read_record(storage, recording, TRANSCRIPT)
    try:
        facts = TranscriptFacts.model_validate(record.facts) if record else None
    except ValidationError:
        return
    if facts is None or not facts.model:
        return
    weights = f" ({facts.weights})" if facts.weights else ""
    click.echo(f"model {facts.model}{weights}, revision {facts.model_revision}", err=True)
    if facts.toy:
        click.echo(TOY_NOTICE, err=True)
