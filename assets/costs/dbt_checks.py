"""The tests of dbt_costs as checks of marts, read from its .yml and .sql files.

Every kind of dbt test becomes a check: generic tests of dbt, of this project and of packages, on
models, seeds, sources and their columns, and singular tests.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from escriba.errors import EscribaError

from .dbt_models import PROJECT, marts, read_yaml, referred_to

_CHECK_NAMES = {
    "not_null": "{column}_is_never_null",
    "unique": "{column}_is_unique",
    "accepted_values": "{column}_is_a_known_word",
    "relationships": "{column}_is_found_where_it_refers_to",
}
_DEFAULT_MART = "daily_spend"  # has the checks of the models before the marts
_NOT_IN_NAMES = re.compile(r"\W+")  # characters that Dagster does not allow in check names


class DbtTestError(EscribaError, ValueError):
    """A dbt_costs test cannot become a check; names the file and the test."""


@dataclass(frozen=True, slots=True)
class Check:
    """A dbt test as a check of a mart.

    of, rule and column: as in a Result; for a named test, `rule` is its name.
    """

    mart: str
    name: str
    description: str
    of: str
    rule: str
    column: str


@lru_cache(maxsize=2)
def checks(project: Path = PROJECT) -> tuple[Check, ...]:
    """The check of every test in the project.

    Raises:
        DbtTestError: two tests have the same name, or one is not a valid dbt test.
    """
    names = {mart.name for mart in marts(project)}
    found: dict[tuple[str, str], Check] = {}
    for path, check in _all(project, names):
        if (check.mart, check.name) in found:
            raise DbtTestError(
                f"{path.relative_to(project)}: two tests give the same check {check.name!r} of "
                f"{check.mart}. Give one of them a `name`."
            )
        found[check.mart, check.name] = check
    return tuple(found.values())


def check_of(all_: Iterable[Check], *, of: str, rule: str, column: str, name: str) -> Check | None:
    """The check of a test with these fields of a Result; None if the project has no such test."""
    known = {(check.of, check.rule, check.column): check for check in all_}
    return known.get(("", name, "")) or known.get((of, rule, column))


def _all(project: Path, marts: set[str]) -> Iterator[tuple[Path, Check]]:
    for path in sorted((*project.glob("models/**/*.yml"), *project.glob("seeds/**/*.yml"))):
        for table in _tables(read_yaml(path)):
            for check in _declared(table, marts, path.name):
                yield path, check
    for path in sorted(project.glob("tests/**/*.sql")):
        if path.relative_to(project).parts[1] != "generic":  # macros of this project, not tests
            yield path, _written(path, marts)


def _tables(declared: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for kind in ("models", "seeds", "snapshots"):
        yield from declared.get(kind) or ()
    for source in declared.get("sources") or ():
        yield from source.get("tables") or ()


def _declared(table: Mapping[str, Any], marts: set[str], file: str) -> Iterator[Check]:
    of = table["name"]
    mart, prefix = (of, "") if of in marts else (_DEFAULT_MART, f"{of}_")
    for column, test in _tests(table):
        rule, own_name = _rule(test, f"{file}, {of}{f', {column}' if column else ''}")
        if own_name:
            yield Check(
                mart, _NOT_IN_NAMES.sub("_", own_name), f"dbt test of {of}.", "", own_name, ""
            )
            continue
        usual = "{column}_{rule}" if column else "{rule}"
        pattern = _CHECK_NAMES.get(rule, usual) if column else usual
        name = _NOT_IN_NAMES.sub("_", prefix + pattern.format(column=column, rule=rule))
        yield Check(mart, name, f"dbt test of {of}.", of, rule.split(".")[-1], column)


def _tests(table: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Each test with its column, which is empty for a test of the whole table."""
    for place in (table, *(table.get("columns") or ())):
        column = "" if place is table else place["name"]
        for key in ("data_tests", "tests"):  # `tests` is the older name
            for test in place.get(key) or ():
                yield column, test


def _rule(test: object, where: str) -> tuple[str, str]:
    """The rule and the name of a test, if it has one, in every form that dbt accepts."""
    match test:
        case str():
            return test, ""
        case {"test_name": str(rule), "name": str(own)}:
            return rule, own
        case {"test_name": str(rule)}:
            return rule, ""
        case dict() if len(test) == 1:
            [(rule, more)] = test.items()
            return str(rule), str((more or {}).get("name") or "")
    raise DbtTestError(
        f"{where}: {test!r} is not a dbt test. Write the test's name, or one "
        "`name: {arguments: …}` mapping."
    )


def _written(path: Path, marts: set[str]) -> Check:
    text = path.read_text(encoding="utf-8")
    about = [name for name in referred_to(text) if name in marts]
    description = " ".join(re.findall(r"^-- (.*)$", text, re.MULTILINE))
    return Check(about[0] if about else _DEFAULT_MART, path.stem, description, "", path.stem, "")
