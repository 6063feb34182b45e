"""What an engine says of itself while it runs: `engines/<id>.json` in the bucket.

An engine is a process of its own, perhaps on another machine, and lives as long as its batch. What
it leaves behind when it is killed is old soon, and counts no more.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from resources.storage.base import Storage, StoredObject

from .engine import JobEngine

ENGINES: Final = "engines/"
EVERY_SECONDS: Final = 60.0
_FRESH: Final = timedelta(minutes=3)  # two may fail
_FORGOTTEN: Final = timedelta(days=1)


class EngineReport(BaseModel):
    """The state of one engine.

    waiting: jobs that wait for a backend or a worker. active: jobs that a worker is processing, by
    backend. circuit_open_seconds: how long each backend has been cut off; 0: it is in use.
    """

    model_config = ConfigDict(frozen=True)

    at: datetime
    waiting: int = 0
    active: dict[str, int] = Field(default_factory=dict)
    circuit_open_seconds: dict[str, float] = Field(default_factory=dict)


def report_of(engine: JobEngine, now: datetime) -> EngineReport:
    """The state of an engine at this moment."""
    return EngineReport(
        at=now,
        waiting=engine.fleet.waiting.count,
        active=dict(Counter(engine.follower.active.values())),
        circuit_open_seconds=engine.fleet.circuit_open_seconds(),
    )


def write_report(storage: Storage, name: str, report: EngineReport) -> None:
    """Replace this engine's report. name: identifies the engine; as long as it lives.

    Raises:
        StorageError: the bucket cannot be written.
    """
    storage.write(f"{ENGINES}{name}.json", report.model_dump_json().encode())


def remove_report(storage: Storage, name: str, now: datetime) -> None:
    """The engine ends; also removes what engines that were killed a day ago left behind.

    Raises:
        StorageError: the bucket cannot be written.
    """
    storage.delete(f"{ENGINES}{name}.json")
    for found in list(storage.list(ENGINES)):
        if isinstance(found, StoredObject) and now - found.modified > _FORGOTTEN:
            storage.delete(found.key)


def fresh_reports(storage: Storage, now: datetime) -> Iterator[EngineReport]:
    """The reports of all engines that live.

    Raises:
        StorageError: the bucket cannot be read.
    """
    for found in storage.list(ENGINES):
        data = storage.read(found.key) if isinstance(found, StoredObject) else None
        if data is None:
            continue
        try:
            report = EngineReport.model_validate_json(data)
        except ValidationError:  # of another version
            continue
        if now - report.at < _FRESH:
            yield report
