"""Options that got better names: the old ones still work, and --help lists the new ones alone."""

import click
import pytest

from cli import escriba

RENAMED = [
    (("sql",), "--stale", "--no-refresh", ["SELECT 1"], True),
    (("prices", "refresh"), "--least", "--min-percent", ["5"], 5.0),
]


def command_of(path):
    command = escriba
    for name in path:
        command = command.get_command(click.Context(command), name)
    return command


@pytest.mark.parametrize(("path", "old", "new", "values", "parsed"), RENAMED)
def test_both_names_mean_the_same(path, old, new, values, parsed):
    name = new.strip("-").replace("-", "_")
    by_name = {
        option: command_of(path).make_context(path[-1], [option, *values]).params[name]
        for option in (old, new)
    }

    assert by_name == {old: parsed, new: parsed}


@pytest.mark.parametrize(("path", "old", "new", "values", "parsed"), RENAMED)
def test_help_lists_the_new_name_alone(path, old, new, values, parsed):
    command = command_of(path)

    shown = command.get_help(click.Context(command))

    assert new in shown
    assert old not in shown
