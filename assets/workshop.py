"""What all recordings of a run share, and the desk at which one recording is worked on."""

import asyncio
import json
import os
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pipelines.billing.policy import Permission
from pipelines.billing.prices import PriceBook
from pipelines.price_book import open_price_book
from pipelines.recordings import Recording
from pipelines.settings import Settings
from resources.failures import RecordingError
from resources.gpu.engine import JobEngine
from resources.gpu.opening import open_engine
from resources.ledger_writer import LedgerWriter
from resources.storage import open_storage
from resources.storage.base import Storage
from resources.vad import SileroDetector

from .options import RecordingOptions, options_of
from .progress import Progress
from .records import Facts, StageRecord, read_record, record_key
from .tenants import tenant_permission

AnyFacts = TypeVar("AnyFacts", bound=Facts)
_LOG_LINES = 1_000  # of a recording's own log that are kept


@dataclass
class Workshop:
    """Tools of one run. Made by `open_workshop` inside the run's event loop."""

    settings: Settings
    storage: Storage
    engine: JobEngine
    ledger: LedgerWriter
    prices: PriceBook
    progress: Progress
    retry: bool = False
    forced: frozenset[str] = frozenset()  # stages that are done again though they stand
    run_id: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def scratch(self) -> Path:
        """Where drafts and downloads lie."""
        return self.storage.scratch()

    @cached_property
    def detector(self) -> SileroDetector:
        """Finds speech; one for all recordings of the run."""
        return SileroDetector()

    @cached_property
    def hands(self) -> asyncio.Semaphore:
        """Room for work on a finished job: the words of a whole day are large in memory.

        Apart from `cpu`, or what is done would wait behind all that is yet to be decoded.
        """
        return asyncio.Semaphore(self.settings.cpu_slots or os.cpu_count() or 1)

    @cached_property
    def cpu(self) -> asyncio.Semaphore:
        """Room for work that fills a core."""
        return asyncio.Semaphore(self.settings.cpu_slots or os.cpu_count() or 1)


def open_workshop(
    settings: Settings,
    progress: Progress,
    *,
    retry: bool = False,
    forced: Iterable[str] = (),
    run_id: str = "",
) -> Workshop:
    """The tools; nothing is started and nothing is asked of anybody yet."""
    storage = open_storage(settings)
    prices, ledger = open_price_book(settings), LedgerWriter(storage)
    engine = open_engine(settings, storage, ledger, prices)
    return Workshop(
        settings, storage, engine, ledger, prices, progress, retry, frozenset(forced), run_id
    )


@dataclass
class Desk:
    """One recording in one run."""

    recording: Recording
    workshop: Workshop
    lines: list[str] = field(default_factory=list)
    _records: dict[str, StageRecord | None] = field(default_factory=dict)
    _source: ExitStack = field(default_factory=ExitStack)
    _source_path: Path | None = None

    @cached_property
    def options(self) -> RecordingOptions:
        """The settings, the tenant's wishes and the recording's own, the last one wins."""
        return options_of(self.recording, self.workshop.settings, self.workshop.storage)

    @cached_property
    def permission(self) -> Permission:
        """Where the tenant's audio may go, and for how much."""
        return tenant_permission(self.workshop.settings.tenants_file, self.recording.tenant)

    def source(self) -> Path:
        """The user's file, to read; fetched once for all stages that need it."""
        if self._source_path is None:
            copy = self.workshop.storage.local_copy(self.recording.inbox_key, self.workshop.scratch)
            self._source_path = self._source.enter_context(copy)
        return self._source_path

    def release_source(self) -> None:
        """No stage needs the user's file any more."""
        self._source.close()
        self._source_path = None

    def record(self, stage: str) -> StageRecord | None:
        """What a stage left behind, in this run or an earlier one."""
        if stage not in self._records:
            self._records[stage] = read_record(self.workshop.storage, self.recording, stage)
        return self._records[stage]

    def put_away(self) -> None:
        """Forget what was read; it is read again when somebody asks for it."""
        self._records.clear()

    def facts(self, stage: str, kind: type[AnyFacts]) -> AnyFacts:
        """The facts of an earlier stage.

        Raises:
            RecordingError: that stage was never done.
        """
        record = self.record(stage)
        if record is None:
            raise RecordingError(
                "upstream_missing",
                f"{stage} has not been made for this recording.",
                f"Materialize {stage} too.",
                permanent=False,
            )
        return kind.model_validate(record.facts)

    def stands(self, stage: str, fingerprint: str) -> bool:
        """Whether the stage's output was made of just this, and is still there, unchanged."""
        record = self.record(stage)
        if stage in self.workshop.forced:
            return False
        if record is None or record.fingerprint != fingerprint:
            return False
        seen = ((self.workshop.storage.head(key), etag) for key, etag in record.outputs.items())
        return all(found is not None and found.etag == etag for found, etag in seen)

    def save(
        self, stage: str, fingerprint: str, facts: Facts, outputs: dict[str, str], seconds: float
    ) -> None:
        """Write the record, which makes the stage stand; its outputs are written before."""
        record = StageRecord(
            stage=stage,
            fingerprint=fingerprint,
            outputs=outputs,
            facts=facts.model_dump(mode="json"),
            made_at=datetime.now(UTC),
            seconds=round(seconds, 4),
        )
        body = record.model_dump_json().encode()
        self.workshop.storage.write(record_key(self.recording, stage), body)
        self._records[stage] = record

    def log(self, event: str, **numbers: object) -> None:
        """A line for the recording's own log, kept until `write_log`."""
        line = {"at": datetime.now(UTC).isoformat(), "event": event, **numbers}
        self.lines.append(json.dumps(line, ensure_ascii=False, default=str))

    def write_log(self) -> None:
        """Add the lines to `log.jsonl`."""
        key = self.recording.work_key("log.jsonl")
        before = (self.workshop.storage.read(key) or b"").decode(errors="replace").splitlines()
        lines = [*before, *self.lines][-_LOG_LINES:]
        self.workshop.storage.write(key, ("\n".join(lines) + "\n").encode())
