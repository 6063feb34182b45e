"""Every test that dbt knows is a check of a mart, or an error that names it."""

import json
import shutil
import subprocess
import sys

import pytest
import yaml

from assets.costs.dbt_checks import DbtTestError, check_of, checks
from assets.costs.dbt_models import PROJECT
from resources.costs_database.dbt_results import read_results

ADDED = """\
version: 2
models:
  - name: of_parts
    columns:
      - name: attempt_id
        data_tests:
          - unique
          - relationships:
              arguments: {to: ref('stg_attempts'), field: attempt_id}
          - in_a_package.is_short:
              arguments: {most: 300}
              config: {severity: warn}
          - name: an_attempt_has_two_parts
            test_name: is_text
          - is_text:
              name: an_attempt_has_one_part
  - name: of_tags
    tests: [is_not_empty]
seeds:
  - name: more_prices
    columns:
      - name: backend
        data_tests: [not_null, {accepted_values: {arguments: {values: [local, runpod]}}}]
sources:
  - name: ledger_again
    schema: ledger
    tables:
      - name: tag_rules
        columns:
          - name: tenant
            data_tests: [not_null]
"""
ITS_CHECKS = {
    "of_parts_attempt_id_is_unique",
    "of_parts_attempt_id_is_found_where_it_refers_to",
    "of_parts_attempt_id_in_a_package_is_short",
    "an_attempt_has_two_parts",
    "an_attempt_has_one_part",
    "of_tags_is_not_empty",
    "more_prices_backend_is_never_null",
    "more_prices_backend_is_a_known_word",
    "tag_rules_tenant_is_never_null",
    "nothing_is_free",
}


@pytest.fixture
def project(tmp_path):
    """A copy of ours."""
    leave = shutil.ignore_patterns("target", "logs", "*.duckdb*")
    return shutil.copytree(PROJECT, tmp_path / "dbt_costs", ignore=leave)


@pytest.fixture
def richer(project):
    """With tests of each kind that ours has none of."""
    (project / "models" / "_added.yml").write_text(ADDED)
    (project / "seeds" / "more_prices.csv").write_text("backend\nlocal\n")
    for name in ("of_parts", "of_tags"):
        (project / "models" / f"{name}.sql").write_text("select 1 as attempt_id")
    test = "{{% test {}(model{}) %}}select * from {{{{ model }}}} limit 0{{% endtest %}}"
    generic = project / "tests" / "generic"
    generic.mkdir()
    (generic / "is_text.sql").write_text(test.format("is_text", ", column_name"))
    (project / "macros" / "is_not_empty.sql").write_text(test.format("is_not_empty", ""))
    singular = project / "tests" / "prices"
    singular.mkdir()
    (singular / "nothing_is_free.sql").write_text("-- No price is 0.\nselect 1 limit 0")
    package = project / "dbt_packages" / "in_a_package"
    (package / "macros").mkdir(parents=True)
    (package / "dbt_project.yml").write_text(
        "name: in_a_package\nversion: '1.0.0'\nprofile: none\n"
    )
    (package / "macros" / "is_short.sql").write_text(test.format("is_short", ", column_name, most"))
    return project


def parsed_by_dbt(project):
    """All tests of the project as results of a build, by dbt's own reading of it."""
    places = ["--project-dir", str(project), "--profiles-dir", str(project)]
    words = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "parse", *places]
    environment = {"ESCRIBA_COSTS_DATABASE": ":memory:", "ESCRIBA_COSTS_MEMORY": "1GB"}
    environment |= {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    done = subprocess.run(
        words, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    nodes = json.loads((project / "target" / "manifest.json").read_text())["nodes"]
    told = [{"unique_id": one, "status": "pass", "execution_time": 0} for one in nodes]
    (project / "target" / "run_results.json").write_text(json.dumps({"results": told}))
    return [one for one in read_results(project / "target") if one.kind == "test"]


def test_each_test_that_dbt_finds_is_one_check_and_each_check_is_a_test(richer):
    known = checks(richer)

    found = [
        check_of(known, of=one.of, rule=one.rule, column=one.column, name=one.name)
        for one in parsed_by_dbt(richer)
    ]

    assert None not in found
    assert sorted(found, key=repr) == sorted(known, key=repr)
    assert {one.name for one in known} - {one.name for one in checks()} == ITS_CHECKS


def add(project, *tests):
    """Tests of the column `day` of idle."""
    path = project / "models" / "marts" / "idle.yml"
    told = yaml.safe_load(path.read_text())
    column = next(one for one in told["models"][0]["columns"] if one["name"] == "day")
    column["data_tests"] = list(tests)
    path.write_text(yaml.safe_dump(told))


def test_two_tests_that_cannot_be_told_apart_are_named_with_what_to_do(project):
    add(project, *({"accepted_values": {"arguments": {"values": [n]}}} for n in (1, 2)))

    with pytest.raises(DbtTestError) as caught:
        checks(project)

    assert str(caught.value) == (
        "models/marts/idle.yml: two tests give the same check 'day_is_a_known_word' of idle. "
        "Give one of them a `name`."
    )


@pytest.mark.parametrize("test", [7, ["unique"], {"unique": {}, "not_null": {}}, {}], ids=str)
def test_what_is_no_test_is_named_with_its_file_table_and_column(project, test):
    add(project, test)

    with pytest.raises(
        DbtTestError, match=r"^idle\.yml, idle, day: .* is not a dbt test\. Write the test's name"
    ):
        checks(project)
