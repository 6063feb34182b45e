"""The workflows: who may do what, what runs in them, and the text of a release."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

HOUSE = Path(__file__).resolve().parents[2]
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in (HOUSE / ".github" / "workflows").glob("*.yml")
}
JOBS = {
    f"{name}.{job}": one for name, flow in WORKFLOWS.items() for job, one in flow["jobs"].items()
}
MAY_WRITE = {
    "release.images": {"packages", "id-token", "attestations"},
    "release.release": {"contents"},
}


def load_script():
    spec = importlib.util.spec_from_file_location("notes", HOUSE / ".github" / "release_notes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def house(tmp_path):
    (tmp_path / "gpu_job_image").mkdir()
    for folder in (tmp_path, tmp_path / "gpu_job_image"):
        (folder / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [Unreleased]\n- Next.\n\n## [0.2.0] - 2026-12-01\n### Added\n- This.\n\n"
        "## [0.1.0] - 2026-11-01\n- First.\n"
    )
    return tmp_path


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_do_nothing_that_a_job_does_not_ask_for(name):
    assert WORKFLOWS[name]["permissions"] == {}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_may_write_only_what_it_must_and_ends(name):
    permissions = JOBS[name]["permissions"]

    assert {one for one, how in permissions.items() if how == "write"} == MAY_WRITE.get(name, set())
    assert JOBS[name]["timeout-minutes"] <= 120


@pytest.mark.parametrize("name", JOBS)
def test_actions_are_pinned_by_commit(name):
    for step in JOBS[name]["steps"]:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step.get("uses", f"none@{'0' * 40}"))


def test_one_action_has_one_commit_in_all_workflows():
    used = {step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step}

    assert len(used) == len({one.partition("@")[0] for one in used})


@pytest.mark.parametrize("name", JOBS)
def test_files_and_targets_that_jobs_use_exist(name):
    text = yaml.safe_dump(JOBS[name])
    files = set(
        re.findall(r"[\w/.-]*Dockerfile|\.ci/run|\.github/\w+\.py|requirements[\w-]*\.lock", text)
    )
    targets = {one for line in re.findall(r"run: make (.+)", text) for one in line.split()}

    assert [one for one in files if not (HOUSE / one).exists()] == []
    assert targets <= set(
        re.findall(r"^([\w-]+):", (HOUSE / "Makefile").read_text("utf-8"), re.MULTILINE)
    )


def test_a_release_has_the_section_of_its_version_alone(house):
    assert load_script().release_notes(house, "0.2.0") == "### Added\n- This.\n"


def test_a_tag_that_is_not_the_version_makes_no_release(house):
    with pytest.raises(
        ValueError, match=r"tag is 0\.3\.0, but pyproject\.toml has version 0\.2\.0"
    ):
        load_script().release_notes(house, "0.3.0")


def test_a_version_without_a_section_makes_no_release(house):
    (house / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n- Next.\n")

    with pytest.raises(ValueError, match="no section"):
        load_script().release_notes(house, "0.2.0")
