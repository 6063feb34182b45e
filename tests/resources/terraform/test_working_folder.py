"""The folder of the state has the module of now, the variables, and what the operator put there."""

import json

import pytest

from escriba.settings import SettingsError
from resources.terraform.working_folder import OWN_VARIABLES, keep, own_variables, prepare


def test_files_of_an_older_version_go_and_the_operators_own_stay(tmp_path):
    prepare(tmp_path, "aws", {})
    (tmp_path / "backend.tf").write_text("terraform {}")
    (tmp_path / "terraform.tfstate").write_text("{}")
    listed = tmp_path / ".copied.json"
    listed.write_text(json.dumps([*json.loads(listed.read_text()), "old.tf"]))
    (tmp_path / "old.tf").write_text("")

    prepare(tmp_path, "aws", {"region": "eu-west-1"})

    assert not (tmp_path / "old.tf").exists()
    assert (tmp_path / "backend.tf").exists()
    assert (tmp_path / "terraform.tfstate").exists()
    assert json.loads((tmp_path / "terraform.tfvars.json").read_text()) == {"region": "eu-west-1"}


def test_the_folder_is_the_operators_alone(tmp_path):
    prepare(tmp_path / "state" / "aws", "aws", {})

    assert (tmp_path / "state" / "aws").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("max_vcpus=32", 32),
        ('machine_types=["g6.xlarge"]', ["g6.xlarge"]),
        ("region=eu-west-1", "eu-west-1"),
        ("image=host/worker:1=2", "host/worker:1=2"),
        ("delete_contents=true", True),
    ],
)
def test_a_value_is_json_or_text(tmp_path, given, value):
    assert list(own_variables(tmp_path, [given]).values()) == [value]


def test_variables_given_now_win_over_those_that_were_kept(tmp_path):
    keep(tmp_path, {"max_vcpus": 16, "image_tag": "0.1.0"})

    assert own_variables(tmp_path, ["max_vcpus=32"]) == {"max_vcpus": 32, "image_tag": "0.1.0"}
    assert json.loads((tmp_path / OWN_VARIABLES).read_text())["max_vcpus"] == 16


@pytest.mark.parametrize("wrong", ["max_vcpus", "=1", "max vcpus=1"])
def test_what_is_no_variable_is_named(tmp_path, wrong):
    with pytest.raises(SettingsError, match="NAME=VALUE"):
        own_variables(tmp_path, [wrong])
