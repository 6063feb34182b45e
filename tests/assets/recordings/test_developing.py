"""`dagster dev`, `dg dev` and `dg check defs` find the code location in a fresh clone."""

import tomllib
from pathlib import Path

from dagster._core.workspace.load_target import PyProjectFileTarget

HOUSE = Path(__file__).resolve().parents[3]


def test_dagsters_own_tools_find_the_code_location_by_its_name():
    [origin] = PyProjectFileTarget(str(HOUSE / "pyproject.toml")).create_origins()

    assert origin.location_name == "escriba"  # as in workspace.yaml: sensors remember by it
    assert origin.loadable_target_origin.module_name == "pipelines.definitions"


def test_dg_takes_the_folder_for_a_project():
    told = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dg"]

    assert told["directory_type"] == "project"
    assert (HOUSE / told["project"]["root_module"]).is_dir()
