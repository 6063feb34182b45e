"""`escriba show`: a transcript, in the format somebody wants."""

import json
import sys
from collections.abc import Iterator

import click
from pydantic import ValidationError

from assets.diarized_transcript import DIARIZED_FILE
from assets.inbox import survey
from assets.names import OPTIMIZED_AUDIO, TRANSCRIPT
from assets.options import options_of
from assets.records import OptimizedAudioFacts, TranscriptFacts, read_record
from pipelines.looks import FORMATS
from pipelines.recordings import Recording
from pipelines.settings import Settings
from pipelines.speech.clock import text_time
from pipelines.speech.diarized import NewerSchemaError, loads
from pipelines.speech.formats import files_of
from pipelines.speech.restoring import restored
from pipelines.speech_models import TOY_NOTICE
from resources.failures import RecordingError
from resources.storage.base import Storage

from .choosing import choose_recording
from .history import runs_of
from .house import open_house


def _warnings(
    storage: Storage, recording: Recording, *, silent: bool, with_removed: bool
) -> Iterator[str]:
    """What the transcript's own file warns of; one that cannot be read warns of nothing."""
    try:
        transcript = loads(storage.read(recording.transcript_key(DIARIZED_FILE)) or b"")
    except ValueError:
        return
    for message in transcript.warnings:
        if not (silent and message.lower().startswith("nobody speaks")):
            yield f"! {message}"
    if with_removed:
        for gone in transcript.removed:
            yield f"put back [{text_time(gone.start_ms)}] {gone.text} ({gone.reason})"
    elif transcript.removed:
        words = sum(len(gone.words) for gone in transcript.removed)
        yield f"Words taken out: {words:,}; `--with-removed` puts them back, and names them."


@click.command()
@click.argument("recording")
@click.option(
    "--format", "file_format", type=click.Choice(list(FORMATS)), default="txt", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--with-removed",
    is_flag=True,
    help="Put back what the worker took out as written where nobody speaks, or over and over; "
    "on standard error, each of these and why it was.",
)
def command(recording: str, file_format: str, *, as_json: bool, with_removed: bool) -> None:
    """Print the transcript of RECORDING: its name, or as much of it as is clear.

    Where several recordings are meant, a terminal lets you choose. The one that is shown, the model
    that heard it and the runs of Dagster that made it are named on standard error. Every format can
    be shown, whichever are written into the bucket.
    """
    settings, storage = open_house()
    name = "json" if as_json else file_format
    if name == "docx" and sys.stdout.isatty():
        raise click.UsageError(
            "A Word document is no text for a terminal: put `> transcript.docx` after it."
        )
    seen = survey(storage)
    found = choose_recording(recording, seen.everyone)
    body = _file(settings, storage, found, name, with_removed=with_removed)
    if body is None:
        reason = {**seen.failed, **seen.to_retry}.get(found)
        why = f"{reason.message} {reason.advice}" if reason else "`escriba run` makes it."
        if as_json:
            click.echo(json.dumps({"recording": found.name, "error": why}, ensure_ascii=False))
        raise click.ClickException(f"{found.name} has no transcript yet. {why}")
    _tell_model(storage, found)
    for line in (*runs_of(settings, found), *_loudness(storage, found)):
        click.echo(line, err=True)
    click.echo(f"{found.name}:", err=True)
    silent = not body.strip()
    for line in _warnings(storage, found, silent=silent, with_removed=with_removed):
        click.echo(line, err=True)
    if silent:
        click.echo(f"Nobody speaks in {found.name}.", err=True)
    sys.stdout.buffer.write(body)
    sys.stdout.flush()


def _loudness(storage: Storage, recording: Recording) -> Iterator[str]:
    """Whether quiet speech was made louder before it was heard."""
    record = read_record(storage, recording, OPTIMIZED_AUDIO)
    try:
        sentence = OptimizedAudioFacts.model_validate(record.facts).loudness if record else ""
    except ValidationError:
        return
    if sentence:
        yield sentence


def _file(
    settings: Settings, storage: Storage, found: Recording, name: str, *, with_removed: bool
) -> bytes | None:
    """The file as it stands in the bucket, or made here of diarized.json; None without either.

    Raises:
        click.ClickException: what it would be made of cannot be read; says what to do.
    """
    if not with_removed:
        body = storage.read(found.transcript_key(FORMATS[name]))
        if body is not None:
            return body
    whole = storage.read(found.transcript_key(DIARIZED_FILE))
    if whole is None:
        return None
    try:
        transcript, look = loads(whole), options_of(found, settings, storage).look
    except NewerSchemaError as error:
        raise click.ClickException(f"{found.name}: {error}.") from error
    except ValidationError as error:
        raise click.ClickException(
            f"The {DIARIZED_FILE} of {found.name} is damaged: `escriba run {found.name}` writes it "
            "anew."
        ) from error
    except RecordingError as error:
        raise click.ClickException(f"{error.message} {error.advice}") from error
    if with_removed:
        transcript = restored(transcript)
    return files_of(transcript, look, [name])[FORMATS[name]]


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
