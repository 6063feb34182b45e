"""The networks of the light diarizer on this machine: whether they stand, and of which revision."""

import json
import subprocess
import sys
from pathlib import Path

FOLDER = "voices"  # below MODELS_FOLDER
_SHEET = "voices.json"


def voices_folder(models_folder: Path) -> Path:
    """Where a local worker looks for them."""
    return models_folder / FOLDER


def voices_revision(models_folder: Path) -> str:
    """Part of the identity of jobs that want them; empty where only the toy is there."""
    try:
        sheet = json.loads((voices_folder(models_folder) / _SHEET).read_text())
        return f"voices@{sheet['revision']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def install_voices(models_folder: Path) -> str:
    """Fetch them from the package index, unless they stand; what went wrong, or nothing.

    The worker's own package does it, in a process of its own.
    """
    command = [sys.executable, "-m", "gpu_job.voices", str(voices_folder(models_folder))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stderr.strip().removeprefix("voices: ") if done.returncode else ""
