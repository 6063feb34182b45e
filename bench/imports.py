"""Prints which room imports which, floor by floor, and counts imports that point up.

`python -m bench.imports [--draw docs/imports.svg]`; exit status 1 if one points up.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.import_graph import ROOT, Arrow, arrows, between, floors, folders, in_cycles, modules, up
from bench.import_picture import picture

FEWEST_CHILDREN = 3  # a room with fewer has no floors to print


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Prints the picture; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.imports")
    parser.add_argument("--draw", type=Path, metavar="SVG", help="write the picture")
    chosen = parser.parse_args(arguments)
    order = floors(root)
    known = modules(root, (room for floor in order for room in floor))
    edges = arrows(known)
    print("\n".join(top_floors(order, edges)))
    for folder in (room for floor in order for room in floor):
        print("\n".join(inside(folder, edges)), end="")
    wrong = pointing_up(order, folders(known), edges)
    print(f"\n{len(known)} files, {len(edges)} imports of one another.")
    for level, found in wrong.items():
        print(f"Imports that point up between {level}: {len(found)}")
        print("".join(f"  {source} → {target}\n" for source, target in found), end="")
    if chosen.draw:
        chosen.draw.write_text(picture(order, known, edges), encoding="utf-8")
    return int(any(wrong.values()))


def top_floors(order: list[list[str]], edges: Iterable[Arrow]) -> Iterator[str]:
    """A line for each top-level room, from the top floor down, with what it imports."""
    counts = between(edges)
    for number, floor in zip(range(len(order), 0, -1), order, strict=True):
        for room in floor:
            yield f"floor {number}  {line(room, counts)}"


def inside(folder: str, edges: Iterable[Arrow]) -> Iterator[str]:
    """The same for the children of a room, each below all that import it."""
    counts = between(edges, folder)
    children = sorted({one for arrow in counts for one in arrow})
    if len(children) < FEWEST_CHILDREN:
        return
    yield f"\nwithin {_path(folder)}"
    for child in sorted(children, key=lambda one: (-_depth(one, counts), one)):
        yield f"  {line(child, counts)}"
    yield ""


def _depth(room: str, counts: Iterable[Arrow], above: frozenset[str] = frozenset()) -> int:
    """How many floors lie below a room; a cycle ends where it closes."""
    below = {target for source, target in counts if source == room} - above - {room}
    return max((1 + _depth(one, counts, above | {room}) for one in below), default=0)


def line(room: str, counts: Counter[Arrow]) -> str:
    """A room, and what it imports with the number of imports, the most first."""
    found = ((count, target) for (source, target), count in counts.items() if source == room)
    ranked = sorted(found, key=lambda one: (-one[0], one[1]))
    imported = ", ".join(f"{_path(target)} {count}" for count, target in ranked)
    return f"{_path(room):<28} → {imported or 'nothing'}"


def _path(name: str) -> str:
    return name.replace(".", "/")


def pointing_up(
    order: list[list[str]], packages: list[str], edges: set[Arrow]
) -> dict[str, list[Arrow]]:
    """Arrows that point up between top-level rooms, between children of any folder, and files."""
    children = [arrow for folder in packages for arrow in in_cycles(between(edges, folder))]
    return {
        "top-level rooms": up(between(edges), order),
        "folders and files within a room": children,
        "files of the whole product": in_cycles(edges),
    }


if __name__ == "__main__":
    sys.exit(main())
