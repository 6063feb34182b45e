"""Good recordings never wait behind one that holds a core for nothing."""

import asyncio

import pytest

from assets.recordings.cpu_slots import CpuSlots, NoSparePlaceError


def test_a_slow_file_gives_its_place_to_the_next_one():
    async def go():
        slots, order = CpuSlots(places=1, spares=1), []

        async def slow(name):
            async with slots.place() as slot:
                order.append(f"{name} is slow")
                await asyncio.to_thread(slot.leave_to_others)
                await asyncio.to_thread(slot.leave_to_others)  # once is enough
                await over.wait()
            order.append(f"{name} ends")

        async def good():
            async with slots.place():
                order.append("good runs")

        over = asyncio.Event()
        first = asyncio.create_task(slow("first"))
        await asyncio.sleep(0)
        await good()
        with pytest.raises(NoSparePlaceError):
            await slow("second")
        await good()
        waits = asyncio.create_task(_in_spare(slots, order))
        await asyncio.sleep(0)
        over.set()
        await asyncio.gather(first, waits)
        return order

    order = asyncio.run(go())

    assert order == [
        "first is slow",
        "good runs",
        "second is slow",
        "good runs",
        "first ends",
        "second in a spare place",
    ]


async def _in_spare(slots, order):
    async with slots.spare():
        order.append("second in a spare place")
