"""`escriba show`: print a transcript in any format."""

import sys
from collections.abc import Iterator

import click
from pydantic import ValidationError

from cli.choose_recording import choose_recording
from cli.cli_context import open_context, say
from cli.runs.run_history import runs_of
from escriba.errors import RecordingError
from escriba.model_names import TOY_NOTICE
from escriba.recordings import INBOX, NameRefusedError, Recording, from_inbox_key
from escriba.settings import Settings
from escriba.stages import OPTIMIZED_AUDIO, TRANSCRIPT
from escriba.text_for.json_text import json_text
from escriba.text_for.visible import harmless_speech
from escriba.transcripts.diarized import NewerSchemaError, loads
from escriba.transcripts.formats import files_of
from escriba.transcripts.removed_words import restored
from escriba.transcripts.render_options import DIARIZED_FILE, FORMATS
from escriba.transcripts.timestamps import text_time
from gpu_job.contract.documents import RESULTS
from intake.inbox import Survey, survey_inbox
from intake.recording_options import options_of
from intake.stage_records import OptimizedAudioFacts, TranscriptFacts, read_facts
from resources.storage.base import Storage
from resources.storage.read_documents import DamagedError, read_stored_bytes

# how the warning of a recording without speech begins, in all versions
_NO_SPEECH = ("nobody speaks", "no speech", "no one speaks")


def _warnings(
    storage: Storage, recording: Recording, *, silent: bool, with_removed: bool
) -> Iterator[str]:
    """Yield the warnings in the transcript's own file, if it can be read."""
    try:
        transcript = loads(_diarized(storage, recording))
    except (ValueError, DamagedError):
        return
    for message in transcript.warnings:
        if not (silent and message.lower().startswith(_NO_SPEECH)):
            yield f"! {message}"
    if with_removed:
        for gone in transcript.removed:
            yield f"restored [{text_time(gone.start_ms)}] {gone.text} ({gone.reason})"
    elif transcript.removed:
        words = sum(len(gone.words) for gone in transcript.removed)
        yield f"Words removed: {words:,}. `--with-removed` restores and lists them."


@click.command()
@click.argument("recording")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(list(FORMATS)),
    default="txt",
    show_default=True,
    help="Output format; any of them, whichever FORMATS are in the bucket.",
)
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.option(
    "--with-removed",
    is_flag=True,
    help="Restore words removed as hallucinations (without speech, or repeated); "
    "list them with reasons on standard error.",
)
def command(recording: str, file_format: str, *, as_json: bool, with_removed: bool) -> None:
    """Print the transcript of RECORDING, given by its name or an unambiguous part of it.

    If several recordings match, a terminal lets you choose one. The recording, its model and its
    Dagster runs are printed on standard error.
    """
    settings, storage = open_context()
    name = "json" if as_json else file_format
    if name == "docx" and sys.stdout.isatty():
        raise click.UsageError(
            "A Word document cannot be shown in a terminal. Append `> transcript.docx`."
        )
    named = _transcribed(storage, recording)
    seen = survey_inbox(storage) if named is None else Survey()
    found = named or choose_recording(recording, seen.everyone)
    body = _file(settings, storage, found, name, with_removed=with_removed)
    if body is None:
        reason = {**seen.failed, **seen.to_retry}.get(found)
        why = f"{reason.message} {reason.advice}" if reason else "Run `escriba run` to create it."
        if as_json:
            click.echo(json_text({"recording": found.name, "error": why}))
        raise click.ClickException(f"{found.name} has no transcript yet. {why}")
    _print_model(storage, found)
    for line in (*runs_of(settings, found), *_loudness(storage, found)):
        say(line)
    say(f"{found.name}:")
    silent = not body.strip()
    for line in _warnings(storage, found, silent=silent, with_removed=with_removed):
        say(line)
    if silent:
        say(f"No speech was found in {found.name}.")
    if sys.stdout.isatty():  # a file, or the next program, gets the bytes as they are
        body = harmless_speech(body.decode(errors="replace")).encode()
    sys.stdout.buffer.write(body)
    sys.stdout.flush()


def _transcribed(storage: Storage, name: str) -> Recording | None:
    """Return the recording of that exact name if it has a transcript; its file may be gone."""
    try:
        recording = from_inbox_key(INBOX + name.removeprefix(INBOX))
    except NameRefusedError:
        return None
    has_transcript = storage.head(recording.transcript_key(DIARIZED_FILE)) is not None
    return recording if has_transcript else None


def _loudness(storage: Storage, recording: Recording) -> Iterator[str]:
    """Yield a sentence if quiet speech was amplified before transcription."""
    facts = read_facts(storage, recording, OPTIMIZED_AUDIO, OptimizedAudioFacts)
    if facts is not None and facts.loudness:
        yield facts.loudness


def _file(
    settings: Settings, storage: Storage, found: Recording, name: str, *, with_removed: bool
) -> bytes | None:
    """Return the file from the bucket, or render it from diarized.json; None without either.

    Raises:
        click.ClickException: diarized.json cannot be read.
    """
    if not with_removed:
        body = storage.read(found.transcript_key(FORMATS[name]))
        if body is not None:
            return body
    try:
        whole = _diarized(storage, found)
        if not whole:
            return None
        transcript, render_options = (
            loads(whole),
            options_of(found, settings, storage).render_options,
        )
    except NewerSchemaError as error:
        raise click.ClickException(f"{found.name}: {error}.") from error
    except (ValidationError, DamagedError) as error:
        raise click.ClickException(
            f"{DIARIZED_FILE} of {found.name} is damaged. Recreate it: `escriba run {found.name}`."
        ) from error
    except RecordingError as error:
        raise click.ClickException(f"{error.message} {error.advice}") from error
    if with_removed:
        transcript = restored(transcript)
    return files_of(transcript, render_options, [name])[FORMATS[name]]


def _diarized(storage: Storage, recording: Recording) -> bytes:
    return read_stored_bytes(storage, recording.transcript_key(DIARIZED_FILE), RESULTS)


def _print_model(storage: Storage, recording: Recording) -> None:
    """Print the model and its revision on standard error, with a notice for the toy model."""
    facts = read_facts(storage, recording, TRANSCRIPT, TranscriptFacts)
    if facts is None or not facts.model:
        return
    weights = f" ({facts.weights})" if facts.weights else ""
    say(f"model {facts.model}{weights}, revision {facts.model_revision}")
    if facts.toy:
        say(TOY_NOTICE)
