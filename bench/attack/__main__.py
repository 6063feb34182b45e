"""Attacks Escriba as strangers, a damaged bucket, odd stores and bad links do, and counts.

`python -m bench.attack [--quick] [--json]`. Kinds: hostile media, names, objects, settings, stores,
links and pages, each in a process of its own. An attack is held if it is refused by name or does no
harm, within its time, with no process above 400 MB, and no good recording 5 s later than alone.
The exit status is 1 if one was not held. `--kind NAME` tries one kind in this process.
"""

from dataclasses import fields

from bench import report
from bench.attack.attacks import KindFigures, summed
from bench.attack.one_kind import KINDS, try_apart, try_here

COLUMNS = [one.name for one in fields(KindFigures) if one.name != "faults"]


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--kind", choices=KINDS, help="try one kind, in this process")
    asked = parser.parse_args()
    if asked.kind:
        try_here(asked.kind, quick=asked.quick)
        return
    told({kind: try_apart(kind, quick=asked.quick) for kind in KINDS}, as_json=asked.json)


def told(kinds: dict[str, KindFigures], *, as_json: bool) -> None:
    """Print the table and the figures; ends with status 1 if an attack was not held."""
    total = summed(kinds)
    every = {**kinds, "sum": total}
    rows = [[kind, *map(_cell, one.numbers.values())] for kind, one in every.items()]
    figures = {kind: one.numbers for kind, one in every.items()}
    report.show("Attacks", ["kind", *COLUMNS], rows, figures, as_json=as_json)
    if total.held < total.tried:
        faults = "\n".join(f"  {name}: {why}" for name, why in total.faults.items())
        raise SystemExit(f"{total.tried - total.held} of {total.tried} not held:\n{faults}")


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:,}"


if __name__ == "__main__":
    main()
