"""Error messages for models that are not available: which one, why, and what to do."""

import re

from ...common.errors import (
    JobFailedError,
    LicenceError,
    ModelMissingError,
    OutOfMemoryError,
    is_out_of_memory,
    without_addresses,
)

GO_ON = (
    "To continue without it, set DIARIZER=light (the light diarizer), or DIARIZER=none and the "
    "option diarizer 'none' (a transcript without speakers)."
)
_REFUSED = {401, 403}
_OF_ADDRESS = re.compile(r"://[^/]+/(?:api/models/)?([\w.-]+/[\w.-]+)/")


def explained(error: Exception, model: str, token: str) -> JobFailedError:
    """The failure to load `model`; its message never contains the token or an address.

    A pipeline may consist of several models with separate terms; the message names the one that
    was denied. The hub also answers 401 for unknown names.
    """
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    unknown = getattr(response, "headers", {}).get("X-Error-Code") == "RepoNotFound"
    if status in _REFUSED and not unknown:
        found = _OF_ADDRESS.search(str(response.url))
        return LicenceError(_refused(found[1] if found else model, status, token))
    if is_out_of_memory(error):
        return OutOfMemoryError(f"There is not enough memory to load {model}. {GO_ON}")
    return ModelMissingError(_missing(error, model, status))


def not_installed(package: str) -> str:
    """The message for a Python without pyannote: which one has it."""
    return (
        f"DIARIZER=pyannote needs packages that are not installed here ({package}). Run `make "
        "setup-worker`, which creates .venv-worker with all of them, and set "
        f"LOCAL_WORKER_PYTHON to its bin/python. {GO_ON}"
    )


def _refused(model: str, status: int, token: str) -> str:
    why = "HUGGINGFACE_TOKEN is not set."
    if token:
        why = "The account of HUGGINGFACE_TOKEN has not accepted its terms, or the token is wrong."
    if token and not token.startswith("hf_"):
        why = "HUGGINGFACE_TOKEN is not a token of the hub: tokens start with hf_."
    return (
        f"The hub denies access to {model} (HTTP {status}). {why} "
        f"Accept the terms on https://hf.co/{model} and set HUGGINGFACE_TOKEN to a token of the "
        f"same account (https://hf.co/settings/tokens). {GO_ON}"
    )


def _missing(error: Exception, model: str, status: int | None) -> str:
    answer = f"the hub answered HTTP {status}" if status else without_addresses(error)
    return (
        f"DIARIZATION_MODEL={model} could not be loaded: it is not a complete folder with a "
        f"config.yaml, here or in MODELS_FOLDER, and not available on the hub ({answer}). "
        f"Put the model's folder there, or make sure that https://hf.co/{model} is reachable. "
        f"{GO_ON}"
    )
