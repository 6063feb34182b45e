"""Rows on their way into the ledger: those that end together, fail together or are given up."""

import asyncio

import pytest

from resources.ledger import writer as ledger_module
from resources.ledger.writer import LedgerWriter, write_rows
from resources.storage.base import StorageError

from .conftest import files, read


def add(storage, *rows):
    """All at once, as they end together in a run; what became of each."""

    async def go():
        writer = LedgerWriter(storage)
        return await asyncio.gather(*map(writer.add, rows), return_exceptions=True)

    return asyncio.run(go())


def test_rows_that_end_together_share_a_file(storage, row):
    assert add(storage, *(row(n) for n in range(1, 51))) == [None] * 50

    assert len(files(storage)) == 1
    assert len(read(storage)) == 50


def test_a_row_that_comes_during_a_flush_is_in_the_next_one(storage, row, monkeypatch):
    async def go():
        writer = LedgerWriter(storage)
        adding = []

        def write_and_add(*arguments):
            if not adding:
                second = asyncio.run_coroutine_threadsafe(begin_adding(), loop)
                second.result()
            return write_rows(*arguments)

        async def begin_adding():
            adding.append(asyncio.ensure_future(writer.add(row(2))))
            await asyncio.sleep(0)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(ledger_module, "write_rows", write_and_add)
        await writer.add(row(1))
        await adding[0]

    asyncio.run(go())
    assert len(files(storage)) == 2
    assert len(read(storage)) == 2


def test_a_flush_that_fails_reaches_everybody_who_waits_for_it(storage, row, monkeypatch):
    def fail(key, data):
        raise StorageError(f"{key} cannot be written")

    monkeypatch.setattr(storage, "write", fail)
    outcomes = add(storage, row(1), row(2), row(3))

    assert [type(outcome) for outcome in outcomes] == [StorageError] * 3


def test_after_a_flush_that_failed_the_next_one_is_written(storage, row, monkeypatch):
    async def go():
        writer = LedgerWriter(storage)
        with monkeypatch.context() as broken:
            broken.setattr(storage, "write", None)
            with pytest.raises(TypeError):
                await writer.add(row(1))
        await writer.add(row(2))

    asyncio.run(go())
    assert [one.attempt for one in read(storage)] == [2]


def test_a_waiter_that_is_cancelled_takes_no_other_row_with_it(storage, row):
    async def go():
        writer = LedgerWriter(storage)
        first, second = (asyncio.ensure_future(writer.add(row(n))) for n in (1, 2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait_for(second, 60)
        assert first.cancelled()

    asyncio.run(go())
    assert [one.attempt for one in read(storage)] == [1, 2]


def test_a_waiter_that_is_cancelled_during_the_write_takes_no_other_row_with_it(
    storage, row, monkeypatch
):
    async def go():
        writer = LedgerWriter(storage)
        first, second = (asyncio.ensure_future(writer.add(row(n))) for n in (1, 2))

        def write_and_cancel(*arguments):
            loop.call_soon_threadsafe(first.cancel)
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()  # it has gone
            return write_rows(*arguments)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(ledger_module, "write_rows", write_and_cancel)
        await asyncio.wait_for(second, 60)
        assert first.cancelled()

    asyncio.run(go())
    assert [one.attempt for one in read(storage)] == [1, 2]
