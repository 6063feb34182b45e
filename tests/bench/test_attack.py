"""What the bench of attacks counts as held, and how it ends."""

import json
import math

import pytest

from bench.attack import one_kind
from bench.attack.__main__ import told
from bench.attack.attacks import DELAY_SECONDS, HELD, Attack, KindFigures, Verdict, refused
from bench.attack.one_kind import KINDS, attacks_of, tried


def test_each_kind_has_attacks(tmp_path):
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        assert next(attacks_of(kind, tmp_path / kind, quick=True)).name


@pytest.fixture
def _any_memory(monkeypatch):
    """This process is large after other tests."""
    monkeypatch.setattr(one_kind, "MEGABYTES", math.inf)


@pytest.mark.usefixtures("_any_memory")
def test_hostile_pages_are_held(tmp_path):
    figures = tried(attacks_of("pages", tmp_path, quick=True))

    assert figures.faults == {}
    assert figures.tried == figures.held > 50


def broken():
    raise ZeroDivisionError("division by zero")


NOT_HELD = {
    "not refused": Attack("a", lambda: refused(lambda: 1, ValueError)),
    "not by name": Attack("a", lambda: refused(lambda: int("x"), ValueError, "the name")),
    "shows a secret": Attack("a", lambda: refused(lambda: int("x"), ValueError, hides="'x'")),
    "ZeroDivisionError: division": Attack("a", broken),
    "it took": Attack("a", lambda: HELD, seconds=-1),
    "good recordings waited": Attack("a", lambda: Verdict("", DELAY_SECONDS + 1)),
}


@pytest.mark.usefixtures("_any_memory")
def test_an_attack_that_is_not_held_makes_the_exit_status_1(capsys):
    for why, attack in NOT_HELD.items():
        figures = tried([Attack("fine", lambda: HELD), attack])
        assert (figures.tried, figures.held) == (2, 1), why
        with pytest.raises(SystemExit, match="1 of 3 not held:\n  media: a: ") as ended:
            told({"media": figures, "names": KindFigures(1, 1)}, as_json=True)
        assert ended.value.code not in {0, None}  # a text: status 1

    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(said["sum"]) == [
        *("tried", "held", "worst_seconds", "worst_mb", "good_files_delayed_s"),
    ]
    assert said["names"]["good_files_delayed_s"] is None


def test_a_kind_whose_process_dies_is_not_held(monkeypatch):
    monkeypatch.setattr(one_kind.sys, "executable", "/bin/false")

    figures = one_kind.try_apart("media", quick=True)

    assert (figures.tried, figures.held) == (1, 0)
    assert "ended with status 1" in figures.faults["all of them"]
