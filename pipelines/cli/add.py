"""`escriba add`: files into the inbox."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import click

from assets.options import OPTIONS_FILE, Wishes
from assets.quarantine import printable
from pipelines.billing.tags import Tags
from pipelines.no_recordings import is_no_recording, left_out_line
from pipelines.recordings import NameRefusedError, Recording, from_inbox_key
from pipelines.settings import Settings
from resources.recording_tags import tag_recordings
from resources.storage.base import Storage

from .house import console, json_option, open_house, print_json
from .wished import check_name, doubtful, tags_of, wishes_of


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--tenant", default="default", show_default=True, help="Whose recordings they are.")
@click.option("--replace", is_flag=True, help="Overwrite files of the same name.")
@click.option("--language", help="Language code of these files, or 'auto' to detect.")
@click.option("--languages", help="Codes among which it is detected, apart by commas: pt,en,es.")
@click.option("--speakers", type=click.IntRange(1), help="How many people speak in each.")
@click.option(
    "--min-speakers", type=click.IntRange(1), help="At least so many; not with --speakers."
)
@click.option(
    "--max-speakers", type=click.IntRange(1), help="At most so many; not with --speakers."
)
@click.option(
    "--channels",
    type=click.Choice(["mixed", "separate"]),
    help="'separate': a speaker on each channel.",
)
@click.option(
    "--track",
    help="Of files with several sounds: its number, 'auto', or 'all' as channels.",
)
@click.option("--hotwords", help="Words to expect, such as names.")
@click.option("--prompt", help="Text that sets the style: names, spelling, punctuation.")
@click.option("--translate/--no-translate", default=None, help="Write English, whatever is spoken.")
@click.option("--model", help="Another speech model for these files: a name, or a folder.")
@click.option("--cost-center", help="Whose money it is, for `escriba costs` and statements.")
@click.option("--project", help="The same by project; without them as tenants.yaml says.")
@json_option
def command(files: tuple[Path, ...], *, replace: bool, as_json: bool, **wished: Any) -> None:  # noqa: ANN401  # as click gives it
    """Copy FILES, and the recordings below folders, into the inbox of a tenant.

    Of a folder, what is hidden stays out. Slides, chat logs, half downloads and other files that
    are no recordings by their names stay out, too, and are told in a line.

    Exit status: 0 when something was added and nothing refused, 1 otherwise.
    """
    tenant = check_name(wished.pop("tenant"))
    tags = tags_of(wished.pop("cost_center"), wished.pop("project"))
    wishes = wishes_of(**wished)
    settings, storage = open_house()
    doubt = doubtful(wishes, tenant, settings)
    added: list[str] = []
    taken: list[Recording] = []
    refused: dict[str, str] = {}
    left_out: list[str] = []
    for file, name in walk(files, ours(settings), left_out):
        try:
            recording = from_inbox_key(f"inbox/{tenant}/{name}")
            _copy(storage, file, recording, wishes, replace=replace)
            taken.append(recording)
            added.append(recording.name)
        except (NameRefusedError, FileExistsError, OSError) as error:
            refused[printable(str(file))] = str(error)
    if tags != Tags():
        tag_recordings(storage, taken, tags, datetime.now(UTC))
    if doubt:
        click.echo(doubt, err=True)
    _tell(added, refused, left_out, storage.url, as_json=as_json)
    sys.exit(0 if added and not refused else 1)


def ours(settings: Settings) -> set[Path]:
    """Folders that are no recordings even where somebody adds what is around them."""
    bucket = urlsplit(settings.bucket_url)
    folders = [settings.dagster_home, settings.models_folder]
    folders += [Path(url2pathname(bucket.path))] if bucket.scheme == "file" else []
    return {folder.resolve() for folder in folders}


def walk(
    paths: tuple[Path, ...], kept_out: set[Path], left_out: list[str] | None = None
) -> Iterator[tuple[Path, str]]:
    """Each file, and its name below the tenant's folder.

    Of a folder, hidden files and folders stay out (a .env is no recording), and so do our own.
    Files that are no recordings by their names go into `left_out`.
    """
    left_out = [] if left_out is None else left_out
    for path in paths:
        if path.is_dir():
            top = path.resolve()
            for file in _below(top, kept_out):
                name = f"{top.name}/{file.relative_to(top)}"
                if is_no_recording(name):
                    left_out.append(printable(name))
                else:
                    yield file, name
        elif is_no_recording(path.name):  # `escriba add *` names them all
            left_out.append(printable(path.name))
        else:
            yield path, path.name


def _below(folder: Path, ours: set[Path]) -> Iterator[Path]:
    for found in sorted(folder.iterdir()):
        hidden = found.name.startswith(".") and not found.name.startswith("._")
        if hidden or found.is_symlink() or found in ours:
            continue
        if found.is_dir():
            yield from _below(found, ours)
        elif found.is_file():
            yield found


def _copy(
    storage: Storage, file: Path, recording: Recording, wishes: Wishes, *, replace: bool
) -> None:
    if not replace and storage.head(recording.inbox_key) is not None:
        raise FileExistsError(
            f"{recording.name} is in the inbox already: say --replace, or rename it"
        )
    options = recording.work_key(OPTIONS_FILE)
    if wishes == Wishes():
        storage.delete(options)
    else:
        storage.write(options, wishes.model_dump_json(exclude_none=True).encode())
    with TemporaryDirectory(dir=storage.scratch()) as folder:
        draft = Path(folder) / "upload"
        with file.open("rb") as source, draft.open("wb") as target:
            while chunk := source.read(1 << 20):
                target.write(chunk)
        storage.upload(recording.inbox_key, draft)


def _tell(
    added: list[str], refused: dict[str, str], left_out: list[str], url: str, *, as_json: bool
) -> None:
    if as_json:
        told = {"added": added, "refused": refused, "left_out": left_out, "bucket": url}
        print_json(told)
        return
    out = console()
    for name in added:
        out.print(f"added {name}", markup=False)
    for file, why in refused.items():
        out.print(f"refused {file}: {why}", markup=False)
    if left_out:
        out.print(left_out_line(left_out), markup=False)
    if added:
        out.print("Next: `escriba run`.")
    elif not refused:
        out.print("Nothing was added: no recording is among them.")
