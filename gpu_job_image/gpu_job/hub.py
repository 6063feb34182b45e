"""`python -m gpu_job.hub NAME --into FOLDER`: a speech model from the hub, whole or not at all.

It may be killed at any moment: each file grows in `NAME.part/`, and goes on there the next time
(huggingface_hub 2 begins anew). Every checksum is compared with the hub's, and the folder gets its
name last. What happens is told in lines of JSON on standard output; who reads them may go away.
"""

import argparse
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .hub_files import RemoteFile, TornError, fetch_file

# by name alone faster-whisper would ask the hub for the tokenizer at each start
NEEDED = ("config.json", "model.bin", "tokenizer.json")
WANTED = (*NEEDED, "preprocessor_config.json")
ORIGIN = "fetched.json"  # in the folder: of which repository it is, and which commit
_SPARE_BYTES = 200_000_000  # left free on the disk, for what else is written there
_SAID_EVERY_BYTES = 1 << 20
_DENIED = (401, 403)

Told = Callable[[dict[str, Any]], None]


class HubError(Exception):
    """A model could not be had from the hub: why, in the middle of a sentence."""


@dataclass(frozen=True)
class Offer:
    """A model as the hub has it now."""

    repository: str
    commit: str
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)


def main() -> int:
    """Entry point. Exit status: 0 it is there (with --look: it is to be had), 1 it is not."""
    parser = argparse.ArgumentParser(prog="python -m gpu_job.hub", description=__doc__)
    parser.add_argument("name", help="such as small, or owner/name")
    parser.add_argument("--into", type=Path, required=True, help="folder of fetched models")
    parser.add_argument("--look", action="store_true", help="only say what would be fetched")
    parser.add_argument("--with-parent", action="store_true", help="end where standard input ends")
    given = parser.parse_args()
    if given.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    token = os.environ.get("HUGGINGFACE_TOKEN") or None
    try:
        found = find(given.name, given.into)
        if found is not None:
            _say({"event": "whole", "folder": str(found)})
        elif given.look:
            _say(_told(offer_of(given.name, token), 0))
        else:
            _say({"event": "whole", "folder": str(fetch(given.name, given.into, token, _say))})
    except HubError as error:
        _say({"event": "failed", "message": str(error)})
        return 1
    except BrokenPipeError:  # nobody listens any more: what is there is kept
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  # till the end
        return 1
    return 0


def find(name: str, folder: Path) -> Path | None:
    """Where a model lies already: fetched before, or in the cache of huggingface_hub."""
    own = folder / name
    if (own / ORIGIN).is_file():
        return own
    cached = _cached(name)
    return cached if cached is not None and _is_whole(cached) else None


def fetch(name: str, folder: Path, token: str | None, told: Told) -> Path:
    """Into `folder/name`; goes on where an earlier one was killed. One process does it at a time.

    Raises:
        HubError: the hub, the network or the disk stands in the way.
    """
    from filelock import FileLock  # noqa: PLC0415

    target, draft = folder / name, folder / f"{name}.part"
    try:
        draft.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{name}.lock"):
            if (target / ORIGIN).is_file():
                return target
            draft.mkdir(exist_ok=True)
            _fill(draft, name, token, told)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise HubError(f"{folder} cannot be written to ({error.strerror})") from error
    return target


def _fill(draft: Path, name: str, token: str | None, told: Told) -> None:
    offer = offer_of(name, token)
    _forget_others(draft, offer)
    before = sum(file.have_bytes(draft) for file in offer.files)
    told(_told(offer, before))
    _must_fit(draft, offer.size_bytes - before)
    done = said = before

    def grew(size_bytes: int) -> None:
        nonlocal done, said
        done += size_bytes
        if abs(done - said) >= _SAID_EVERY_BYTES or done == offer.size_bytes:
            said = done
            told({"event": "progress", "done_bytes": done, "bytes": offer.size_bytes})

    for file in offer.files:
        try:
            fetch_file(file, draft, token, grew)
        except TornError as error:
            raise HubError(str(error)) from error
        except Exception as error:
            if isinstance(error, OSError):
                raise
            raise HubError(why(offer.repository, token, error)) from error
    origin = {"repository": offer.repository, "commit": offer.commit}
    (draft / ORIGIN).write_text(json.dumps(origin) + "\n")


def _forget_others(draft: Path, offer: Offer) -> None:
    """What was begun of another commit is of no use."""
    mark = draft / ".commit"
    if mark.is_file() and mark.read_text() != offer.commit:
        for path in draft.iterdir():
            path.unlink()
    mark.write_text(offer.commit)


def _must_fit(draft: Path, missing_bytes: int) -> None:
    free = shutil.disk_usage(draft).free
    if free < missing_bytes + _SPARE_BYTES:
        raise HubError(
            f"{missing_bytes / 1e6:,.0f} MB are still to come, and {draft.parent} has "
            f"{free / 1e6:,.0f} MB free: make room, or set MODELS_FOLDER to another disk"
        )


def offer_of(name: str, token: str | None) -> Offer:
    """What the hub has under a name.

    Raises:
        HubError: it does not answer, or has no such model.
    """
    from huggingface_hub import HfApi, hf_hub_url  # noqa: PLC0415

    repository = repository_of(name)
    try:
        info = HfApi(token=token).model_info(repository, files_metadata=True, timeout=20)
    except Exception as error:
        raise HubError(why(repository, token, error)) from error
    commit = str(info.sha)
    files = [
        RemoteFile(
            each.rfilename,
            hf_hub_url(repository, each.rfilename, revision=commit),
            int(each.size or 0),
            sha256=each.lfs.sha256 if each.lfs else "",
            git_sha1=each.blob_id or "",
        )
        for each in info.siblings or ()
        if each.rfilename in WANTED or each.rfilename.startswith("vocabulary.")
    ]
    missing = [needed for needed in NEEDED if needed not in {file.name for file in files}]
    if missing:
        raise HubError(f"{repository} is no CTranslate2 model: it has no {missing[0]}")
    return Offer(repository, commit, tuple(sorted(files, key=lambda file: file.size_bytes)))


def repository_of(name: str) -> str:
    """Which repository a short name means.

    Raises:
        HubError: there is no such name.
    """
    from faster_whisper.utils import _MODELS  # noqa: PLC0415

    if "/" not in name and name not in _MODELS:
        raise HubError(f"{name} is no model of the hub; there are {', '.join(_MODELS)}")
    return str(_MODELS.get(name, name))


def origin_of(folder: Path) -> str:
    """`owner/name@commit` of a folder that came from the hub; empty where nobody knows."""
    with suppress(OSError, ValueError, KeyError):
        told = json.loads((folder / ORIGIN).read_text())
        return f"{told['repository']}@{told['commit']}"
    with suppress(OSError, ValueError, KeyError):  # an image's (bake.py)
        baked = json.loads((folder.parent / "baked.json").read_text())
        return f"{folder.name}@{baked[folder.name]}"
    if folder.parent.name == "snapshots":  # models--owner--name/snapshots/commit
        repository = folder.parent.parent.name.removeprefix("models--").replace("--", "/", 1)
        return f"{repository}@{folder.name}"
    return ""


def why(repository: str, token: str | None, error: Exception) -> str:
    """What stands in the way, never with the token or an address that holds one."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if type(error).__name__ == "OfflineModeIsEnabled":
        return "HF_HUB_OFFLINE is set"
    if status in _DENIED:
        what = "to this token" if token else "without a token (HUGGINGFACE_TOKEN)"
        return f"the hub has no {repository}, or does not give it {what} (HTTP {status})"
    if status is not None:
        return f"the hub answers HTTP {status} for {repository}"
    return f"the hub cannot be reached ({type(error).__name__})"


def _end_with_parent() -> None:
    """A parent that was killed keeps no process here, and no lock that the next one waits for."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _told(offer: Offer, have_bytes: int) -> dict[str, Any]:
    return {
        "event": "offer",
        "repository": offer.repository,
        "commit": offer.commit,
        "bytes": offer.size_bytes,
        "done_bytes": have_bytes,
    }


def _cached(name: str) -> Path | None:
    from huggingface_hub import snapshot_download  # noqa: PLC0415

    try:
        return Path(snapshot_download(repository_of(name), local_files_only=True))
    except Exception:  # noqa: BLE001  # whatever it is, the model is not there
        return None


def _is_whole(snapshot: Path) -> bool:
    """A download that was killed leaves a snapshot of some files, and half ones beside it."""
    blobs = snapshot.parent.parent / "blobs"
    half = any(blobs.glob("*.incomplete")) if blobs.is_dir() else False
    return not half and all((snapshot / needed).is_file() for needed in NEEDED)


def _say(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
