"""A heartbeat file that the event loop touches: an old file means that the loop hangs."""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path

EVERY_SECONDS = 15.0
HANGS_AFTER_SECONDS = 90.0
_NAME = "gpu_job.liveness"


def heartbeat_file() -> Path:
    """A path in the temporary folder, which is writable even in a read-only container."""
    return Path(tempfile.gettempdir()) / _NAME


def forget(file: Path) -> None:
    """Delete the heartbeat of an earlier process in this container."""
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)


async def heartbeat(file: Path, every_seconds: float = EVERY_SECONDS) -> None:
    """Touch the file until cancelled; a full disk does not stop the work."""
    while True:
        _touch(file)
        await asyncio.sleep(every_seconds)


def _touch(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.touch()


def age_seconds(file: Path) -> float | None:
    """Seconds since the last touch; None without a file: while models load, or in a manifest."""
    try:
        return time.time() - file.stat().st_mtime
    except OSError:
        return None
