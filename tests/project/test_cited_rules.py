"""Rules of idempotency that code and docs cite by number are in docs/idempotency.md."""

import re

import pytest

from escriba.settings import HOUSE

PAGE = HOUSE / "docs" / "idempotency.md"
# rule 4 · rules 3 to 8 · rules 1, 2 and 9 to 11
CITED = re.compile(r"\brules? \d+(?:(?:, | and | to )\d+)*", re.IGNORECASE)
KINDS = {".json", ".md", ".py", ".sql", ".toml", ".yml"}
NOT_OURS = {"data", "build", "escriba-demo", "escriba-demo-costs", "node_modules", "target"}


def numbers_in(text):
    """Every rule that a text cites, ranges included."""
    found = set()
    for citation in CITED.findall(text):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", citation):
            found.update(range(int(first), int(last or first) + 1))
    return found


def cited_in_project():
    """The rules by the file that cites them."""
    files = (
        path
        for path in HOUSE.rglob("*")
        if path.suffix in KINDS
        and not any(
            part.startswith(".") or part in NOT_OURS for part in path.relative_to(HOUSE).parts
        )
        and path.name != "test_cited_rules.py"
    )
    cited = ((path, numbers_in(path.read_text(encoding="utf-8"))) for path in files)
    return {path: numbers for path, numbers in cited if numbers}


def described():
    headings = re.findall(r"^### Rule (\d+): \S", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [int(number) for number in headings]


def test_every_rule_that_is_cited_is_described():
    unknown = {
        str(path.relative_to(HOUSE)): sorted(numbers - set(described()))
        for path, numbers in cited_in_project().items()
        if numbers - set(described())
    }

    assert not unknown


def test_rules_are_numbered_from_one_without_a_gap():
    assert described() == list(range(1, len(described()) + 1))
    assert len(described()) == 11


def test_code_that_cites_a_rule_names_the_page():
    silent = [
        str(path.relative_to(HOUSE))
        for path in cited_in_project()
        if path != PAGE and "idempotency.md" not in path.read_text(encoding="utf-8")
    ]

    assert not silent


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(docs/idempotency.md, rule 4)", {4}),
        ("Rules 3 to 6 and 8 of the page", {3, 4, 5, 6, 8}),
        ("rules 1, 2 and 9 to 11", {1, 2, 9, 10, 11}),
        ("no rules at all", set()),
    ],
)
def test_citations_are_read_as_people_write_them(text, numbers):
    assert numbers_in(text) == numbers
