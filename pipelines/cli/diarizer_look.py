"""Whether the speakers can be found, as `escriba doctor` tells it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pipelines.settings import Settings

from .findings import Finding

_HAS_PYANNOTE = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pyannote') is None)"
_SECONDS = 20


def light_is_toy(settings: Settings) -> bool:  # noqa: ARG001  # of this version it always is
    """Whether the weights of the light diarizer are the embedded ones of the demo."""
    return True


def diarizer(settings: Settings) -> Iterator[Finding]:
    """Of pyannote: its packages, and the token where the model is not a folder."""
    if settings.diarizer == "light" and light_is_toy(settings):
        yield Finding(
            what="diarizer",
            state="odd",
            found="light, a toy that was made of synthetic voices and separates no real ones",
            advice="Set DIARIZER=pyannote (README, Real speakers), or none; or CHANNELS=separate.",
        )
    if settings.diarizer != "pyannote":
        return
    python = str(settings.local_worker_python or sys.executable)
    try:
        done = subprocess.run([python, "-c", _HAS_PYANNOTE], timeout=_SECONDS, check=False)  # noqa: S603  # the user's own Python, no other input
        has_it = done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        has_it = False
    if not has_it:
        yield Finding(
            what="diarizer",
            state="broken",
            found=f"pyannote, and {python} has no pyannote.audio",
            advice="`make setup-worker`, and LOCAL_WORKER_PYTHON=.venv-worker/bin/python.",
        )
        return
    model = settings.diarization_model or "community-1"
    in_folder = Path(settings.diarization_model or "/nowhere").is_dir()
    known = in_folder or settings.huggingface_token.get_secret_value()
    yield Finding(
        what="diarizer",
        state="well" if known else "odd",
        found=f"pyannote, {model}" + ("" if known else ", and HUGGINGFACE_TOKEN is not set"),
        advice=""
        if known
        else "Unless the model is on this machine already: accept its terms on the hub, and set "
        "HUGGINGFACE_TOKEN.",
    )
