"""What dbt tells of a build: each model and test, and what became of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STATES = {"success": "well", "pass": "well", "warn": "odd", "fail": "bad", "skipped": "skipped"}


@dataclass(frozen=True, slots=True)
class Result:
    """A model, seed or test. state: well, odd (a warning), bad, skipped, or broken.

    of: the model that a test is about; empty for those that look at several. rule: what it says,
    such as not_null; column: of which column, else empty. message: dbt's.
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
            return f"test {self.name} does not hold: {self.message}".rstrip(": ")
        return f"{self.kind} {self.name} failed: {self.message or 'no word why'}"


def read_results(target: Path) -> tuple[Result, ...]:
    """Out of dbt's target folder; empty where it did not come to build anything."""
    told = target / "run_results.json"
    if not told.exists():
        return ()
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    nodes: dict[str, Any] = manifest["nodes"] | manifest["unit_tests"]
    results = json.loads(told.read_text(encoding="utf-8"))["results"]
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
            of=(node.get("attached_node") or "").rpartition(".")[2],
            rule=(node.get("test_metadata") or {}).get("name", ""),
            column=(node.get("column_name") or "").strip('"'),
        )
