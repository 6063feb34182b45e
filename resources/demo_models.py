"""The embedded demo models, unpacked on first use, and the revisions of models."""

import hashlib
import shutil
import tarfile
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from escriba.backend_names import PYANNOTE_AI
from escriba.errors import BackendUnavailableError
from escriba.model_names import DEMO_MODEL
from escriba.settings import HOUSE

COMMUNITY_1 = "pyannote/speaker-diarization-community-1"
_EMBEDDED = HOUSE / "demo" / "models"
_ARCHIVE, _SPEAKERS, _SUMS = "whisper-demo.tar.xz", "speaker-demo.onnx", "SHA256SUMS"


def unpack_demo_models(folder: Path) -> Path:
    """A folder with `demo/` (Whisper) and the speaker embedding; unpacked once, atomically.

    Raises:
        BackendUnavailableError: a file is damaged or missing.
    """
    target = folder / _checksums()[_ARCHIVE][:16]
    try:
        if (target / _SPEAKERS).is_file():
            return target
    except PermissionError as error:
        raise BackendUnavailableError(
            f"MODELS_FOLDER: this user may not read {error.filename}. Give it permission "
            f"(`chmod -R a+rX {folder}`), or set MODELS_FOLDER."
        ) from error
    draft = _draft_in(folder)
    try:
        for name in (_ARCHIVE, _SPEAKERS):
            _verify(name)
        with tarfile.open(_EMBEDDED / _ARCHIVE) as archive:
            _extract(archive, draft)
        (draft / "whisper-demo").rename(draft / DEMO_MODEL)
        shutil.copyfile(_EMBEDDED / _SPEAKERS, draft / _SPEAKERS)
        draft.rename(target)
    except OSError as error:
        if not (target / _SPEAKERS).is_file():  # another process may have been first
            raise BackendUnavailableError(
                f"The demo models cannot be unpacked to {folder}: {error.strerror}. "
                "Set MODELS_FOLDER to a folder that you may write to."
            ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Extract our own archive, after its checksum was verified."""
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
    else:  # Python before 3.11.4
        archive.extractall(folder)  # noqa: S202


def _draft_in(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(mkdtemp(prefix=".unpacking-", dir=folder))
    except OSError as error:
        raise BackendUnavailableError(
            f"The demo models cannot be unpacked to {folder}: {error.strerror}. "
            "Set MODELS_FOLDER to a folder that you may write to."
        ) from error


@lru_cache(maxsize=8)
def model_revision(model: str, diarizer: str, diarization_model: str = "") -> str:
    """The revision of the models that determines a result: part of a job's identity.

    Embedded models count by checksum, a folder by its configuration and file sizes, a hub model by
    its name, and the light diarizer by the revision of its voices and rules, or of the toy.
    """
    demo = model == DEMO_MODEL
    speech = f"demo@{_checksums()[_ARCHIVE][:16]}" if demo else _named(model)
    speakers = speakers_revision(diarizer, diarization_model)
    return f"{speech}+{speakers}" if speakers else speech


@lru_cache(maxsize=8)
def speakers_revision(diarizer: str, diarization_model: str = "") -> str:
    """The revision of what finds the speakers; empty if nothing does.

    A service tells no revision of its model, so the name stands for it.
    """
    match diarizer:
        case "light":
            return diarization_model or _checksums()[_SPEAKERS][:16]
        case "pyannote":
            return _named(diarization_model or COMMUNITY_1)
        case _:
            return f"{PYANNOTE_AI}/{diarization_model}" if diarizer == PYANNOTE_AI else ""


def _named(model: str) -> str:
    folder = Path(model)
    return f"folder@{_folder_digest(folder)}" if folder.is_dir() else model


def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            digest.update(f"{name}:{path.stat().st_size};".encode())
            if path.suffix == ".json":
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=1)
def _checksums() -> dict[str, str]:
    try:
        lines = (_EMBEDDED / _SUMS).read_text().splitlines()
    except OSError as error:
        raise BackendUnavailableError(
            f"{_EMBEDDED / _SUMS} is missing. Check out the whole repository."
        ) from error
    return {name.strip(" *"): digest for digest, name in (line.split(None, 1) for line in lines)}


def _verify(name: str) -> None:
    with (_EMBEDDED / name).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _checksums()[name]:
        raise BackendUnavailableError(f"demo/models/{name} is damaged. Check it out again.")
