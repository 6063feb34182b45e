"""The marts of dbt_costs, read from its .yml and .sql files.

dbt's manifest holds the same, but making it needs dbt and four CPU seconds.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from escriba.settings import HOUSE

PROJECT = HOUSE / "dbt_costs"
_REF = re.compile(r"ref\('(\w+)'\)")


@dataclass(frozen=True, slots=True)
class Column:
    """A column in the contract of a mart."""

    name: str
    kind: str
    description: str


@dataclass(frozen=True, slots=True)
class Mart:
    """A table for users. made_of: the marts it is built from; empty: only the ledger."""

    name: str
    description: str
    columns: tuple[Column, ...]
    made_of: tuple[str, ...]


@lru_cache(maxsize=2)
def marts(project: Path = PROJECT) -> tuple[Mart, ...]:
    """All marts in the order of their names."""
    return tuple(_mart(path) for path in sorted(project.glob("models/marts/[!_]*.yml")))


def _mart(path: Path) -> Mart:
    [model] = read_yaml(path)["models"]
    columns = (
        Column(column["name"], column["data_type"], column.get("description", ""))
        for column in model["columns"]
    )
    found = referred_to(path.with_suffix(".sql").read_text(encoding="utf-8"))
    siblings = {other.stem for other in path.parent.glob("*.sql")}
    made_of = tuple(sorted({name for name in found if name in siblings}))
    return Mart(model["name"], model["description"], tuple(columns), made_of)


def referred_to(sql: str) -> list[str]:
    """The models that a query reads, in the order of its text."""
    return _REF.findall(sql)


def read_yaml(path: Path) -> dict[str, Any]:
    """The content of a YAML file of the project; an empty file gives an empty mapping."""
    found: dict[str, Any] | None = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found or {}
