"""Names that look like settings and are none: nobody reads a misspelt one, and nobody says so."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

# what a worker of this machine reads of the environment (gpu_job/settings.py)
OF_WORKERS = {
    "BATCH_WINDOWS",
    "COMPUTE_TYPE",
    "CPU_THREADS",
    "FETCHED_MODELS",
    "RETIRE_AFTER_JOBS",
    "SPOT_NOTICES",
}
# whole families of other programs: only what differs by a letter or two, and only in .env
_FOREIGN = ("AWS_", "AZURE_", "DAGSTER_", "GCP_", "GCS_", "GOOGLE_", "HF_", "HUGGINGFACE_", "S3_")
_FOREIGN_NAMES = {"LANGUAGE", "MODE", "DEVICES"}  # of gettext, shells and build tools
# what people call settings that have another name; in .env alone, since shells use these too
_MEANT = {"PROMPT": "INITIAL_PROMPT", "LANGUAGE": "DEFAULT_LANGUAGE", "TASK": "TRANSLATE"}
_SHORT, _LONG = 5, 8  # letters from which on one, and two, may be wrong
_ALIKE, _BEGINS_SO = 0.8, 0.5  # of difflib's ratio: in .env, and of names that begin as ours do


@dataclass(frozen=True)
class Stranger:
    """A name that nobody reads, and the setting that may be meant."""

    name: str
    meant: str


def strangers(names: Iterable[str], known: set[str], *, in_env_file: bool) -> list[Stranger]:
    """Those of the names that were probably meant for us.

    A file .env is mostly ours, so that a mere likeness is enough there; of the environment, which
    every program shares, a name must be a letter or two away, or begin as no one's but ours do.
    """
    upper = {name.upper() for name in names}
    found = (_stranger(name, known | OF_WORKERS, in_env_file) for name in sorted(upper - known))
    return [one for one in found if one is not None]


def _stranger(name: str, known: set[str], in_env_file: bool) -> Stranger | None:  # noqa: FBT001
    if name in known or (name in _FOREIGN_NAMES and not in_env_file):
        return None
    if in_env_file and name in _MEANT:
        return Stranger(name, _MEANT[name])
    is_foreign = name.startswith(_FOREIGN)
    near = min(known, key=lambda one: (distance(name, one), one))
    if _is_near(name, near) and (in_env_file or not is_foreign):
        return Stranger(name, near)
    if is_foreign:
        return None
    begins_so = name.startswith(_own_beginnings(known))
    alike = get_close_matches(name, sorted(known), n=1, cutoff=_BEGINS_SO if begins_so else _ALIKE)
    return Stranger(name, alike[0]) if alike and (begins_so or in_env_file) else None


def _is_near(name: str, other: str) -> bool:
    if len(name) < _SHORT:
        return False
    return distance(name, other) <= (2 if min(len(name), len(other)) >= _LONG else 1)


def _own_beginnings(known: Iterable[str]) -> tuple[str, ...]:
    """The first two words of settings that have three: DAILY_COST_, RUNPOD_WORKERS_."""
    words = (name.split("_") for name in known if not name.startswith(_FOREIGN))
    return ("ESCRIBA_", *{f"{one[0]}_{one[1]}_" for one in words if len(one) > 2})  # noqa: PLR2004


def distance(one: str, other: str) -> int:
    """Letters that are wrong, missing, too many, or that changed places with their neighbour.

    The optimal string alignment distance (Damerau 1964; Boytsov 2011 has this form).
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
