"""Which file of the product imports which, read from the source text without running it."""

import ast
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
Arrow = tuple[str, str]  # who imports, what is imported: names of modules or of rooms


def floors(root: Path = ROOT) -> list[list[str]]:
    """The top-level rooms from the top floor down, as pyproject.toml orders them."""
    with (root / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    ordered = next(one for one in contracts if one["type"] == "layers" and "containers" not in one)
    return [[room.strip() for room in floor.split("|")] for floor in ordered["layers"]]


def modules(root: Path, rooms: Iterable[str]) -> dict[str, Path]:
    """Every file of these rooms by its module name; a package is its `__init__.py`."""
    found = {}
    for room in rooms:
        above = next(one for one in (root, root / "gpu_job_image") if (one / room).is_dir())
        for path in sorted((above / room).rglob("*.py")):
            parts = path.relative_to(above).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows(known: dict[str, Path]) -> set[Arrow]:
    """Every import of one file by another, also in functions and for type checkers alone."""
    return {
        (name, target)
        for name, path in known.items()
        for target in _imported(name, path, known)
        if target != name
    }


def _imported(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules that a file imports: a submodule where there is one, else its package."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, package)
            named = (f"{source}.{alias.name}" for alias in node.names)
            found = (one if one in known else source for one in named)
            yield from (one for one in found if one in known)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """The module that `from … import` names, with leading dots resolved."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])


def between(edges: Iterable[Arrow], folder: str = "") -> Counter[Arrow]:
    """How many imports lead from one child of a folder to another; "" means top-level rooms."""
    depth = folder.count(".") + 2 if folder else 1
    counts: Counter[Arrow] = Counter()
    for source, target in edges:
        if folder and not all(f"{one}.".startswith(f"{folder}.") for one in (source, target)):
            continue
        pair = tuple(_child(one, folder, depth) for one in (source, target))
        counts[pair] += pair[0] != pair[1]
    return +counts


def _child(module: str, folder: str, depth: int) -> str:
    """The child of a folder that holds a module; the folder's own `__init__.py` is a child too."""
    return f"{folder}.__init__" if module == folder else ".".join(module.split(".")[:depth])


def folders(known: dict[str, Path]) -> list[str]:
    """All packages, the outermost first."""
    packages = [name for name, path in known.items() if path.name == "__init__.py"]
    return sorted(packages, key=lambda name: (name.count("."), name))


def in_cycles(edges: Iterable[Arrow]) -> list[Arrow]:
    """The arrows that are part of a cycle, sorted: their target leads back to their source."""
    known = list(edges)
    after = defaultdict(set)
    for source, target in known:
        after[source].add(target)
    return sorted((source, target) for source, target in known if source in _reached(after, target))


def _reached(after: dict[str, set[str]], start: str) -> set[str]:
    """All that can be reached from a node, itself included."""
    reached, todo = {start}, [start]
    while todo:
        todo += (found := after[todo.pop()] - reached)
        reached |= found
    return reached


def up(counts: Iterable[Arrow], order: list[list[str]]) -> list[Arrow]:
    """The arrows to a higher floor, or to another room on the same floor."""
    floor_of = {room: number for number, rooms in enumerate(order) for room in rooms}
    return sorted(arrow for arrow in counts if floor_of[arrow[1]] <= floor_of[arrow[0]])
