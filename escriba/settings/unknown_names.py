"""Finds names that look like misspelled settings, which would be ignored without a message."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

# environment variables that a local worker reads (gpu_job/common/settings.py)
WORKER_NAMES = {
    "BATCH_WINDOWS",
    "COMPUTE_TYPE",
    "CPU_THREADS",
    "FETCHED_MODELS",
    "MODEL_CACHE",
    "RETIRE_AFTER_JOBS",
    "SPOT_NOTICES",
}
# prefixes of other programs: reported only in .env, and only within a letter or two of a setting
_FOREIGN = ("AWS_", "AZURE_", "DAGSTER_", "GCP_", "GCS_", "GOOGLE_", "HF_", "HUGGINGFACE_", "S3_")
_FOREIGN_NAMES = {"LANGUAGE", "MODE", "DEVICES"}  # used by gettext, shells and build tools
# common wrong names of settings; only in .env, since shells use these names too
_COMMON_MISTAKES = {"PROMPT": "INITIAL_PROMPT", "LANGUAGE": "DEFAULT_LANGUAGE", "TASK": "TRANSLATE"}
_SHORT, _LONG = 5, 8  # lengths from which one letter, and two letters, may be wrong
# minimum of difflib's ratio: in .env, and for names with the prefix of a setting
_SIMILAR, _SIMILAR_WITH_PREFIX = 0.8, 0.5


@dataclass(frozen=True)
class UnknownName:
    """A name that is not a setting, and the setting that is probably meant."""

    name: str
    meant: str


def unknown_names(names: Iterable[str], known: set[str], *, in_env_file: bool) -> list[UnknownName]:
    """The names that are probably misspelled settings.

    Most names in .env are settings, so similarity is enough there. All programs share the
    environment, so there a name must be within a letter or two of a setting, or start like one.
    """
    upper = {name.upper() for name in names}
    found = (_unknown(name, known | WORKER_NAMES, in_env_file) for name in sorted(upper - known))
    return [unknown for unknown in found if unknown is not None]


def _unknown(name: str, known: set[str], in_env_file: bool) -> UnknownName | None:  # noqa: FBT001
    if name in known or (name in _FOREIGN_NAMES and not in_env_file):
        return None
    if in_env_file and name in _COMMON_MISTAKES:
        return UnknownName(name, _COMMON_MISTAKES[name])
    is_foreign = name.startswith(_FOREIGN)
    near = min(known, key=lambda setting: (distance(name, setting), setting))
    if _is_near(name, near) and (in_env_file or not is_foreign):
        return UnknownName(name, near)
    if is_foreign:
        return None
    has_prefix = name.startswith(_setting_prefixes(known))
    cutoff = _SIMILAR_WITH_PREFIX if has_prefix else _SIMILAR
    similar = get_close_matches(name, sorted(known), n=1, cutoff=cutoff)
    return UnknownName(name, similar[0]) if similar and (has_prefix or in_env_file) else None


def _is_near(name: str, other: str) -> bool:
    if len(name) < _SHORT:
        return False
    return distance(name, other) <= (2 if min(len(name), len(other)) >= _LONG else 1)


def _setting_prefixes(known: Iterable[str]) -> tuple[str, ...]:
    """The first two words of settings with three or more: DAILY_COST_, RUNPOD_WORKERS_."""
    words = (name.split("_") for name in known if not name.startswith(_FOREIGN))
    return ("ESCRIBA_", *{f"{parts[0]}_{parts[1]}_" for parts in words if len(parts) > 2})  # noqa: PLR2004


def distance(one: str, other: str) -> int:
    """Number of letters that are wrong, missing, extra, or swapped with their neighbor.

    This is the optimal string alignment distance (Damerau 1964, in the form of Boytsov 2011).
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, against in enumerate(other, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != against))
            swapped = i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against
            row.append(min(cost, before[j - 2] + 1) if swapped else cost)
        before, last = last, row
    return last[-1]
