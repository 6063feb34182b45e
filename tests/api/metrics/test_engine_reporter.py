"""What a running batch says of its engine, which the exporter of another process reads."""

import asyncio

import pytest

from assets.recordings.engine_reporter import end_reports, report_engine
from escriba.settings import load_settings
from resources.gpu.engine_reports import ENGINES, fresh_reports
from resources.gpu.open_engine import open_engine
from resources.ledger.writer import LedgerWriter
from resources.price_book import open_price_book
from resources.storage import open_storage
from resources.storage.clock import utc_now


@pytest.fixture
def engine(tmp_path):
    """The engine of a house with RunPod; it starts nothing."""
    settings = load_settings(
        storage_url=(tmp_path / "bucket").as_uri(),
        runpod_api_key="k" * 20,
        runpod_endpoint_id="endpoint",
    )
    storage = open_storage(settings)
    return open_engine(settings, storage, LedgerWriter(storage), open_price_book(settings))


def reported(engine, storage):
    """The reports in the bucket after the first minute, and after the batch has ended."""

    async def go():
        minutes = iter([0, 3600])
        written = asyncio.Event()

        async def sleep(_):
            if next(minutes):
                written.set()
                await asyncio.sleep(3600)

        task = asyncio.create_task(report_engine(storage, engine, sleep))
        await written.wait()
        during = list(fresh_reports(storage, utc_now()))
        await end_reports(task)
        return during, [found.key for found in storage.list(ENGINES)]

    return asyncio.run(go())


def test_a_batch_reports_every_minute_and_takes_its_report_away(engine, tmp_path):
    storage = open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))
    engine.fleet.waiting.wait("a job", "no worker has begun")
    engine.follower.active["acme:b:1"] = engine.follower.active["acme:c:1"] = "runpod"

    [during], after = reported(engine, storage)

    assert (during.waiting, during.active) == (1, {"runpod": 2})
    assert after == []


def test_a_report_that_fails_does_not_end_the_batch(engine, tmp_path, caplog):
    async def go():
        async def sleep(_):
            raise OSError("no such clock")

        reports = asyncio.create_task(report_engine(None, engine, sleep))
        await asyncio.sleep(0)
        await end_reports(reports)

    asyncio.run(go())
    assert "no such clock" in caplog.text


def test_a_backend_that_fails_is_cut_off_from_then_on(engine):
    assert set(engine.fleet.circuit_open_seconds().values()) == {0.0}
    [state] = [
        engine.fleet.of(one.name, one.sku) for one in engine.fleet.backends if one.name == "runpod"
    ]

    state.submissions.failed("the key is refused", lasting=True)

    assert engine.fleet.circuit_open_seconds()["runpod"] > 0.0
    state.submissions.succeeded()
    assert engine.fleet.circuit_open_seconds()["runpod"] == 0.0
