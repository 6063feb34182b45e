"""The number of recordings processed concurrently, and the length of a recording's own log."""

import asyncio
import json

import assets.recordings.batch
from assets.recordings.progress import StageMade
from escriba.settings import load_settings
from escriba.stages import RAW_AUDIO, STAGES

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
