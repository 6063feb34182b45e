"""Runs a piece of work in a process of its own that kills itself at a certain step.

A step is a call of a Python or a C function: each statement to a database, each file written.
`python killed.py STEP WORK ARGUMENT…`; without a kill it prints the number of steps.
"""

import os
import signal
import sys
import threading
from pathlib import Path

from pipelines.settings import load_settings
from resources.costs import loading
from resources.costs.loading import load_ledger
from resources.storage import open_storage

OURS = (str(Path(__file__).resolve().parents[2] / "resources"), "dbt/adapters/duckdb/environments")


def load(bucket, database):
    loading._BATCH_FILES = 4  # many transactions
    load_ledger(open_storage(load_settings(storage_url=bucket)), Path(database), {})


def dbt(*arguments):
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  # takes seconds

    done = dbtRunner().invoke(list(arguments))
    if done.exception:
        raise done.exception


WORKS = {"load": load, "dbt": dbt}


def main(step, work, *arguments):
    seen = 0

    def count(frame, event, _):
        nonlocal seen
        ours = any(place in frame.f_code.co_filename for place in OURS)
        if event in {"call", "c_call"} and ours:
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(count)  # dbt builds in threads
    sys.setprofile(count)
    WORKS[work](*arguments)
    sys.setprofile(None)
    threading.setprofile(None)
    sys.stdout.write(f"{seen}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
