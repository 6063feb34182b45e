"""The worker's settings: the one place on this side that reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEMO_MODEL = "demo"
COMMUNITY_1 = "pyannote/speaker-diarization-community-1"


@dataclass(frozen=True)
class WorkerSettings:
    """What the machine offers; what to do comes with each request.

    models: folder that holds unpacked models by name (MODELS_FOLDER).
    model: the model to load at start, before any claim (MODEL).
    diarizer: loaded at start too (DIARIZER: light, pyannote or none).
    diarization_model: of pyannote: a folder or a hub name (DIARIZATION_MODEL).
    huggingface_token: for models that the hub gives only to who accepted their terms; not
        needed where they lie in a folder or are baked in (HUGGINGFACE_TOKEN).
    device: auto, cuda or cpu; auto takes the card where there is one (DEVICE).
    compute_type: of the speech model; auto is float16 on a card, int8 elsewhere (COMPUTE_TYPE).
    threads: CPU threads for the model; 0 chooses by its size (CPU_THREADS).
    batch_windows: windows decoded at once; 0 chooses by free memory on a card, and 8 on a CPU,
        the sweet spot of two cores (BATCH_WINDOWS).
    retire_after_jobs: then the process begins anew, since memory on a card is not always given
        back (faster-whisper#660); 0 never (RETIRE_AFTER_JOBS).
    visible_cards: which cards this process may use (CUDA_VISIBLE_DEVICES); None: all.
    spot_notices: whose notices of interruption to watch for (SPOT_NOTICES: none, aws or gcp).
    fetched: folder of models that were fetched from the hub, to which others are fetched
        (FETCHED_MODELS); None: the cache of huggingface_hub.
    """

    models: Path
    model: str = DEMO_MODEL
    diarizer: str = "light"
    diarization_model: str = COMMUNITY_1
    huggingface_token: str = field(default="", repr=False)
    device: str = "auto"
    compute_type: str = "auto"
    threads: int = 0
    batch_windows: int = 0
    retire_after_jobs: int = 200
    visible_cards: str | None = None
    spot_notices: str = "none"
    fetched: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "WorkerSettings":
        """Read once, when the worker starts.

        Raises:
            ValueError: names the variable that is wrong.
        """
        words = {
            "model": "MODEL",
            "diarization_model": "DIARIZATION_MODEL",
            "huggingface_token": "HUGGINGFACE_TOKEN",
            "compute_type": "COMPUTE_TYPE",
        }
        chosen = {
            "diarizer": ("DIARIZER", {"light", "pyannote", "none"}),
            "device": ("DEVICE", {"auto", "cuda", "cpu"}),
            "spot_notices": ("SPOT_NOTICES", {"none", "aws", "gcp"}),
        }
        numbers = {
            "threads": "CPU_THREADS",
            "batch_windows": "BATCH_WINDOWS",
            "retire_after_jobs": "RETIRE_AFTER_JOBS",
        }
        given = {name: environment[key] for name, key in words.items() if environment.get(key)}
        given |= {
            name: _one_of(key, environment[key], allowed)
            for name, (key, allowed) in chosen.items()
            if environment.get(key)
        }
        counts = {
            name: _count(key, environment[key])
            for name, key in numbers.items()
            if environment.get(key)
        }
        if environment.get("FETCHED_MODELS"):
            given["fetched"] = Path(environment["FETCHED_MODELS"])  # type: ignore[assignment]
        given["visible_cards"] = environment.get("CUDA_VISIBLE_DEVICES")
        return cls(Path(environment.get("MODELS_FOLDER", "models")), **given, **counts)  # type: ignore[arg-type]


def _one_of(name: str, value: str, allowed: set[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{name}={value}: must be one of {', '.join(sorted(allowed))}")
    return value


def _count(name: str, value: str) -> int:
    if not value.isdecimal():
        raise ValueError(f"{name}={value}: must be a whole number, 0 or more")
    return int(value)
