"""Finds the recordings among files and folders on the command line."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from escriba.settings import Settings
from intake.ignored_files import is_ignored
from intake.quarantine import printable


def own_folders(settings: Settings) -> set[Path]:
    """Return Escriba's own folders, which are skipped inside an added folder."""
    bucket = urlsplit(settings.bucket_url)
    folders = [settings.dagster_home, settings.models_folder]
    folders += [Path(url2pathname(bucket.path))] if bucket.scheme == "file" else []
    return {folder.resolve() for folder in folders}


def find_files(
    paths: tuple[Path, ...], excluded: set[Path], left_out: list[str] | None = None
) -> Iterator[tuple[Path, str]]:
    """Yield each file with its name below the tenant's folder.

    Skips hidden files inside a folder, `excluded` folders, and symbolic links. Appends names that
    are not recordings (by their suffix) to `left_out`.
    """
    left_out = [] if left_out is None else left_out
    for path in paths:
        if path.is_dir():
            top = path.resolve()
            for file in _files_below(top, excluded):
                name = f"{top.name}/{file.relative_to(top)}"
                if is_ignored(name):
                    left_out.append(printable(name))
                else:
                    yield file, name
        elif is_ignored(path.name):  # `escriba add *` names them all
            left_out.append(printable(path.name))
        else:
            yield path, path.name


def _files_below(folder: Path, excluded: set[Path]) -> Iterator[Path]:
    for found in sorted(folder.iterdir()):
        hidden = found.name.startswith(".") and not found.name.startswith("._")
        if hidden or found.is_symlink() or found in excluded:
            continue
        if found.is_dir():
            yield from _files_below(found, excluded)
        elif found.is_file():
            yield found
