"""Only one `escriba up` for a DAGSTER_HOME."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@contextmanager
def only_up(home: Path, port: int) -> Iterator[None]:
    """Hold the folder's lock, which the kernel frees however this process ends.

    Raises:
        click.UsageError: another one holds it; names its process and port.
    """
    with (home / "up.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            who = lock.read().strip() or "another process"
            raise click.UsageError(
                f"`escriba up` is running already with DAGSTER_HOME={home} ({who}). Stop it first, "
                "or choose another DAGSTER_HOME and another bucket: two would start each run twice."
            ) from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, port {port}\n")
        lock.flush()
        yield
