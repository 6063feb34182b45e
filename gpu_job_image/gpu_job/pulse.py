"""A file that the event loop touches: an old one tells that the loop hangs."""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path

EVERY_SECONDS = 15.0
HANGS_AFTER_SECONDS = 90.0
_NAME = "gpu_job.pulse"


def pulse_file() -> Path:
    """Among the temporary files, which even a read-only container has."""
    return Path(tempfile.gettempdir()) / _NAME


def forget(file: Path) -> None:
    """The pulse of an earlier process of this container says nothing of this one."""
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)


async def beat(file: Path, every_seconds: float = EVERY_SECONDS) -> None:
    """Touch it until cancelled; a disk that is full is no reason to end the work."""
    while True:
        _touch(file)
        await asyncio.sleep(every_seconds)


def _touch(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.touch()


def age_seconds(file: Path) -> float | None:
    """Since the last touch; None where nothing beats: it loads, or works through a manifest."""
    try:
        return time.time() - file.stat().st_mtime
    except OSError:
        return None
