"""What killed processes left among the drafts is removed after a day."""

import contextlib
import shutil
import time
from pathlib import Path

_LIFE_SECONDS = 86_400.0


def sweep(folder: Path) -> None:
    """Files and folders that nobody has touched for a day; in use or not ours: left alone."""
    for old in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - old.lstat().st_mtime <= _LIFE_SECONDS:
                continue
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.unlink(missing_ok=True)
