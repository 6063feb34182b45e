"""`python -m gpu_job.common.hub_download NAME --into FOLDER`: download a model from the hub.

The download may be killed at any moment: files grow in `NAME.part/` and resume there the next time
(huggingface_hub 2 restarts from zero). Every checksum is compared with the hub's, and the folder
is renamed last. Events are written as JSON lines to standard output; the reader may go away.
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
from .hub_offer import NEEDED, HubError, HubOffer, offer_of, repository_of, why

ORIGIN = "fetched.json"  # in the model's folder: its repository and commit
_SPARE_BYTES = 200_000_000  # kept free on the disk for other files
_REPORT_EVERY_BYTES = 1 << 20

Report = Callable[[dict[str, Any]], None]


def main() -> int:
    """Entry point. Exit status: 0 the model is here (with --look: is available), 1 it is not."""
    given = _arguments()
    if given.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _run(given, os.environ.get("HUGGINGFACE_TOKEN") or None)
    except HubError as error:
        _print_event({"event": "failed", "message": str(error)})
        return 1
    except BrokenPipeError:  # the reader is gone: keep what was downloaded
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  # till the end
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m gpu_job.common.hub_download", description=__doc__
    )
    parser.add_argument("name", help="a short name such as small, or owner/name")
    parser.add_argument("--into", type=Path, required=True, help="folder of downloaded models")
    parser.add_argument(
        "--look", action="store_true", help="show what would be downloaded, and download nothing"
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="exit when standard input closes"
    )
    return parser.parse_args()


def _run(given: argparse.Namespace, token: str | None) -> None:
    folder = find(given.name, given.into)
    if folder is None and given.look:
        _print_event(_offer_event(offer_of(given.name, token), 0))
        return
    folder = folder or fetch(given.name, given.into, token, _print_event)
    _print_event({"event": "whole", "folder": str(folder)})


def find(name: str, folder: Path) -> Path | None:
    """The folder of a model that is here: downloaded before, or in huggingface_hub's cache."""
    own = folder / name
    if (own / ORIGIN).is_file():
        return own
    cached = _cached(name)
    return cached if cached is not None and _is_whole(cached) else None


def fetch(name: str, folder: Path, token: str | None, report: Report) -> Path:
    """Download into `folder/name`, resuming a killed download. A lock admits one process at a time.

    Raises:
        HubError: the hub, the network or the disk prevents it.
    """
    from filelock import FileLock  # noqa: PLC0415

    target, draft = folder / name, folder / f"{name}.part"
    try:
        draft.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{name}.lock"):
            if (target / ORIGIN).is_file():
                return target
            draft.mkdir(exist_ok=True)
            _fill(draft, name, token, report)
            shutil.rmtree(target, ignore_errors=True)
            draft.rename(target)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise HubError(f"{folder} is not writable ({error.strerror})") from error
    return target


def _fill(draft: Path, name: str, token: str | None, report: Report) -> None:
    offer = offer_of(name, token)
    _remove_other_commits(draft, offer)
    before = sum(file.have_bytes(draft) for file in offer.files)
    report(_offer_event(offer, before))
    _check_disk_space(draft, offer.size_bytes - before)
    done = reported = before

    def on_growth(size_bytes: int) -> None:
        nonlocal done, reported
        done += size_bytes
        if abs(done - reported) >= _REPORT_EVERY_BYTES or done == offer.size_bytes:
            reported = done
            report({"event": "progress", "done_bytes": done, "bytes": offer.size_bytes})

    for file in offer.files:
        try:
            fetch_file(file, draft, token, on_growth)
        except TornError as error:
            raise HubError(str(error)) from error
        except Exception as error:
            if isinstance(error, OSError):
                raise
            raise HubError(why(offer.repository, token, error)) from error
    origin = {"repository": offer.repository, "commit": offer.commit}
    (draft / ORIGIN).write_text(json.dumps(origin) + "\n")


def _remove_other_commits(draft: Path, offer: HubOffer) -> None:
    """Delete partial files of another commit."""
    mark = draft / ".commit"
    if mark.is_file() and mark.read_text() != offer.commit:
        for path in draft.iterdir():
            path.unlink()
    mark.write_text(offer.commit)


def _check_disk_space(draft: Path, missing_bytes: int) -> None:
    free = shutil.disk_usage(draft).free
    if free < missing_bytes + _SPARE_BYTES:
        raise HubError(
            f"the model needs {missing_bytes / 1e6:,.0f} MB more, and {draft.parent} has "
            f"{free / 1e6:,.0f} MB free: free up space, or set MODELS_FOLDER to another disk"
        )


def origin_of(folder: Path) -> str:
    """`owner/name@commit` of a folder that came from the hub; empty if unknown."""
    with suppress(OSError, ValueError, KeyError):
        origin = json.loads((folder / ORIGIN).read_text())
        return f"{origin['repository']}@{origin['commit']}"
    with suppress(OSError, ValueError, KeyError):  # in an image (bake_models.py)
        baked = json.loads((folder.parent / "baked.json").read_text())
        return f"{folder.name}@{baked[folder.name]}"
    if folder.parent.name == "snapshots":  # models--owner--name/snapshots/commit
        repository = folder.parent.parent.name.removeprefix("models--").replace("--", "/", 1)
        return f"{repository}@{folder.name}"
    return ""


def _end_with_parent() -> None:
    """Exit with the parent, so that a killed parent leaves no process that holds the lock."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _offer_event(offer: HubOffer, have_bytes: int) -> dict[str, Any]:
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
    except Exception:  # noqa: BLE001  # for whatever reason, the model is not there
        return None


def _is_whole(snapshot: Path) -> bool:
    """Whether no file is missing: a killed download leaves some files, and incomplete ones."""
    blobs = snapshot.parent.parent / "blobs"
    half = any(blobs.glob("*.incomplete")) if blobs.is_dir() else False
    return not half and all((snapshot / needed).is_file() for needed in NEEDED)


def _print_event(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
