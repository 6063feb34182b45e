"""What dbt_costs holds, out of its own .yml and .sql files.

Not out of dbt's manifest: making that takes four CPU seconds and dbt, and these files are what it
is made from.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.settings import HOUSE

_MODELS = HOUSE / "dbt_costs" / "models"
_TESTS = HOUSE / "dbt_costs" / "tests"
_REF = re.compile(r"ref\('(\w+)'\)")
_PROPOSITIONS = {
    "not_null": "{column}_is_never_null",
    "unique": "{column}_is_unique",
    "accepted_values": "{column}_is_a_known_word",
}
_FOR_ALL = "daily_spend"  # bears the tests of what lies before the marts


@dataclass(frozen=True, slots=True)
class Column:
    """Of a mart, as its contract has it."""

    name: str
    kind: str
    description: str


@dataclass(frozen=True, slots=True)
class Mart:
    """A table that people read. made_of: the marts that it is built on; none: the ledger."""

    name: str
    description: str
    columns: tuple[Column, ...]
    made_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A test of dbt's as a proposition about a mart.

    of, rule and column as in a Result, or the test's own name as the rule.
    """

    mart: str
    name: str
    description: str
    of: str
    rule: str
    column: str


@lru_cache(maxsize=1)
def marts() -> tuple[Mart, ...]:
    """In the order of their names."""
    return tuple(_mart(path) for path in sorted((_MODELS / "marts").glob("[!_]*.yml")))


@lru_cache(maxsize=1)
def checks() -> tuple[Check, ...]:
    """Every test of the project, each once."""
    names = {mart.name for mart in marts()}
    declared = (
        check
        for path in sorted(_MODELS.rglob("*.yml"))
        for model in _read(path).get("models", ())
        for check in _declared(model, names)
    )
    return (*declared, *(_written(path, names) for path in sorted(_TESTS.glob("*.sql"))))


def _mart(path: Path) -> Mart:
    [model] = _read(path)["models"]
    columns = (
        Column(one["name"], one["data_type"], one.get("description", ""))
        for one in model["columns"]
    )
    found = _REF.findall(path.with_suffix(".sql").read_text(encoding="utf-8"))
    beside = {other.stem for other in path.parent.glob("*.sql")}
    made_of = tuple(sorted({name for name in found if name in beside}))
    return Mart(model["name"], model["description"], tuple(columns), made_of)


def _declared(model: dict[str, Any], marts: set[str]) -> Iterator[Check]:
    of = model["name"]
    mart, prefix = (of, "") if of in marts else (_FOR_ALL, f"{of}_")
    for test in model.get("data_tests", ()):
        rule = _rule(test)
        yield Check(mart, prefix + rule, f"Of {of}.", of, rule, "")
    for column in model.get("columns", ()):
        for test in column.get("data_tests", ()):
            rule, name = _rule(test), column["name"]
            proposition = _PROPOSITIONS[rule].format(column=name)
            yield Check(mart, prefix + proposition, f"Of {of}.", of, rule, name)


def _rule(test: str | dict[str, Any]) -> str:
    return test if isinstance(test, str) else next(iter(test))


def _written(path: Path, marts: set[str]) -> Check:
    text = path.read_text(encoding="utf-8")
    about = [name for name in _REF.findall(text) if name in marts]
    says = " ".join(re.findall(r"^-- (.*)$", text, re.MULTILINE))
    return Check(about[0] if about else _FOR_ALL, path.stem, says, "", path.stem, "")


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
