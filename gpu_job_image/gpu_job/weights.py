"""The weights come from the disk while Python still imports: seconds of a cold start, for nothing.

CTranslate2 reads its file front to back and maps nothing, so what helps is that the file is in the
page cache by then.
"""

import contextlib
import os
from pathlib import Path

from .settings import WorkerSettings


def read_ahead(settings: WorkerSettings) -> None:
    """Ask the kernel for the files of the models in MODELS_FOLDER; returns at once."""
    advise = getattr(os, "posix_fadvise", None)  # Linux has it
    if advise is None:
        return
    for name in (settings.model, settings.diarization_model):
        for path in _files(settings.models / name):
            with contextlib.suppress(OSError):
                _advise(path)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


def _advise(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_WILLNEED)
    finally:
        os.close(file)
