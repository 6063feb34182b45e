"""Checks every disk that Escriba writes to: free space, free inodes, and permission."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from escriba.settings import Settings

from .finding import Finding

_GB: Final = 1e9
_FULL_GB: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder that is written to. setting: the one that moves it. needs: why, and GB to work."""

    setting: str
    folder: Path
    wanted_gb: float
    advice: str


def disks(settings: Settings) -> Iterator[Finding]:
    """One finding for each disk, and one for each folder that cannot be written to."""
    found: dict[int, list[_Place]] = {}
    for place in _places(settings):
        existing = _existing(place.folder)
        fault = _write_fault(existing)
        if fault:
            advice = f"Give this user permission there, or set {place.setting}."
            text = f"{place.folder} ({place.setting}) cannot be written to: {fault}"
            yield Finding(what="disk", state="broken", found=text, advice=advice)
        found.setdefault(existing.stat().st_dev, []).append(place)
    for places in found.values():
        yield _space(places)


def _places(settings: Settings) -> list[_Place]:
    """In a folder as bucket, recordings are decoded there; otherwise in TMPDIR."""
    bucket = urlsplit(settings.bucket_url)
    decoded = "Free some space: recordings are decoded there."
    scratch = _Place("TMPDIR", Path(tempfile.gettempdir()), 5, decoded)
    local = bucket.scheme == "file" and not bucket.netloc
    return [
        *([_Place("STORAGE_URL", Path(url2pathname(bucket.path)), 5, decoded)] if local else []),
        scratch,
        _Place("DAGSTER_HOME", settings.dagster_home, 1, "Free some space for Dagster's records."),
        _Place(
            "COSTS_DATABASE",
            settings.costs_database.parent,
            1,
            "Free some space: the cost tables are built there.",
        ),
        _Place(
            "MODELS_FOLDER",
            settings.models_folder,
            1,
            "Free some space: models of up to 3 GB are downloaded there.",
        ),
    ]


def _existing(folder: Path) -> Path:
    """The folder, or the one above it in which it would be created."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _write_fault(folder: Path) -> str:
    """Why no file can be created there; empty if one can. Nothing stays."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"1" * 4096)
            file.flush()
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _space(places: list[_Place]) -> Finding:
    folder = _existing(places[0].folder)
    free_gb = shutil.disk_usage(folder).free / _GB
    usage = os.statvfs(folder)
    names = ", ".join(place.setting for place in places)
    found = f"{free_gb:,.0f} GB free for {names} ({folder})"
    if usage.f_files and not usage.f_favail:
        advice = "Remove files: a disk without free inodes takes no new one."
        return Finding(
            what="disk", state="broken", found=f"no free inode for {names}", advice=advice
        )
    tight = max(places, key=lambda place: place.wanted_gb)
    if free_gb >= tight.wanted_gb:
        return Finding(what="disk", state="well", found=found)
    return Finding(
        what="disk",
        state="broken" if free_gb < _FULL_GB else "odd",
        found=found,
        advice=tight.advice,
    )
