"""What a plan would do is said by names, never by values."""

from resources.terraform.plan import PlannedChange, planned_changes


def change(actions, before=None, after=None, unknown=None, address="aws_iam_role.worker"):
    inner = {"actions": actions, "before": before, "after": after, "after_unknown": unknown or {}}
    return {"address": address, "change": inner}


def test_what_stays_and_what_is_only_read_is_left_out():
    plan = {"resource_changes": [change(["no-op"]), change(["read"])]}

    assert planned_changes(plan) == []
    assert planned_changes({}) == []


def test_a_change_names_what_changes_and_not_to_what():
    before = {"name": "queue", "state": "ENABLED", "priority": 1}
    after = {"name": "queue", "state": "DISABLED", "priority": 1}
    found = planned_changes(
        {"resource_changes": [change(["update"], before, after, {"arn": True, "tags": {}})]}
    )

    assert found == [PlannedChange("change", "aws_iam_role.worker", "queue", ("arn", "state"))]


def test_a_replacement_is_one_change_in_either_order():
    plan = [change(order, {"name": "a"}, {"name": "a"}) for order in _ORDERS]

    assert [one.action for one in planned_changes({"resource_changes": plan})] == ["replace"] * 2


_ORDERS = (["delete", "create"], ["create", "delete"])


def test_what_is_removed_is_named_as_it_was():
    (found,) = planned_changes({"resource_changes": [change(["delete"], {"bucket": "old"})]})

    assert (found.action, found.name, found.attributes) == ("remove", "old", ())
