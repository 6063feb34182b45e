"""`dbt build` in dbt_costs by hand, as dbt_costs/README.md tells it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from escriba.settings import HOUSE
from tests.costs_fixtures import LATER

DBT = Path(sys.executable).with_name("dbt")


@pytest.fixture
def by_hand(tmp_path):
    """dbt at work on a database, in a copy of the folder: it leaves logs and its target there."""
    folder = tmp_path / "dbt_costs"
    shutil.copytree(HOUSE / "dbt_costs", folder, ignore=shutil.ignore_patterns("target", "logs"))

    def build(database, *arguments):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ESCRIBA_")}
        return subprocess.run(
            [DBT, "build", "--vars", f"as_of: '{LATER.isoformat()}'", *arguments],
            cwd=folder,
            env=environment | {"ESCRIBA_COSTS_DATABASE": str(database)},
            capture_output=True,
            text=True,
            check=False,
        )

    return build


def test_built_by_hand_twice_the_tables_are_those_that_escriba_built(costs, rows, by_hand):
    for batch in rows:
        costs.write(*batch)
    costs.load()
    costs.build(checks=False)
    tables = costs.tables()  # by a price book that is not the one in seeds/

    once = by_hand(costs.settings.costs_database)
    again = by_hand(costs.settings.costs_database, "--exclude-resource-type", "unit_test")

    assert once.returncode == 0, once.stdout
    assert again.returncode == 0, again.stdout
    assert costs.tables() == tables
    assert not costs.build(checks=False, unless_current=True).was_full


def test_by_hand_nothing_is_put_where_escriba_has_loaded_nothing(costs, rows, by_hand):
    done = by_hand(costs.settings.costs_database, "--exclude-resource-type", "unit_test", "test")

    assert done.returncode != 0
    assert "run `escriba sql" in done.stdout
    for batch in rows:
        costs.write(*batch)
    costs.load()  # the database is taken for what it is: empty
