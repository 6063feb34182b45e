"""`escriba deploy aws` and `gcp` where Terraform or a setting is missing, or Terraform fails."""

import os
import subprocess
import sys

import pytest

from cli.deploy_terraform.cloud import AWS, GCP
from escriba.settings import HOUSE, load_settings
from resources.terraform.terraform_command import Terraform, TerraformError


def deploy(folder, *arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "cli", "deploy", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(HOUSE)} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("cloud", ["aws", "gcp"])
def test_without_terraform_it_says_what_to_install(tmp_path, cloud):
    done = deploy(tmp_path, cloud, "--yes", PATH=str(tmp_path), GCP_PROJECT="recordings-412817")

    assert done.returncode == 2
    assert "Terraform is not installed. Install version 1.9 or later" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def program(folder, text):
    """A program in place of Terraform that says a text and fails."""
    path = folder / "terraform"
    path.write_text(f"#!{sys.executable}\nimport sys\nsys.stderr.write({text!r})\nsys.exit(1)\n")
    path.chmod(0o755)
    return str(path)


def test_what_terraform_says_is_the_error_without_colors_and_secrets(tmp_path):
    path = program(tmp_path, "\x1b[31mError: no access with key s3cret\x1b[0m")
    terraform = Terraform(path, tmp_path, {}, ("s3cret",))

    with pytest.raises(TerraformError) as caught:
        terraform.text("init")
    assert str(caught.value) == (
        f"`terraform init` failed in {tmp_path}:\nError: no access with key …"
    )
    with pytest.raises(TerraformError, match="no access with key …"):
        terraform.watched("apply", tell=print)
    assert "s3cret" not in repr(terraform)


def test_terraform_gets_the_credentials_of_its_cloud_alone(monkeypatch):
    monkeypatch.setenv("RUNPOD_API_KEY", "rp_secret")
    monkeypatch.setenv("AWS_PROFILE", "archive")
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "recordings-412817")
    settings = load_settings(aws_access_key_id="AKIA", aws_secret_access_key="s3cret")

    aws, google = AWS.environment(settings), GCP.environment(settings)

    assert (aws["AWS_PROFILE"], aws["AWS_SECRET_ACCESS_KEY"]) == ("archive", "s3cret")
    assert "GOOGLE_CLOUD_QUOTA_PROJECT" not in aws
    assert not {name for name in google if name.startswith(("AWS_", "RUNPOD_"))}
    assert "RUNPOD_API_KEY" not in aws


def test_keys_of_another_store_are_not_given_to_aws(monkeypatch):
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    settings = load_settings(
        aws_endpoint_url="http://minio:9000",
        aws_access_key_id="minio",
        aws_secret_access_key="s3cret",
    )

    assert "s3cret" not in AWS.environment(settings).values()
