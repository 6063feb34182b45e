"""Says every minute in the bucket what a run's engine does, for the metrics (docs/metrics.md)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

from escriba.text_for.plain_lines import log_line
from resources.gpu.engine import JobEngine
from resources.gpu.engine_reports import EVERY_SECONDS, remove_report, report_of, write_report
from resources.storage.base import Storage, StorageError
from resources.storage.clock import utc_now

_LOG = logging.getLogger("escriba")


async def report_engine(
    storage: Storage,
    engine: JobEngine,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Until it is cancelled, write a report every minute; then remove it.

    A batch that is over within a minute writes none. A store that fails does not end the run.
    """
    name, has_written = uuid4().hex, False
    try:
        while True:
            await sleep(EVERY_SECONDS)
            has_written = True
            await _written(storage, name, engine)
    finally:
        if has_written:
            with suppress(StorageError):
                await asyncio.shield(asyncio.to_thread(remove_report, storage, name, utc_now()))


async def end_reports(reports: "asyncio.Task[None]") -> None:
    """Cancel the task and wait until its report is removed; nothing of it ends the run."""
    reports.cancel()
    await asyncio.wait([reports])
    if not reports.cancelled() and (error := reports.exception()) is not None:
        _LOG.warning("The state of this run could not be told: %s", log_line(error))


async def _written(storage: Storage, name: str, engine: JobEngine) -> None:
    report = report_of(engine, utc_now())
    try:
        await asyncio.to_thread(write_report, storage, name, report)
    except StorageError as error:
        _LOG.warning("The state of this run could not be written: %s", log_line(error))
