"""The context that all recordings of a run share, and the context of a single recording."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from escriba.billing.permissions import Permission
from escriba.billing.price_book import PriceBook
from escriba.errors import RecordingError
from escriba.known_secrets import masked
from escriba.recordings import Recording
from escriba.settings import Settings
from escriba.text_for.json_text import json_text
from intake.recording_options import RecordingOptions, options_of
from intake.stage_records import Facts, StageRecord, facts_of, read_record, record_key
from intake.tenants import tenant_permission
from resources.gpu.engine import JobEngine
from resources.gpu.open_engine import open_engine
from resources.ledger.writer import LedgerWriter
from resources.media.child_handle import Watch
from resources.media.media_pool import MediaPool, open_pool
from resources.price_book import open_price_book
from resources.storage import open_storage
from resources.storage.base import Storage, TooLargeError

from .cpu_slots import CpuSlot, CpuSlots
from .progress import Progress

AnyFacts = TypeVar("AnyFacts", bound=Facts)
_LOG_LINES = 1_000  # that a recording's own log keeps
_LOG_BYTES = 16 << 20


@dataclass
class RunContext:
    """The tools of one run; `open_run_context` makes it inside the run's event loop."""

    settings: Settings
    storage: Storage
    engine: JobEngine
    ledger: LedgerWriter
    prices: PriceBook
    progress: Progress
    retry: bool = False
    forced: frozenset[str] = frozenset()  # stages that run again although they are up to date
    run_id: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    @cached_property
    def scratch(self) -> Path:
        """The folder for temporary files and downloads."""
        return self.storage.scratch()

    @cached_property
    def media(self) -> MediaPool:
        """The processes that open and decode files; `run_batch` ends them."""
        return open_pool(self.settings, lambda: self.scratch)

    @cached_property
    def result_slots(self) -> asyncio.Semaphore:
        """Limits concurrent work on finished jobs: a day's words need much memory.

        Separate from `cpu_slots`, so that results do not wait behind files yet to be decoded.
        """
        return asyncio.Semaphore(self._places)

    @cached_property
    def cpu_slots(self) -> CpuSlots:
        """Limits concurrent CPU-bound work."""
        return CpuSlots(self._places, self.settings.media_spare_slots)

    @cached_property
    def audio_threads(self) -> ThreadPoolExecutor:
        """One for each file that has a place in `cpu_slots`; `run_batch` ends them.

        Transfers of audio take minutes on a slow link. The threads that ask for jobs and fetch
        results are others, so those never wait for a transfer.
        """
        most = self._places + self.settings.media_spare_slots
        return ThreadPoolExecutor(most, thread_name_prefix="escriba-audio")

    @property
    def _places(self) -> int:
        return self.settings.cpu_slots or os.cpu_count() or 1


def open_run_context(
    settings: Settings,
    progress: Progress,
    *,
    retry: bool = False,
    forced: Iterable[str] = (),
    run_id: str = "",
) -> RunContext:
    """The context of a run; nothing is started and no network request is made yet."""
    storage = open_storage(settings)
    prices, ledger = open_price_book(settings), LedgerWriter(storage)
    engine = open_engine(settings, storage, ledger, prices)
    return RunContext(
        settings, storage, engine, ledger, prices, progress, retry, frozenset(forced), run_id
    )


@dataclass
class RecordingContext:
    """The context of one recording in one run."""

    recording: Recording
    run_context: RunContext
    log_lines: list[str] = field(default_factory=list)
    slot: CpuSlot | None = None  # while its file is decoded
    _records: dict[str, StageRecord | None] = field(default_factory=dict)
    _source: ExitStack = field(default_factory=ExitStack)
    _source_path: Path | None = None

    @cached_property
    def options(self) -> RecordingOptions:
        """The settings with the tenant's overrides and then the recording's own."""
        return options_of(self.recording, self.run_context.settings, self.run_context.storage)

    @cached_property
    def permission(self) -> Permission:
        """Where the tenant's audio may go, and at what cost."""
        return tenant_permission(self.run_context.settings.tenants_file, self.recording.tenant)

    def source(self) -> Path:
        """The user's file for reading; fetched once for all stages that need it."""
        if self._source_path is None:
            copy = self.run_context.storage.local_copy(
                self.recording.inbox_key, self.run_context.scratch
            )
            self._source_path = self._source.enter_context(copy)
        return self._source_path

    def watch(self, progress: Callable[[int], None] = lambda _: None) -> Watch:
        """What to do while the file is read; `progress` gets the ms of audio done."""
        slow = self.slot.leave_to_others if self.slot else lambda: None
        return Watch(self.run_context.stop.is_set, progress, slow)

    def release_source(self) -> None:
        """Release the user's file; no stage needs it any longer."""
        self._source.close()
        self._source_path = None

    def record(self, stage: str) -> StageRecord | None:
        """The record of a stage, from this run or an earlier one."""
        if stage not in self._records:
            self._records[stage] = read_record(self.run_context.storage, self.recording, stage)
        return self._records[stage]

    def forget_records(self) -> None:
        """Drop the records in memory; they are read again when needed."""
        self._records.clear()

    def facts(self, stage: str, kind: type[AnyFacts]) -> AnyFacts:
        """The facts of an earlier stage.

        Raises:
            RecordingError: the stage has never run.
            DamagedError: its record is of another version, or somebody changed it.
        """
        record = self.record(stage)
        if record is None:
            raise RecordingError(
                "upstream_missing",
                f"{stage} has not been materialized for this recording.",
                f"Materialize {stage} too.",
                permanent=False,
            )
        return facts_of(record, self.recording, kind)

    def is_up_to_date(self, stage: str, fingerprint: str) -> bool:
        """Whether the stage has this fingerprint and its outputs still exist, unchanged."""
        record = self.record(stage)
        if stage in self.run_context.forced:
            return False
        if record is None or record.fingerprint != fingerprint:
            return False
        storage = self.run_context.storage
        outputs = ((storage.head(key), etag) for key, etag in record.outputs.items())
        return all(found is not None and found.etag == etag for found, etag in outputs)

    def save(
        self, stage: str, fingerprint: str, facts: Facts, outputs: dict[str, str], seconds: float
    ) -> None:
        """Write the record, which makes the stage up to date; its outputs are written before."""
        record = StageRecord(
            stage=stage,
            fingerprint=fingerprint,
            outputs=outputs,
            facts=facts.model_dump(mode="json"),
            made_at=datetime.now(UTC),
            seconds=round(seconds, 4),
        )
        body = record.model_dump_json().encode()
        self.run_context.storage.write(record_key(self.recording, stage), body)
        self._records[stage] = record

    def log(self, event: str, **numbers: object) -> None:
        """Add a line to the recording's own log, in memory until `write_log`."""
        line = {"at": datetime.now(UTC).isoformat(), "event": event, **numbers}
        self.log_lines.append(masked(json_text(line)))

    def write_log(self) -> None:
        """Append the lines to `log.jsonl`."""
        key = self.recording.work_key("log.jsonl")
        lines = [*self._earlier_lines(key), *self.log_lines][-_LOG_LINES:]
        self.run_context.storage.write(key, ("\n".join(lines) + "\n").encode())

    def _earlier_lines(self, key: str) -> list[str]:
        try:
            before = self.run_context.storage.read(key, _LOG_BYTES) or b""
        except TooLargeError:  # no log of ours: it is replaced
            return []
        return before.decode(errors="replace").splitlines()
