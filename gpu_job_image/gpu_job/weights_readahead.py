"""Reads model weights ahead while Python imports: saves seconds of a cold start.

CTranslate2 reads its file sequentially and does not memory-map it, so having the file in the page
cache helps.
"""

import contextlib
import os
from pathlib import Path

from .common.model_cache import files_of
from .common.settings import WorkerSettings


def read_ahead(settings: WorkerSettings) -> None:
    """Ask the kernel to read ahead the models in MODELS_FOLDER and MODEL_CACHE.

    Returns immediately.
    """
    advise = getattr(os, "posix_fadvise", None)  # Linux only
    if advise is None:
        return
    for name in (settings.model, settings.diarization_model):
        in_image = _files(settings.models / name)
        for path in in_image or files_of(settings.model_cache, name):
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
