"""The folder that a demo is made in; nothing but an older demo is ever removed."""

import shutil
from pathlib import Path

import click

_MARK = ".escriba-demo"


def fresh_folder(folder: Path) -> Path:
    """The folder, empty but for its mark.

    Raises:
        click.UsageError: something of somebody's own lies there, or it cannot be made.
    """
    try:
        _refuse_others(folder)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / _MARK).touch()
    except OSError as error:
        raise click.UsageError(
            f"{folder} cannot be made ({error.strerror}): choose another --folder."
        ) from error
    return folder.absolute()


def _refuse_others(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise click.UsageError(f"{folder} is not empty and no older demo: choose another --folder.")
    others = [path.name for path in (folder / "bucket" / "inbox").glob("*") if path.name != "demo"]
    if others:
        raise click.UsageError(
            f"{folder} holds recordings of your own ({', '.join(others)}): choose another --folder."
        )
