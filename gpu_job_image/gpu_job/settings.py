"""The worker's settings: the one place on this side that reads the environment."""

import os
from dataclasses import dataclass
from pathlib import Path

DEMO_MODEL = "demo"


@dataclass(frozen=True)
class WorkerSettings:
    """What the machine offers; what to do comes with each request.

    models: folder that holds unpacked models by name (MODELS_FOLDER).
    model: the model to load at start, before any claim (MODEL).
    diarizer: loaded at start too (DIARIZER: light or none).
    threads: CPU threads for the model; 0 chooses by its size (CPU_THREADS).
    batch_windows: windows decoded at once; 8 is the sweet spot of two cores (BATCH_WINDOWS).
    """

    models: Path
    model: str = DEMO_MODEL
    diarizer: str = "light"
    threads: int = 0
    batch_windows: int = 8

    @classmethod
    def from_environment(cls) -> "WorkerSettings":
        """Read once, when the worker starts."""
        return cls(
            models=Path(os.environ.get("MODELS_FOLDER", "models")),
            model=os.environ.get("MODEL", DEMO_MODEL),
            diarizer=os.environ.get("DIARIZER", "light"),
            threads=int(os.environ.get("CPU_THREADS", "0")),
            batch_windows=int(os.environ.get("BATCH_WINDOWS", "8")),
        )
