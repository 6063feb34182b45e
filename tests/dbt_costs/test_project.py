"""The dbt project keeps to its own rules."""

import re

import pytest
import yaml

from escriba.settings import HOUSE

PROJECT = HOUSE / "dbt_costs"
MARTS = sorted((PROJECT / "models" / "marts").glob("*.sql"))
MODELS = sorted((PROJECT / "models").rglob("*.sql"))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_says_its_grain_and_its_guarantee(path):
    header = re.match(r"(-- .*\n)+", path.read_text())[0]

    assert header.startswith("-- Grain: ")
    assert " Guarantee: " in header.replace("\n-- ", " ")


@pytest.mark.parametrize("path", MARTS, ids=lambda path: path.stem)
def test_a_mart_has_its_description_and_a_contract_for_every_column(path):
    [model] = yaml.safe_load(path.with_suffix(".yml").read_text())["models"]
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())

    assert model["name"] == path.stem
    assert model["description"]
    assert project["models"]["escriba_costs"]["marts"]["+contract"] == {"enforced": True}
    for column in model["columns"]:
        money = "usd" in column["name"] or column["name"].endswith("Cost")
        assert not money or column["data_type"].startswith("decimal"), column


def test_dbt_tells_nobody_of_us():
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())

    assert project["flags"]["send_anonymous_usage_stats"] is False
