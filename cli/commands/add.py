"""`escriba add`: copy files into a tenant's inbox."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from cli.cli_context import console, json_option, open_context, print_json, say
from cli.find_files import find_files, own_folders
from cli.override_options import (
    check_tenant_name,
    overrides_from_options,
    tags_of,
    unsupported,
)
from escriba.billing.cost_tags import Tags
from escriba.recordings import NameRefusedError, Recording, from_inbox_key
from escriba.text_for.plain_lines import terminal_line
from intake.ignored_files import left_out_line
from intake.quarantine import printable
from intake.recording_options import OPTIONS_FILE
from intake.transcription_overrides import TranscriptionOverrides
from resources.ledger.recording_tags import tag_recordings
from resources.storage.base import Storage


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--tenant", default="default", show_default=True, help="Owner of the recordings.")
@click.option("--replace", is_flag=True, help="Overwrite files of the same name.")
@click.option("--language", help="Language code of these files, or 'auto' to detect it.")
@click.option("--languages", help="Candidates for detection, comma-separated: pt,en,es.")
@click.option("--speakers", type=click.IntRange(1), help="Number of speakers in each file.")
@click.option(
    "--min-speakers", type=click.IntRange(1), help="Lower limit; not together with --speakers."
)
@click.option(
    "--max-speakers", type=click.IntRange(1), help="Upper limit; not together with --speakers."
)
@click.option(
    "--channels",
    type=click.Choice(["mixed", "separate"]),
    help="'separate': each channel is one speaker.",
)
@click.option(
    "--track",
    help="Audio track in files with several: its number, 'auto', or 'all' (each a channel).",
)
@click.option("--hotwords", help="Words to expect, such as names.")
@click.option("--prompt", help="Sample text that sets names, spelling and punctuation.")
@click.option("--translate/--no-translate", default=None, help="Translate speech into English.")
@click.option("--model", help="Speech model for these files: a name or a folder.")
@click.option("--cost-center", help="Cost center to charge, for `escriba costs` and statements.")
@click.option("--project", help="Project to charge; defaults for both come from tenants.yaml.")
@json_option
def command(files: tuple[Path, ...], *, replace: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401  # as click gives it
    """Copy FILES, and the recordings in folders, into a tenant's inbox.

    Skips hidden files in folders. Also skips slides, chat logs, partial downloads and other files
    that are not recordings by their names, and reports them in one line.

    Exit status: 0 if files were added and none was refused, 1 otherwise.
    """
    tenant = check_tenant_name(options.pop("tenant"))
    tags = tags_of(options.pop("cost_center"), options.pop("project"))
    overrides = overrides_from_options(**options)
    settings, storage = open_context()
    warning = unsupported(overrides, tenant, settings)
    added: list[str] = []
    taken: list[Recording] = []
    refused: dict[str, str] = {}
    left_out: list[str] = []
    for file, name in find_files(files, own_folders(settings), left_out):
        try:
            recording = from_inbox_key(f"inbox/{tenant}/{name}")
            _copy(storage, file, recording, overrides, replace=replace)
            taken.append(recording)
            added.append(recording.name)
        except (NameRefusedError, FileExistsError, OSError) as error:
            refused[printable(str(file))] = str(error)
    if tags != Tags():
        tag_recordings(storage, taken, tags, datetime.now(UTC))
    if warning:
        say(warning)
    _report(added, refused, left_out, storage.url, as_json=as_json)
    sys.exit(0 if added and not refused else 1)


def _copy(
    storage: Storage,
    file: Path,
    recording: Recording,
    overrides: TranscriptionOverrides,
    *,
    replace: bool,
) -> None:
    if not replace and storage.head(recording.inbox_key) is not None:
        raise FileExistsError(
            f"{recording.name} is already in the inbox: use --replace, or rename the file"
        )
    options_key = recording.work_key(OPTIONS_FILE)
    if overrides == TranscriptionOverrides():
        storage.delete(options_key)
    else:
        storage.write(options_key, overrides.model_dump_json(exclude_none=True).encode())
    with TemporaryDirectory(dir=storage.scratch()) as folder:
        draft = Path(folder) / "upload"
        with file.open("rb") as source, draft.open("wb") as target:
            while chunk := source.read(1 << 20):
                target.write(chunk)
        storage.upload(recording.inbox_key, draft)


def _report(
    added: list[str], refused: dict[str, str], left_out: list[str], url: str, *, as_json: bool
) -> None:
    if as_json:
        print_json({"added": added, "refused": refused, "left_out": left_out, "bucket": url})
        return
    out = console()
    for name in added:
        out.print(terminal_line(f"added {name}"))
    for file, why in refused.items():
        out.print(terminal_line(f"refused {file}: {why}"))
    if left_out:
        out.print(left_out_line(left_out))
    if added:
        out.print("Next: `escriba run`.")
    elif not refused:
        out.print("Nothing was added: none of these files is a recording.")
