"""What Terraform would do: `terraform show -json` of a plan, as a list of changes."""

from dataclasses import dataclass
from typing import Any, Final

_ACTIONS: Final = {
    ("create",): "create",
    ("update",): "change",
    ("delete",): "remove",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
}
_NAMES: Final = ("name", "bucket", "repository_id", "account_id", "service", "role", "display_name")


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One resource. action: create, change, replace or remove.

    attributes: names of those that change; never their values, which may be secret.
    """

    action: str
    resource: str
    name: str
    attributes: tuple[str, ...] = ()


def planned_changes(plan: dict[str, Any]) -> list[PlannedChange]:
    """The changes of a plan; what stays and what is only read is left out.

    >>> planned_changes({"resource_changes": [
    ...     {"address": "aws_s3_bucket.a", "change": {"actions": ["create"], "before": None,
    ...      "after": {"bucket": "recordings"}}},
    ...     {"address": "aws_s3_bucket.b", "change": {"actions": ["no-op"]}}]})
    [PlannedChange(action='create', resource='aws_s3_bucket.a', name='recordings', attributes=())]
    """
    return [
        _change_of(one)
        for one in plan.get("resource_changes", [])
        if tuple(one["change"]["actions"]) in _ACTIONS
    ]


def _change_of(one: dict[str, Any]) -> PlannedChange:
    change = one["change"]
    before, after = change.get("before") or {}, change.get("after") or {}
    return PlannedChange(
        _ACTIONS[tuple(change["actions"])],
        str(one["address"]),
        _name_of(after or before),
        _changed(before, after, change.get("after_unknown") or {}) if before and after else (),
    )


def _name_of(values: dict[str, Any]) -> str:
    return next((str(values[key]) for key in _NAMES if isinstance(values.get(key), str)), "")


def _changed(
    before: dict[str, Any], after: dict[str, Any], unknown: dict[str, Any]
) -> tuple[str, ...]:
    known = {name for name in before.keys() | after if before.get(name) != after.get(name)}
    return tuple(sorted(known | {name for name, value in unknown.items() if value is True}))
