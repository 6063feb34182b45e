"""What goes between the orchestrator and a process that reads a stranger's file.

Every message is one line: a word and JSON. What comes back is checked as if the file had written
it, since it may have taken over the process: no pickles, and never more than ANSWER_BYTES.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from escriba.audio import audio_errors, header_errors, limit_errors
from escriba.audio.audio_errors import AudioRefused
from escriba.audio.audio_probe import AudioProbe
from escriba.audio.optimized_audio import Channels, OptimizedAudio
from escriba.audio.track_names import TrackRequest
from escriba.errors import EscribaError

from .media_limits import MediaLimits


class MediaProcessError(EscribaError):
    """A process that reads files failed although no file is at fault."""


class MediaBugError(EscribaError):
    """Our own code failed in such a process; the text is its traceback."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class ProbeTask(_Message):
    """Read the headers of the file."""

    kind: Literal["probe"] = "probe"


class OptimizeTask(_Message):
    """Decode the file; arguments as in `escriba.audio.optimize`."""

    kind: Literal["optimize"] = "optimize"
    channels: Channels = "mixed"
    track_number: int | None = None
    language: str = ""
    all_tracks: bool = False
    limit_bytes: int

    @property
    def track(self) -> TrackRequest | Literal["all"]:
        """Which of several tracks is wanted."""
        return "all" if self.all_tracks else TrackRequest(self.track_number, self.language)


MediaTask = ProbeTask | OptimizeTask
TASK: Final[TypeAdapter[MediaTask]] = TypeAdapter(MediaTask)


class Refused(_Message):
    """The file is refused, by the code of an AudioRefused."""

    code: str
    message: str


class Failed(_Message):
    """An error of the system, or a bug (`number` is None)."""

    number: int | None
    message: str


SPAWN: Final = "--spawn"  # the fork server's argument where it must not fork
READY: Final = b"ready\n"
PROBE: Final = TypeAdapter(AudioProbe)
OPTIMIZED: Final = TypeAdapter(OptimizedAudio)
READERS: Final[dict[str, TypeAdapter[AudioProbe] | TypeAdapter[OptimizedAudio]]] = {
    "probe": PROBE,
    "optimized": OPTIMIZED,
}
RESULTS: Final = frozenset({"probe", "optimized", "refused", "failed"})


def line(word: str, body: bytes) -> bytes:
    """One message."""
    return word.encode() + b" " + body + b"\n"


def read_result(word: str, body: bytes) -> AudioProbe | OptimizedAudio | Refused | Failed:
    """The result of a task.

    Raises:
        MediaBugError: It is not one.
    """
    try:
        if word in READERS:
            return READERS[word].validate_json(body)
        return (Refused if word == "refused" else Failed).model_validate_json(body)
    except ValidationError as error:
        message = f"a process that reads files gave an invalid answer ({word})"
        raise MediaBugError(message) from error


_MODULES = (audio_errors, header_errors, limit_errors)
_KINDS: Final[dict[str, type[AudioRefused]]] = {
    kind.code: kind
    for module in _MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, AudioRefused) and "code" in vars(kind)
}


def refusal_of(refused: Refused) -> AudioRefused:
    """The refusal with that code; one that is not known is of the base class."""
    return _KINDS.get(refused.code, AudioRefused)(refused.message)


def read_request(request: bytes) -> tuple[Path, MediaLimits]:
    """The folder and the limits that a process gets."""
    told = json.loads(request)
    return Path(told["folder"]), MediaLimits(**told["limits"])


def request_for(folder: Path, limits: MediaLimits) -> bytes:
    """What `read_request` reads."""
    return json.dumps({"folder": str(folder), "limits": asdict(limits)}).encode()
