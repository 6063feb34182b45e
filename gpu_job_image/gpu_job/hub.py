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
from pathlib import Path
from typing import Any

from .hub_files import TornError, fetch_file
from .hub_offer import NEEDED, HubError, Offer, offer_of, repository_of, why

ORIGIN = "fetched.json"  # in the folder: of which repository it is, and which commit
_SPARE_BYTES = 200_000_000  # left free on the disk, for what else is written there
_SAID_EVERY_BYTES = 1 << 20

Told = Callable[[dict[str, Any]], None]


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
