"""Cost centers and projects: whose money a recording is, beside its tenant."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, field_validator

TAGS = ("cost_center", "project")
SCHEMA_VERSION = 1
_MOST = 100  # characters
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Tags(BaseModel):
    """None: nothing is said; what stands in a wider place holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cost_center: str | None = None
    project: str | None = None

    @field_validator("cost_center", "project")
    @classmethod
    def _bearable(cls, text: str | None) -> str | None:
        return text if text is None else check_tag(text)


class PathTags(Tags):
    """Tags of the recordings below a tenant with a path that fits `match` (*, ?, [a-z])."""

    match: str

    @field_validator("match")
    @classmethod
    def _pattern(cls, text: str) -> str:
        if not text or text.count("[") != text.count("]"):
            raise ValueError(f"{text!r} is no pattern such as hearings/*")
        return text


@dataclass(frozen=True, slots=True)
class TagRule:
    """One line for the cost tables. The first that fits (`place`) holds; pattern None: any path."""

    tenant: str
    place: int
    pattern: str | None
    cost_center: str | None
    project: str | None


@dataclass(frozen=True, slots=True)
class TagRow:
    """One row of `ledger/tags`: what somebody said of one recording; the last word holds."""

    recording: str
    tenant: str
    cost_center: str | None
    project: str | None
    tagged_at: datetime
    schema_version: int = SCHEMA_VERSION


def check_tag(text: str) -> str:
    """The text without spaces around it; ValueError where it can be no tag."""
    tag = text.strip()
    if not tag or len(tag) > _MOST or _CONTROL.search(tag):
        raise ValueError(f"{text!r} is no name of 1 to {_MOST} characters in one line")
    return tag


def rules_of(tenants: Mapping[str, tuple[Tags, Iterable[PathTags]]]) -> list[TagRule]:
    """Of each tenant its paths in their order, and last what holds for all of it."""
    found: list[TagRule] = []
    for name, (general, paths) in sorted(tenants.items()):
        patterns = [(one.match, one) for one in paths]
        for place, (pattern, tags) in enumerate([*patterns, (None, general)]):
            if tags.cost_center or tags.project:
                found.append(TagRule(name, place, pattern, tags.cost_center, tags.project))
    return found
