"""The speech models that can be had by name, and a word for those who mistype one."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

AUTO = "auto"
DEMO_MODEL = "demo"  # a toy of some 200 words, embedded: for `escriba demo` and tests
TOY_NOTICE = (
    "Made by the toy model of the demo, which knows some 200 words: most of this was never said."
)
ON_CUDA, ON_CPU = "large-v3-turbo", "small"  # what 'auto' is where it runs

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
    """What a name stands for. One of the two is set, or neither for the embedded demo."""

    name: str
    repository: str = ""
    folder: Path | None = None


def model_named(name: str) -> ModelName:
    """What MODEL names: the demo, a folder that is here, or a repository of the hub.

    Raises:
        ValueError: it is none of them; with what is close.
    """
    if name == DEMO_MODEL:
        return ModelName(name)
    folder = Path(name).expanduser()
    if name and (folder / "model.bin").is_file():
        return ModelName(name, folder=folder)
    if name in REPOSITORIES:
        return ModelName(name, REPOSITORIES[name])
    if _is_path(name) and folder.is_dir():
        raise ValueError(f"{name!r} is a folder without a model.bin: name one that has it")
    if _is_path(name):
        raise ValueError(f"{name!r} is no folder on this machine: correct it, or name a model")
    if _REPOSITORY.fullmatch(name):
        return ModelName(name, name)
    close = get_close_matches(name.strip().lower(), [*REPOSITORIES, AUTO], n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else ""
    raise ValueError(
        f"{name!r} is no folder here and no model of the hub that is known by a short name; "
        + (hint or f"there are {', '.join(REPOSITORIES)}, owner/name, a folder, or 'auto'.")
    )


def check_model(name: str) -> str:
    """The name itself; ValueError where it can be no model anywhere. A folder may be elsewhere."""
    if name != AUTO and not _is_path(name):
        model_named(name)
    return name


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~", "\\")) or name.count("/") > 1 or "\\" in name
