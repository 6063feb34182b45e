"""The two networks of the light diarizer, loaded for onnxruntime."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...common.errors import ModelMissingError

SEGMENTATION, VOICEPRINT, SHEET = "segmentation.onnx", "voiceprint.onnx", "voices.json"


@dataclass(frozen=True)
class Networks:
    """`segmentation`: waveform → activity; `voiceprint`: mel → voice (gpu_job/diarizer_weights)."""

    segmentation: Any
    voiceprint: Any
    revision: str

    @classmethod
    def load(cls, folder: Path) -> "Networks":
        """Load both, after verifying their checksums in `voices.json`.

        One thread: the networks are small, and other cores decode meanwhile.

        Raises:
            ModelMissingError: a file is missing or damaged.
        """
        import onnxruntime  # noqa: PLC0415  # 0.1 s that a job without diarization need not pay

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        sheet, (segmentation, voiceprint) = _verified(folder)
        return cls(
            onnxruntime.InferenceSession(segmentation, options, providers=providers),
            onnxruntime.InferenceSession(voiceprint, options, providers=providers),
            sheet["revision"],
        )


def _verified(folder: Path) -> tuple[dict[str, Any], tuple[bytes, bytes]]:
    try:
        sheet = json.loads((folder / SHEET).read_text())
        bodies = (folder / SEGMENTATION).read_bytes(), (folder / VOICEPRINT).read_bytes()
        found = {
            name: hashlib.sha256(body).hexdigest()
            for name, body in zip((SEGMENTATION, VOICEPRINT), bodies, strict=True)
        }
        whole = sheet["sha256"] == found
    except (OSError, ValueError, KeyError) as error:
        raise ModelMissingError(
            f"The networks of the light diarizer in {folder} cannot be read ({error}). Delete that "
            "folder and run `make setup`."
        ) from error
    if not whole:
        raise ModelMissingError(
            f"The networks of the light diarizer in {folder} are damaged. Delete that folder and "
            "run `make setup`."
        )
    return sheet, bodies
