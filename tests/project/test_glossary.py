"""The glossary has each term once, in alphabetical order, in one sentence."""

import re

import pytest

from escriba.settings import HOUSE

ROWS = re.findall(
    r"^\| \*\*(.+)\*\* \| (.+) \|$",
    (HOUSE / "docs" / "glossary.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
TERMS = [term for term, _ in ROWS]


def test_terms_are_sorted_and_none_is_there_twice():
    assert len(TERMS) > 70
    assert sorted({term.lower() for term in TERMS}) == [term.lower() for term in TERMS]


@pytest.mark.parametrize(("term", "meaning"), ROWS, ids=TERMS)
def test_a_term_is_explained_in_one_sentence(term, meaning):
    text = re.sub(r"`[^`]+`|\]\([^)]+\)", "", meaning)

    assert text.endswith(".")
    assert text.count(". ") == 0
    assert len(text) < 150, term
