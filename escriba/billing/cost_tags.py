"""Cost centers and projects, to which recordings are charged in addition to their tenant."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, field_validator

TAGS = ("cost_center", "project")
SCHEMA_VERSION = 1
_MAX_LENGTH = 100  # characters
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Tags(BaseModel):
    """A cost center and a project. None: not set here, so the more general setting applies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cost_center: str | None = None
    project: str | None = None

    @field_validator("cost_center", "project")
    @classmethod
    def _valid_tag(cls, text: str | None) -> str | None:
        return text if text is None else check_tag(text)


class PathTags(Tags):
    """Tags of a tenant's recordings with a path that matches `match` (*, ?, [a-z])."""

    match: str

    @field_validator("match")
    @classmethod
    def _valid_pattern(cls, text: str) -> str:
        if not text or text.count("[") != text.count("]"):
            raise ValueError(f"{text!r} is not a pattern such as hearings/*")
        return text


@dataclass(frozen=True, slots=True)
class TagRule:
    """One rule for the cost tables. The first match by `place` applies; pattern None: any path."""

    tenant: str
    place: int
    pattern: str | None
    cost_center: str | None
    project: str | None


@dataclass(frozen=True, slots=True)
class TagRow:
    """One row of `ledger/tags`: the tags of one recording; the latest row applies."""

    recording: str
    tenant: str
    cost_center: str | None
    project: str | None
    tagged_at: datetime
    schema_version: int = SCHEMA_VERSION


def check_tag(text: str) -> str:
    """The text without surrounding spaces.

    Raises:
        ValueError: it is not a valid tag.
    """
    tag = text.strip()
    if not tag or len(tag) > _MAX_LENGTH or _CONTROL.search(tag):
        raise ValueError(f"{text!r} is not a name of 1 to {_MAX_LENGTH} characters on one line")
    return tag


def tag_rules_of(tenants: Mapping[str, tuple[Tags, Iterable[PathTags]]]) -> list[TagRule]:
    """The rules of each tenant: its path rules in order, then its general tags."""
    found: list[TagRule] = []
    for name, (general, paths) in sorted(tenants.items()):
        patterns = [(one.match, one) for one in paths]
        for place, (pattern, tags) in enumerate([*patterns, (None, general)]):
            if tags.cost_center or tags.project:
                found.append(TagRule(name, place, pattern, tags.cost_center, tags.project))
    return found
