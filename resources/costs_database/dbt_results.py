"""dbt's results of a build, for each model and test."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SOURCE = re.compile(r"source\('\w+', '(\w+)'\)")
_STATES = {"success": "well", "pass": "well", "warn": "odd", "fail": "bad", "skipped": "skipped"}


@dataclass(frozen=True, slots=True)
class Result:
    """A model, seed or test. state: well, odd (a warning), bad, skipped, or broken.

    of: the model that a test checks; empty if it checks several. rule: the kind of test, such as
    not_null. column: the checked column, or empty. message: dbt's.
    """

    kind: str
    name: str
    state: str
    seconds: float
    message: str = ""
    of: str = ""
    rule: str = ""
    column: str = ""

    @property
    def sentence(self) -> str:
        """For an error or a warning."""
        if self.state in {"odd", "bad"}:
            return f"test {self.name} failed: {self.message}".rstrip(": ")
        return f"{self.kind} {self.name} failed: {self.message or 'no reason given'}"


def read_results(target: Path) -> tuple[Result, ...]:
    """The results in dbt's target folder; empty if dbt built nothing."""
    path = target / "run_results.json"
    if not path.exists():
        return ()
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    nodes: dict[str, Any] = manifest["nodes"] | manifest["unit_tests"]
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    return tuple(_results(results, nodes))


def _results(results: list[dict[str, Any]], nodes: dict[str, Any]) -> Iterator[Result]:
    for one in results:
        node = nodes.get(one["unique_id"], {})
        words = one["unique_id"].split(".")
        yield Result(
            kind=words[0],
            name=words[2],
            state=_STATES.get(one["status"], "broken"),
            seconds=one["execution_time"],
            message=one.get("message") or "",
            of=_of(node),
            rule=(node.get("test_metadata") or {}).get("name", ""),
            column=(node.get("column_name") or "").strip('"'),
        )


def _of(node: dict[str, Any]) -> str:
    """The model of a generic test; for a test on a source, dbt only gives its call."""
    attached: str = (node.get("attached_node") or "").rpartition(".")[2]
    called = (node.get("test_metadata") or {}).get("kwargs", {}).get("model", "")
    of_source = None if attached else _SOURCE.search(called)
    return of_source[1] if of_source else attached
