"""The number of recordings processed concurrently, and the length of a recording's own log."""

import asyncio
import json
import threading
from contextlib import contextmanager

import assets.recordings.batch
from assets.recordings.batch import run_batch
from assets.recordings.progress import StageMade
from assets.recordings.run_context import open_run_context
from escriba.settings import load_settings
from escriba.stages import RAW_AUDIO, STAGES
from resources.storage.base import StorageError

from .conftest import House


def test_work_that_fills_a_core_has_as_many_places_as_are_allowed(tmp_path, silence, monkeypatch):
    settings = load_settings(storage_url=(tmp_path / "bucket").as_uri(), cpu_slots=2)
    house = House(settings, tmp_path / "bucket")
    recordings = [house.put(silence(), f"{n}.wav") for n in range(5)]
    inside, most = set(), []

    async def counted(context):
        inside.add(context.recording)
        for _ in range(10):  # let the others run
            await asyncio.sleep(0)
            most.append(len(inside))
        inside.remove(context.recording)
        return StageMade(RAW_AUDIO, reused=False, seconds=0.0, numbers={})

    monkeypatch.setitem(assets.recordings.batch._AUDIO_STAGES, RAW_AUDIO, counted)
    house.batch(recordings, stages=[RAW_AUDIO])

    assert max(most) == 2


def test_files_on_a_slow_link_leave_a_thread_to_everything_else(tmp_path, silence):
    """As on a machine of 40 cores: results of other recordings are still fetched meanwhile."""
    files = 40
    settings = load_settings(storage_url=(tmp_path / "bucket").as_uri(), cpu_slots=files)
    house = House(settings, tmp_path / "bucket")
    recordings = [house.put(silence(), f"{n}.wav") for n in range(files)]
    begun, arrives, arrived = threading.Semaphore(0), threading.Event(), []

    @contextmanager
    def slow_copy(key, _scratch):
        begun.release()
        arrived.append(arrives.wait(60))
        raise StorageError(key)
        yield

    async def main():
        run_context = open_run_context(settings, house.progress())
        run_context.storage.local_copy = slow_copy
        batch = asyncio.create_task(run_batch(run_context, recordings, stages=[RAW_AUDIO]))
        for _ in recordings:
            while not begun.acquire(blocking=False):
                assert not batch.done()
                await asyncio.sleep(0.01)
        await asyncio.wait_for(asyncio.to_thread(arrives.set), 60)
        return await batch

    outcomes = asyncio.run(main())
    assert arrived == [True] * files
    assert [outcome.failed.code for outcome in outcomes] == ["storage"] * files


def test_a_log_keeps_what_earlier_runs_wrote_up_to_a_thousand_lines(house, silence):
    recording = house.put(silence(), "a.wav")
    house.batch([recording])
    first = house.storage.read(recording.work_key("log.jsonl")).decode().splitlines()
    older = [json.dumps({"event": f"older-{n}"}) for n in range(998)]
    house.storage.write(recording.work_key("log.jsonl"), "\n".join([*older, *first]).encode())

    house.batch([recording])

    lines = house.storage.read(recording.work_key("log.jsonl")).decode().splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert len(events) == 1_000
    assert events[0] == f"older-{2 * len(first) - 2}"
    assert [event for event in events if event in STAGES] == [*STAGES, *STAGES]
