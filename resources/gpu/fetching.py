"""A speech model for this machine, from the hub: before the first job, and told as it comes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.settings import Settings, inherited_environment
from pipelines.speech_models import model_named
from resources.failures import BackendUnavailableError

Heard = Callable[[dict[str, object]], None]  # events of gpu_job/hub.py
_LOOK_SECONDS = 60.0


def fetched_folder(settings: Settings) -> Path:
    """Where fetched models lie, by their names."""
    return settings.models_folder / "hub"


def must_be_had(settings: Settings, model: str, heard: Heard) -> None:
    """Fetch a model of the hub unless it is here; killed at any moment, the next call goes on.

    Raises:
        BackendUnavailableError: it cannot be had; says what to do.
    """
    name = must_be_named(model)
    if not name or (fetched_folder(settings) / model / "fetched.json").is_file():
        return
    for event in _events(settings, model):
        if event["event"] == "failed":
            raise BackendUnavailableError(advice(model, str(event["message"])))
        heard(event)


def look_for(settings: Settings, model: str) -> dict[str, object]:
    """What the hub says of a model, and whether it is here; fetches nothing."""
    event: dict[str, object] = {"event": "failed", "message": "nothing was said"}
    for event in _events(settings, model, "--look"):  # noqa: B007  # the last one counts
        pass
    return event


def must_be_named(model: str) -> str:
    """The repository of the hub; empty for the demo and for a folder.

    Raises:
        BackendUnavailableError: no model has that name.
    """
    try:
        return model_named(model).repository
    except ValueError as error:
        raise BackendUnavailableError(f"MODEL: {error}") from error


def advice(model: str, why: str) -> str:
    """The one sentence where a model is out of reach."""
    return (
        f"MODEL={model} is not on this machine, and {why}: set MODEL to a folder with a "
        "CTranslate2 model, or run once where the hub can be reached (HF_ENDPOINT names a mirror, "
        "HF_HUB_OFFLINE must not be set); `escriba demo` shows everything with a toy model."
    )


def _events(settings: Settings, model: str, *more: str) -> Iterator[dict[str, object]]:
    with _fetcher(settings, model, *more) as process:
        if process.stdout is None:
            return
        for line in process.stdout:
            yield json.loads(line)
        if process.wait() not in {0, 1}:
            said = process.stderr.read().strip().splitlines() if process.stderr else []
            what = said[-1] if said else f"exit status {process.returncode}"
            yield {"event": "failed", "message": f"what fetches it broke ({what})"}


@contextmanager
def _fetcher(settings: Settings, model: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own, since the hub's own code cannot be interrupted; it ends with us."""
    python = str(settings.local_worker_python or sys.executable)
    folder = fetched_folder(settings)
    token = settings.huggingface_token.get_secret_value()
    environment = inherited_environment() | ({"HUGGINGFACE_TOKEN": token} if token else {})
    command = [python, "-m", "gpu_job.hub", model, "--into", str(folder), "--with-parent", *more]
    try:
        process = subprocess.Popen(  # noqa: S603  # our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment | {"PYTHONSAFEPATH": "1"},
            start_new_session=os.name == "posix",  # Ctrl-C is ours to hear, and it ends with us
        )
    except OSError as error:
        raise BackendUnavailableError(
            f"LOCAL_WORKER_PYTHON={python} cannot be started ({error.strerror}): "
            "`make setup-worker` makes .venv-worker/bin/python."
        ) from error
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
