"""What Terraform itself says of the modules: their format, their types, and plans on mocks."""

import pytest

from tests.deploy.terraform_runs import MODULES, module, needs_terraform, terraform

CLOUDS = ("aws", "gcp")


@pytest.fixture(scope="session", params=CLOUDS)
def opened(request, tmp_path_factory):
    """A copy of a module with its provider."""
    return module(request.param, tmp_path_factory.mktemp("terraform") / request.param)


def test_the_files_are_formatted():
    needs_terraform()
    done = terraform(MODULES, "fmt", "-check", "-recursive", "-no-color")

    assert done.returncode == 0, f"Run `terraform fmt -recursive deploy`: {done.stdout}"


def test_the_module_is_valid(opened):
    done = terraform(opened, "validate", "-no-color")

    assert done.returncode == 0, done.stderr


def test_plans_on_mocks_have_what_they_must(opened):
    done = terraform(opened, "test", "-no-color")

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed" in done.stdout
