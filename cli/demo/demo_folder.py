"""Creates the folder of a demo; removes nothing but an earlier demo."""

import shutil
from pathlib import Path

import click

_MARK = ".escriba-demo"


def fresh_folder(folder: Path) -> Path:
    """Create the folder, replacing an earlier demo; return its absolute path.

    Raises:
        click.UsageError: the folder has other files in it, or cannot be created.
    """
    try:
        _check_replaceable(folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / _MARK).touch()
    except OSError as error:
        raise click.UsageError(
            f"Cannot create {folder} ({error.strerror}). Choose another --folder."
        ) from error
    return folder.absolute()


def _check_replaceable(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise click.UsageError(
            f"{folder} is not empty and not an earlier demo. Choose another --folder."
        )
    others = [path.name for path in (folder / "bucket" / "inbox").glob("*") if path.name != "demo"]
    if others:
        raise click.UsageError(
            f"{folder} contains your own recordings ({', '.join(others)}). Choose another --folder."
        )
