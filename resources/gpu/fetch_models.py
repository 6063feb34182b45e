"""Downloading a speech model from the hub before the first job, with progress events."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from escriba.errors import BackendUnavailableError
from escriba.model_names import model_named
from escriba.settings import Settings, child_environment

OnEvent = Callable[[dict[str, object]], None]  # events of gpu_job/common/hub_download.py
_LOOK_SECONDS = 60.0
_WHOLE = "fetched.json"  # in the folder of a model that is complete


def fetched_folder(settings: Settings) -> Path:
    """The folder of downloaded models, one subfolder per model name."""
    return settings.models_folder / "hub"


def downloaded_model(settings: Settings) -> str:
    """A multilingual Whisper that was downloaded, of a size that a CPU can bear; empty: none."""
    names = ("small", "base", "medium", "tiny", "large-v3-turbo")
    return next((name for name in names if is_downloaded(settings, name)), "")


def is_downloaded(settings: Settings, model: str) -> bool:
    """Whether a model is complete on this machine.

    Raises:
        BackendUnavailableError: this user may not read its folder.
    """
    folder = fetched_folder(settings) / model
    try:
        if not (folder / _WHOLE).is_file():
            return False
        hidden = next((path for path in folder.iterdir() if not os.access(path, os.R_OK)), None)
    except PermissionError as error:
        hidden = Path(error.filename)
    if hidden is None:
        return True
    raise BackendUnavailableError(
        f"MODELS_FOLDER: this user may not read {hidden}, which another one downloaded. Give it "
        f"permission (`chmod -R a+rX {settings.models_folder}`), or set MODELS_FOLDER."
    )


def ensure_model(settings: Settings, model: str, on_event: OnEvent) -> None:
    """Download a model from the hub unless it is here; after a kill, the next call resumes.

    Raises:
        BackendUnavailableError: the download failed; says what to do.
    """
    name = hub_repository(model)
    if not name or is_downloaded(settings, model):
        return
    for event in _events(settings, model):
        if event["event"] == "failed":
            raise BackendUnavailableError(advice(model, str(event["message"])))
        on_event(event)


def check_hub(settings: Settings, model: str) -> dict[str, object]:
    """What the hub says about a model, and whether it is here; downloads nothing."""
    event: dict[str, object] = {"event": "failed", "message": "the downloader reported nothing"}
    for event in _events(settings, model, "--look"):  # noqa: B007  # the last one counts
        pass
    return event


def hub_repository(model: str) -> str:
    """The model's repository on the hub; empty for the demo and for a folder.

    Raises:
        BackendUnavailableError: no model has that name.
    """
    try:
        return model_named(model).repository
    except ValueError as error:
        raise BackendUnavailableError(f"MODEL: {error}") from error


def advice(model: str, why: str) -> str:
    """The error text for a model that cannot be downloaded."""
    return (
        f"MODEL={model} is not on this machine, and {why}. Set MODEL to a folder with a "
        "CTranslate2 model, or run once with access to the hub (HF_ENDPOINT names a mirror; "
        "HF_HUB_OFFLINE must not be set). `escriba demo` shows everything with a toy model."
    )


def _events(settings: Settings, model: str, *more: str) -> Iterator[dict[str, object]]:
    with _fetcher(settings, model, *more) as process:
        if process.stdout is None:
            return
        for line in process.stdout:
            yield json.loads(line)
        if process.wait() not in {0, 1}:
            lines = process.stderr.read().strip().splitlines() if process.stderr else []
            cause = lines[-1] if lines else f"exit status {process.returncode}"
            yield {"event": "failed", "message": f"the downloader failed ({cause})"}


@contextmanager
def _fetcher(settings: Settings, model: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A separate process, since the hub's own code cannot be interrupted; it ends with ours."""
    process = _start(settings, model, *more)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _start(settings: Settings, model: str, *more: str) -> subprocess.Popen[str]:
    python = str(settings.local_worker_python or sys.executable)
    token = settings.huggingface_token.get_secret_value()
    environment = child_environment("download") | ({"HUGGINGFACE_TOKEN": token} if token else {})
    options = ["--into", str(fetched_folder(settings)), "--with-parent", *more]
    try:
        return subprocess.Popen(  # noqa: S603  # our own module
            [python, "-m", "gpu_job.common.hub_download", model, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment | {"PYTHONSAFEPATH": "1"},
            start_new_session=os.name == "posix",  # this process handles Ctrl-C, and then ends it
        )
    except OSError as error:
        raise BackendUnavailableError(
            f"LOCAL_WORKER_PYTHON={python} cannot be started ({error.strerror}). "
            "`make setup-worker` creates .venv-worker/bin/python."
        ) from error
