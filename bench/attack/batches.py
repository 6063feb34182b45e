"""Batches of the chain in a bucket of their own, and how long their good recordings took."""

import asyncio
import logging
import shutil
import time
from pathlib import Path
from typing import Final
from unittest.mock import patch

import resources.gpu.open_engine
from assets.recordings.batch import run_batch
from assets.recordings.progress import LogProgress, RecordingOutcome
from assets.recordings.run_context import open_run_context
from bench.instant import InstantBackend
from escriba.recordings import Recording, from_inbox_key
from escriba.settings import load_settings
from intake.inbox import Survey, survey_inbox
from resources.storage import open_storage

_QUIET: Final = logging.getLogger("bench.attack")


class Bucket:
    """A bucket in a folder, and the product's chain with a worker that answers at once."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "bucket"
        self.settings = load_settings(
            storage_url=self.root.as_uri(), costs_database=folder / "costs.duckdb", model="demo"
        )
        self.storage = open_storage(self.settings)

    def put(self, source: Path, name: str, tenant: str = "acme") -> Recording:
        """Put a file into the inbox."""
        recording = from_inbox_key(f"inbox/{tenant}/{name}")
        scratch = self.storage.scratch() / "put"
        shutil.copyfile(source, scratch)
        self.storage.upload(recording.inbox_key, scratch)
        return recording

    def batch(self, recordings: list[Recording]) -> "Finishes":
        """Run the whole chain over them, in this order."""
        finishes = Finishes()

        async def go() -> None:
            await run_batch(open_run_context(self.settings, finishes, retry=False), recordings)

        with patch.object(resources.gpu.open_engine, "open_backends", lambda _: [InstantBackend()]):
            asyncio.run(go())
        return finishes

    def survey(self) -> Survey:
        """What the next run would do."""
        return survey_inbox(self.storage)


class Finishes(LogProgress):
    """The outcome of each recording of one batch, and the seconds until it."""

    def __init__(self) -> None:
        super().__init__(_QUIET)
        self.outcomes: dict[Recording, RecordingOutcome] = {}
        self.seconds: dict[Recording, float] = {}
        self._began = time.perf_counter()

    def finished(self, outcome: RecordingOutcome) -> None:
        """Keep it."""
        self.outcomes[outcome.recording] = outcome
        self.seconds[outcome.recording] = time.perf_counter() - self._began

    def code(self, recording: Recording) -> str:
        """Why it failed; empty if it is done."""
        failed = self.outcomes[recording].failed
        return failed.code if failed else ""


def delay(alone: Finishes, together: Finishes, good: list[Recording]) -> float:
    """How many seconds later the last of the good ones was done than without the bad ones."""
    last = [max(each.seconds[recording] for recording in good) for each in (alone, together)]
    return max(0.0, last[1] - last[0])
