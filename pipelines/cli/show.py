"""`escriba show`: a transcript, in the format somebody wants."""

import json
import sys
from collections.abc import Iterator

import click

from assets.diarized_transcript import DIARIZED_FILE, FORMATS, texts_of
from assets.inbox import survey
from assets.names import OPTIMIZED_AUDIO
from assets.records import OptimizedAudioFacts, read_record
from pipelines.recordings import Recording
from pipelines.speech.diarized import loads
from pipelines.speech.restoring import restored
from resources.storage.base import Storage

from .history import runs_of
from .house import find_recording, open_house


@click.command()
@click.argument("recording")
@click.option(
    "--format", "file_format", type=click.Choice(list(FORMATS)), default="txt", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--with-removed",
    is_flag=True,
    help="Put back what the worker took out as written where nobody speaks, or over and over.",
)
def command(recording: str, file_format: str, *, as_json: bool, with_removed: bool) -> None:
    """Print the transcript of RECORDING: its name, or as much of it as is clear.

    The runs of Dagster that made it are named on standard error.
    """
    settings, storage = open_house()
    seen = survey(storage)
    found = find_recording(recording, seen.everyone)
    file = FORMATS["json" if as_json else file_format]
    text = storage.read(found.transcript_key(DIARIZED_FILE if with_removed else file))
    if text is None:
        reason = {**seen.failed, **seen.to_retry}.get(found)
        why = f"{reason.message} {reason.advice}" if reason else "`escriba run` makes it."
        if as_json:
            click.echo(json.dumps({"recording": found.name, "error": why}, ensure_ascii=False))
        raise click.ClickException(f"{found.name} has no transcript yet. {why}")
    if with_removed:
        text = texts_of(restored(loads(text)))[file].encode()
    for line in (*runs_of(settings, found), *_loudness(storage, found)):
        click.echo(line, err=True)
    if not text.strip():
        click.echo(f"Nobody speaks in {found.name}.", err=True)
    sys.stdout.buffer.write(text)
    sys.stdout.flush()


def _loudness(storage: Storage, recording: Recording) -> Iterator[str]:
    """Whether quiet speech was made louder before it was heard."""
    record = read_record(storage, recording, OPTIMIZED_AUDIO)
    sentence = OptimizedAudioFacts.model_validate(record.facts).loudness if record else ""
    if sentence:
        yield sentence
