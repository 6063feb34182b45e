"""Removal of drafts that killed processes left behind, after a day."""

import contextlib
import shutil
import time
from pathlib import Path

_LIFE_SECONDS = 86_400.0


def sweep(folder: Path) -> None:
    """Remove files and folders unchanged for a day; skip those in use or owned by others."""
    for old in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - old.lstat().st_mtime <= _LIFE_SECONDS:
                continue
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.unlink(missing_ok=True)
