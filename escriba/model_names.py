"""The speech models that are available by name, and suggestions for mistyped names."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from gpu_job.contract.api_presets import API_MODELS

AUTO = "auto"
DEMO_MODEL = "demo"  # a toy of some 200 words, embedded: for `escriba demo` and tests
TOY_NOTICE = (
    "Made by the demo's toy model, which knows about 200 words: most of this text was never said."
)
ON_CUDA, ON_CPU = "large-v3-turbo", "small"  # the model of 'auto' by device

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")  # of the hub

_SYSTRAN = "Systran/faster-whisper"
_TURBO = "mobiuslabsgmbh/faster-whisper-large-v3-turbo"
# faster-whisper 1.2, faster_whisper/utils.py, _MODELS
REPOSITORIES = {
    **{f"{size}.en": f"{_SYSTRAN}-{size}.en" for size in ("tiny", "base", "small", "medium")},
    **{size: f"{_SYSTRAN}-{size}" for size in ("tiny", "base", "small", "medium")},
    **{size: f"{_SYSTRAN}-{size}" for size in ("large-v1", "large-v2", "large-v3")},
    "large": f"{_SYSTRAN}-large-v3",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
    "large-v3-turbo": _TURBO,
    "turbo": _TURBO,
}


@dataclass(frozen=True)
class ModelName:
    """The model of a name: a repository, a folder, or neither: the demo, or behind an API."""

    name: str
    repository: str = ""
    folder: Path | None = None


def model_named(name: str) -> ModelName:
    """The demo model, a model behind an API, a folder on this machine, or a repository of the hub.

    Raises:
        ValueError: the name is none of them; the text suggests similar names.
    """
    if name == DEMO_MODEL or name in API_MODELS:
        return ModelName(name)
    folder = Path(name).expanduser()
    if name and (folder / "model.bin").is_file():
        return ModelName(name, folder=folder)
    if name in REPOSITORIES:
        return ModelName(name, REPOSITORIES[name])
    if _is_path(name) and folder.is_dir():
        raise ValueError(f"{name!r} is a folder without a model.bin: use a folder that has one")
    if _is_path(name):
        raise ValueError(
            f"{name!r} is not a folder on this machine: correct the path, or use a model name"
        )
    if _REPOSITORY.fullmatch(name):
        return ModelName(name, name)
    close = get_close_matches(name.strip().lower(), [*REPOSITORIES, AUTO], n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else ""
    raise ValueError(
        f"{name!r} is neither a folder nor a known short name of a model on the hub; "
        + (hint or f"use {', '.join(REPOSITORIES)}, owner/name, a folder, or 'auto'.")
    )


def short_names_of(model: str) -> frozenset[str]:
    """The short names of a model that a server calls by its repository, such as large-v3-turbo.

    >>> sorted(short_names_of("deepdml/faster-whisper-large-v3-turbo-ct2"))
    ['large-v3-turbo', 'turbo']
    """
    bare = model.rpartition("/")[2].removesuffix("-ct2")
    bare = bare.removeprefix("faster-").removeprefix("whisper-")
    repository = REPOSITORIES.get(bare, model)
    return frozenset(name for name, found in REPOSITORIES.items() if found == repository)


def check_model(name: str) -> str:
    """The name itself; ValueError if no machine can have such a model. Paths are not checked."""
    if name != AUTO and not _is_path(name):
        model_named(name)
    return name


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~", "\\")) or name.count("/") > 1 or "\\" in name
