"""Whether a piece that was bought from an API is ever bought twice, however often workers die.

`python -m bench.api_kills [--quick] [--json]`. Real worker processes buy a recording in pieces from
an OpenAI-compatible server on loopback, and are killed with SIGKILL when a request arrives, when an
answer has left, or up to 20 ms after. twice: pieces that were kept and bought again, or more than
one for a kill. again: pieces in flight at a kill, bought once more. lost: results that miss a word.
"""

import tempfile
from dataclasses import asdict
from pathlib import Path

from bench import report
from tests.api_kills import killed_jobs

KILLS, QUICK_KILLS = 200, 40
BARS = {"lost_bar": 0, "twice_bar": 0}


def main() -> None:
    chosen = report.options(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        figures = asdict(killed_jobs(Path(folder), QUICK_KILLS if chosen.quick else KILLS))
    columns = tuple(figures)
    row = tuple(f"{value:,}" for value in figures.values())
    report.show("Killed while buying", columns, [row], figures | BARS, as_json=chosen.json)


if __name__ == "__main__":
    main()
