"""dbt in a separate process that ends with its parent.

`python -m resources.costs_database.dbt_process ARGUMENT…`, with an unused pipe as standard input:
the pipe closes when the parent dies; this process then exits and releases the database.
"""

import gc
import os
import sys
from threading import Thread

# dbt keeps what it makes until it ends: looking for garbage as often as Python does takes a tenth
# of a build, and finds none
_GARBAGE_AFTER = (200_000, 50, 100)


def main(arguments: list[str]) -> int:
    """The exit status: 0: success, 1: a model or test failed, 2: dbt could not start."""
    gc.set_threshold(*_GARBAGE_AFTER)
    Thread(target=_end_with_parent, daemon=True).start()
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  # 4 CPU s, here and nowhere else

    done = dbtRunner().invoke(arguments)
    if done.exception is not None:
        sys.stderr.write(f"{done.exception}\n")
        return 2
    return 0 if done.success else 1


def _end_with_parent() -> None:
    while os.read(0, 4096):  # not through sys.stdin, whose lock would outlive the interpreter
        pass
    os._exit(3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
