"""Runs a piece of work in a process of its own that kills itself at a certain step.

`python tests/costs_killed.py STEP WORK ARGUMENT…`; without a kill it prints the number of steps.
"""

import os
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from escriba.settings import load_settings
from resources.compaction import compact_ledger
from resources.costs_database.load_ledger import load_ledger
from resources.costs_database.postgres_mirror import mirror_costs
from resources.storage import open_storage

OURS = str(Path(__file__).resolve().parents[1] / "resources")


class Steps:
    """Counts, and ends the process at the chosen one."""

    def __init__(self, last):
        self.seen, self._last = 0, last

    def __call__(self):
        self.seen += 1
        if self.seen == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def load(steps, bucket, database):
    load_ledger._BATCH_FILES = 4  # many transactions
    _counted(steps, lambda: load_ledger(_bucket(bucket), Path(database), {}))


def dbt(steps, *arguments):
    """A step before and after each statement."""
    from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper  # noqa: PLC0415  # seconds
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    execute = DuckDBCursorWrapper.execute

    def counted(*words, **more):
        steps()
        answer = execute(*words, **more)
        steps()
        return answer

    DuckDBCursorWrapper.execute = counted
    done = dbtRunner().invoke(list(arguments))
    if done.exception:
        raise done.exception


def compact(steps, bucket):
    now = datetime(2026, 4, 1, tzinfo=UTC)
    _counted(steps, lambda: compact_ledger(_bucket(bucket), now))


def mirror(steps, database, url):
    _counted(steps, lambda: mirror_costs(Path(database), url))


def _bucket(url):
    return open_storage(load_settings(storage_url=url))


def _counted(steps, work):
    """A step is a call of a function in our own code: each statement, each file written."""

    def count(frame, event, _):
        if event in {"call", "c_call"} and frame.f_code.co_filename.startswith(OURS):
            steps()

    threading.setprofile(count)
    sys.setprofile(count)
    work()
    sys.setprofile(None)
    threading.setprofile(None)


WORKS = {"load": load, "dbt": dbt, "compact": compact, "mirror": mirror}


if __name__ == "__main__":
    steps = Steps(int(sys.argv[1]))
    WORKS[sys.argv[2]](steps, *sys.argv[3:])
    sys.stdout.write(f"{steps.seen}\n")
