"""What to say when a model is not to be had: which one, why, and how to go on."""

import re

from ...errors import (
    JobFailedError,
    LicenceError,
    ModelMissingError,
    OutOfMemoryError,
    is_out_of_memory,
    without_addresses,
)

GO_ON = (
    "To go on without it: DIARIZER=light (the embedded diarizer), or DIARIZER=none and the "
    "option diarizer 'none' (a transcript without speakers)."
)
_REFUSED = {401, 403}
_OF_ADDRESS = re.compile(r"://[^/]+/(?:api/models/)?([\w.-]+/[\w.-]+)/")


def explained(error: Exception, model: str, token: str) -> JobFailedError:
    """The failure to load `model`, as a sentence that never holds the token or an address.

    A pipeline of the hub may consist of several models, each with terms of its own: the one that
    was refused is named. The hub answers 401 for a name that it does not know, too.
    """
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    unknown = getattr(response, "headers", {}).get("X-Error-Code") == "RepoNotFound"
    if status in _REFUSED and not unknown:
        found = _OF_ADDRESS.search(str(response.url))
        return LicenceError(_refused(found[1] if found else model, status, token))
    if is_out_of_memory(error):
        return OutOfMemoryError(f"There is no memory left to load {model}. {GO_ON}")
    return ModelMissingError(_missing(error, model, status))


def not_installed(package: str) -> str:
    """A Python without pyannote: the sentence that says which one has it."""
    return (
        f"DIARIZER=pyannote needs packages that this Python has not ({package}). `make "
        "setup-worker` makes .venv-worker with all of them: set LOCAL_WORKER_PYTHON to its "
        f"bin/python. {GO_ON}"
    )


def _refused(model: str, status: int, token: str) -> str:
    why = "HUGGINGFACE_TOKEN is not set."
    if token:
        why = "The account of HUGGINGFACE_TOKEN has not accepted its terms, or the token is wrong."
    if token and not token.startswith("hf_"):
        why = "HUGGINGFACE_TOKEN is no token of the hub: those begin with hf_."
    return (
        f"The hub does not give {model} (HTTP {status}). {why} "
        f"Accept the terms on https://hf.co/{model} and set HUGGINGFACE_TOKEN to a token of the "
        f"same account (https://hf.co/settings/tokens). {GO_ON}"
    )


def _missing(error: Exception, model: str, status: int | None) -> str:
    answer = f"the hub answered HTTP {status}" if status else without_addresses(error)
    return (
        f"DIARIZATION_MODEL={model} could not be loaded: it is no complete folder with a "
        f"config.yaml, here or in MODELS_FOLDER, nor to be had from the hub ({answer}). "
        f"Put the model's folder there, or see to it that https://hf.co/{model} can be reached. "
        f"{GO_ON}"
    )
