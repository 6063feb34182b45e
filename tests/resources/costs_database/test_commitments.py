"""What is paid in advance: a line of a CSV file that can be read, or is named."""

from decimal import Decimal

import pytest

from escriba.billing.committed_use import CommitmentError, read_commitments
from escriba.settings import HOUSE
from resources.costs_database.build_marts import CostsBuildError

HEADING = "name,backend,sku,usd,valid_from,valid_to\n"


@pytest.fixture
def read(tmp_path):
    def of(*lines):
        path = tmp_path / "committed.csv"
        path.write_text(HEADING + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        return read_commitments(path)

    return of


def test_what_is_shipped_has_none():
    assert read_commitments(HOUSE / "dbt_costs" / "seeds" / "committed_use.csv") == ()


def test_terms_of_one_name_follow_each_other(read):
    first, second = read(
        "plan,runpod,l4,100,2026-01-01,2026-02-01", "plan,runpod,l4,90.5,2026-02-01,2026-03-01"
    )

    assert (first.usd, second.usd) == (100, Decimal("90.5"))
    assert second.valid_from == first.valid_to


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["plan,runpod,l4,100,2026-01-01,"], "line 2: valid_to is empty, but a term needs an end"),
        (["plan,runpod,l4,much,2026-01-01,2026-02-01"], "usd 'much' is not an amount"),
        (["plan,runpod,l4,1,2026-02-01,2026-01-01"], "valid_to is not after valid_from"),
        (["plan,runpod,l4,1"], "number of fields differs"),
        (
            ["plan,runpod,l4,1,2026-01-01,2026-02-01", "plan,runpod,l4,1,2026-01-15,2026-02-15"],
            "two terms of plan overlap at 2026-01-15",
        ),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(read, lines, said):
    with pytest.raises(CommitmentError, match=r"COMMITTED_USE: .*committed\.csv'") as told:
        read(*lines)
    assert said in str(told.value)


def test_a_build_with_such_a_line_says_so(costs, attempt, tmp_path):
    path = tmp_path / "committed.csv"
    path.write_text(f"{HEADING}plan,runpod,l4,1,2026-01-01,\n", encoding="utf-8")
    costs.settings = costs.settings.model_copy(update={"committed_use": path})
    costs.write(attempt("a"))
    costs.load()

    with pytest.raises(CostsBuildError, match="COMMITTED_USE"):
        costs.build()
