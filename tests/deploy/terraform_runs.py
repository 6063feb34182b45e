"""Terraform for tests: a module in a folder of its own, and its providers, or a reason to skip.

TF_PLUGIN_DIR names a folder of providers, where no registry is in reach.
"""

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from escriba.settings import HOUSE

MODULES = HOUSE / "deploy" / "terraform"
REASON = "Terraform, or its provider for this cloud, is not to be had"  # tests/allowed_skips.txt
INIT_SECONDS = 300


def environment():
    """The environment of a Terraform that asks nobody and finds the providers."""
    folder = os.environ.get("TF_PLUGIN_DIR")
    options = {"TF_CLI_ARGS_init": f"-plugin-dir={folder}"} if folder else {}
    return os.environ | options | {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}


def terraform(folder, *arguments):
    """The finished process."""
    return subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=INIT_SECONDS,
    )


def needs_terraform():
    """Skips a test where there is no Terraform."""
    if not shutil.which("terraform"):
        pytest.skip(REASON)


def module(cloud, folder):
    """A copy of a module with its providers; skips where they are not to be had."""
    needs_terraform()
    if not _has_provider(cloud):
        pytest.skip(REASON)
    shutil.copytree(MODULES / cloud, folder, dirs_exist_ok=True)
    done = terraform(folder, "init", "-input=false", "-no-color")
    assert done.returncode == 0, done.stderr
    return folder


@functools.cache
def _has_provider(cloud):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(MODULES / cloud / "versions.tf", folder)
        lines = (Path(folder) / "versions.tf").read_text("utf-8")
        requirements = lines.partition('provider "')[0].split("\n# ")[0]
        (Path(folder) / "versions.tf").write_text(requirements, encoding="utf-8")
        return terraform(folder, "init", "-input=false", "-no-color").returncode == 0
