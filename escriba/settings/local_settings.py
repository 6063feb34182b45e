from pathlib import Path
from typing import Literal

from pydantic import Field

from .base import SettingsGroup


class LocalSettings(SettingsGroup):
    """What this machine computes: the local backend's workers, and the decoding of audio."""

    local_workers: int = Field(
        1, ge=1, description="Worker processes on this machine; each one loads the model."
    )
    local_cpu_threads: int = Field(
        0, ge=0, description="CPU threads of each local worker; 0: chosen by the model's size."
    )
    device: Literal["auto", "cuda", "cpu"] = Field(
        "auto",
        description="Device of the local workers: cuda or cpu. `auto`: the GPU, if there is one.",
    )
    local_worker_python: Path | None = Field(
        None,
        description="Python interpreter with the worker's own packages, for DIARIZER=pyannote.",
    )
    cpu_slots: int = Field(
        0, ge=0, description="Recordings decoded concurrently; 0: one for each CPU core."
    )
