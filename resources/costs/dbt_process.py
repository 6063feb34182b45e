"""dbt in a process of its own, which ends when whoever started it does.

`python -m resources.costs.dbt_process ARGUMENT…`, with a pipe as standard input that nobody
writes to: it is closed when the parent dies, and with it goes the lock on the database.
"""

import os
import sys
from threading import Thread


def main(arguments: list[str]) -> int:
    """0: all is well, 1: something was built and did not hold, 2: dbt could not begin."""
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
