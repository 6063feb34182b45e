"""The worker's settings: only this module reads the environment."""

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .errors import hide_in_errors

DEMO_MODEL = "demo"
NO_MODEL = "none"  # a worker that finds speakers and never transcribes
COMMUNITY_1 = "pyannote/speaker-diarization-community-1"
_TEXTS = {
    "model": "MODEL",
    "diarization_model": "DIARIZATION_MODEL",
    "huggingface_token": "HUGGINGFACE_TOKEN",
    "compute_type": "COMPUTE_TYPE",
    "spot_metadata_url": "SPOT_METADATA_URL",
    "api_url": "OPENAI_BASE_URL",
    "api_key": "OPENAI_API_KEY",
    "api_model": "OPENAI_MODEL",
    "align_model": "OPENAI_ALIGN_MODEL",
    "pyannote_ai_key": "PYANNOTE_AI_API_KEY",
    "pyannote_ai_url": "PYANNOTE_AI_URL",
    "pyannote_ai_model": "PYANNOTE_AI_MODEL",
}
_CHOICES = {
    "diarizer": ("DIARIZER", {"light", "pyannote", "none"}),
    "device": ("DEVICE", {"auto", "cuda", "cpu"}),
    "spot_notices": ("SPOT_NOTICES", {"none", "aws", "gcp"}),
    "engine": ("ENGINE", {"whisper", "openai", "pyannote_ai"}),
    "api_own": ("OPENAI_IS_OWN_SERVER", {"auto", "yes", "no"}),
    "api_times": ("OPENAI_TIMES", {"auto", "word", "segment", "none"}),
    "pyannote_ai_upload": ("PYANNOTE_AI_UPLOAD", {"true", "false"}),
}
_FOLDERS = {
    "fetched": "FETCHED_MODELS",
    "model_cache": "MODEL_CACHE",
    "voices": "VOICES_FOLDER",
}
_COUNTS = {
    "threads": "CPU_THREADS",
    "batch_windows": "BATCH_WINDOWS",
    "retire_after_jobs": "RETIRE_AFTER_JOBS",
    "api_max_bytes": "OPENAI_MAX_BYTES",
    "api_max_seconds": "OPENAI_MAX_SECONDS",
}
_POLL = "PYANNOTE_AI_POLL_SECONDS"
_KEYS = (
    *_TEXTS.values(),
    *(key for key, _ in _CHOICES.values()),
    *_FOLDERS.values(),
    *_COUNTS.values(),
    *("MODELS_FOLDER", _POLL),
)
_SECRETS = ("HUGGINGFACE_TOKEN", "OPENAI_API_KEY", "PYANNOTE_AI_API_KEY")
_MOST_SHOWN = 15  # characters of a wrong value


@dataclass(frozen=True)
class WorkerSettings:
    """Settings of the machine; each request says what to do.

    models: folder of unpacked models by name (MODELS_FOLDER).
    model: the speech model, loaded at start before any lease is taken; none: this worker only finds
        speakers (MODEL).
    diarizer: also loaded at start (DIARIZER: light, pyannote or none).
    diarization_model: for pyannote: a folder or a hub name (DIARIZATION_MODEL).
    huggingface_token: for models with terms to accept; not needed if they are in a folder or in
        the image (HUGGINGFACE_TOKEN).
    device: auto, cuda or cpu; auto uses a GPU if there is one (DEVICE).
    compute_type: of the speech model; auto is float16 on a GPU, int8 elsewhere (COMPUTE_TYPE).
    threads: CPU threads of the model; 0 chooses by its size (CPU_THREADS).
    batch_windows: windows decoded concurrently; 0 chooses by free memory on a GPU, and 8 on a CPU,
        the sweet spot of two cores (BATCH_WINDOWS).
    retire_after_jobs: jobs after which the process restarts, since GPU memory is not always
        released (faster-whisper#660); 0: never (RETIRE_AFTER_JOBS).
    visible_cards: GPUs that this process may use (CUDA_VISIBLE_DEVICES); None: all.
    spot_notices: the cloud to watch for interruption notices (SPOT_NOTICES: none, aws or gcp).
    spot_metadata_url: of its metadata service; empty: the cloud's own address (SPOT_METADATA_URL).
    fetched: folder of models downloaded from the hub (FETCHED_MODELS); None: the cache of
        huggingface_hub.
    model_cache: folder in which the provider puts models, as the hub's cache is laid out
        (MODEL_CACHE); None: none.
    voices: folder of the light diarizer's networks (VOICES_FOLDER); None: `voices` in `models`.
    engine: what does the work: a loaded Whisper, an API that writes the words, or pyannoteAI's
        service for the speakers (ENGINE: whisper, openai or pyannote_ai).
    api_url, api_key, api_model: of that API (OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_MODEL).
    api_own: whether it is a server of one's own: auto, yes or no (OPENAI_IS_OWN_SERVER).
    api_times: what times it gives: auto, word, segment or none (OPENAI_TIMES).
    api_max_bytes, api_max_seconds: of one request; 0: as known of that API (OPENAI_MAX_BYTES,
        OPENAI_MAX_SECONDS).
    align_model: a Whisper that times words where the API does not; empty: times are estimated
        (OPENAI_ALIGN_MODEL).
    pyannote_ai_key, pyannote_ai_url, pyannote_ai_model: of that service (PYANNOTE_AI_API_KEY,
        PYANNOTE_AI_URL, PYANNOTE_AI_MODEL).
    pyannote_ai_upload: true: the audio is uploaded there, instead of its address
        (PYANNOTE_AI_UPLOAD).
    pyannote_ai_poll_seconds: between two looks at a job there (PYANNOTE_AI_POLL_SECONDS).
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
    spot_metadata_url: str = ""
    fetched: Path | None = None
    model_cache: Path | None = None
    voices: Path | None = None
    engine: str = "whisper"
    api_url: str = ""
    api_key: str = field(default="", repr=False)
    api_model: str = ""
    api_own: str = "auto"
    api_times: Literal["auto", "word", "segment", "none"] = "auto"
    api_max_bytes: int = 0
    api_max_seconds: int = 0
    align_model: str = ""
    pyannote_ai_key: str = field(default="", repr=False)
    pyannote_ai_url: str = ""
    pyannote_ai_model: str = "precision-2"
    pyannote_ai_upload: str = "false"
    pyannote_ai_poll_seconds: float = 10.0

    @property
    def voices_folder(self) -> Path:
        """The folder of the light diarizer's networks; it may be missing."""
        return self.voices or self.models / "voices"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "WorkerSettings":
        """Read the environment once, when the worker starts.

        Raises:
            ValueError: a variable is invalid; the message names it.
        """
        for key in _KEYS:
            _check_plain(key, environment.get(key, ""))
        given = {name: environment[key] for name, key in _TEXTS.items() if environment.get(key)}
        given |= {
            name: _one_of(key, environment[key], allowed)
            for name, (key, allowed) in _CHOICES.items()
            if environment.get(key)
        }
        counts = {
            name: _count(key, environment[key])
            for name, key in _COUNTS.items()
            if environment.get(key)
        }
        folders = {
            name: Path(environment[key]) for name, key in _FOLDERS.items() if environment.get(key)
        }
        if environment.get(_POLL):
            given["pyannote_ai_poll_seconds"] = _seconds(_POLL, environment[_POLL])  # type: ignore[assignment]
        hide_in_errors(*(environment.get(key, "") for key in _SECRETS))
        given["visible_cards"] = environment.get("CUDA_VISIBLE_DEVICES")
        return cls(Path(environment.get("MODELS_FOLDER", "models")), **given, **counts, **folders)  # type: ignore[arg-type]


def _check_plain(name: str, value: str) -> None:
    """Refuse a value that would make two headers, or is no text; the message does not show it."""
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in value):
        raise ValueError(
            f"{name}: its value has a line break or another character that no setting has"
        )


def _one_of(name: str, value: str, allowed: set[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{name}{_shown(value)}: must be one of {', '.join(sorted(allowed))}")
    return value


def _count(name: str, value: str) -> int:
    if not (value.isdecimal() and len(value) <= _MOST_SHOWN):
        raise ValueError(f"{name}{_shown(value)}: must be a whole number, 0 or more")
    return int(value)


def _seconds(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{name}{_shown(value)}: must be a number of seconds") from None


def _shown(value: str) -> str:
    """The value after '=' if it is short: a long one may be a key in the wrong variable."""
    return f"={value}" if len(value) <= _MOST_SHOWN else ""
