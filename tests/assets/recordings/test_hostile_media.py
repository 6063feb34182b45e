"""Hostile recordings in a batch are named, and cost the good ones neither time nor memory."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from assets.recordings.run_context import RunContext
from intake.quarantine import read_refusal, refusal_key
from resources.media import child_handle
from resources.media.child_handle import Watch
from resources.media.media_server import shared_server
from tests import hostile_media as hostile
from tests.conftest import RECORDINGS

MEGABYTE_KB = 1000
BAD = {
    hostile.million_frames: "tag_too_large",
    hostile.tag_of_200_mb: "tag_too_large",
    hostile.sixty_million_samples: "impossible_index",
    hostile.large_cover: "picture_too_large",
    hostile.eight_channels_at_655_khz: "impossible_format",
    hostile.large_packet: "took_too_much_memory",
}


class Peaks(threading.Thread):
    """Watches the resident memory of the server and of all its processes."""

    def __init__(self, pid):
        super().__init__()
        self.pid, self.stop, self.kb, self.names = pid, threading.Event(), 0, set()

    def run(self):
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        while not self.stop.wait(0.02):
            for pid in (self.pid, *children.read_text().split()):
                self.names.add(pid)
                with suppress(OSError):
                    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                        if line.startswith("VmHWM:"):
                            self.kb = max(self.kb, int(line.split()[1]))


@pytest.fixture
def peaks():
    watch = Peaks(shared_server().pid)
    watch.start()
    yield watch
    watch.stop.set()
    watch.join()


def test_the_good_ones_finish_and_the_bad_ones_are_named(house, quick, tmp_path, peaks):
    bad = {house.put(make(tmp_path), f"{make.__name__}.bin"): code for make, code in BAD.items()}
    cover = house.put(hostile.cover_of_144_megapixels(tmp_path), "cover.flac")
    hours = house.put(hostile.hours_of_nothing(tmp_path), "hours.mka")
    good = [house.put(RECORDINGS / name, name) for name in ("english-2-voices.mp3",)]

    outcomes = {each.recording: each for each in house.batch([*bad, cover, hours, *good])}

    for recording in (*good, cover, hours):
        assert outcomes[recording].failed is None, recording
    assert {r: outcomes[r].failed.code for r in bad} == bad
    for recording in bad:
        assert len(outcomes[recording].failed.advice) > 10
    assert len(peaks.names) > 2
    assert peaks.kb < 400 * MEGABYTE_KB


def test_a_file_that_ended_its_process_twice_is_never_new_again(house, quick, tmp_path):
    recording = house.put(hostile.large_packet(tmp_path), "index.m4a")
    key = refusal_key(recording.inbox_key, recording.tenant)

    [first] = house.batch([recording])
    counted = read_refusal(house.storage, key)
    assert (counted.kills, counted.permanent) == (1, False)
    assert house.survey().to_retry == {recording: counted}
    assert "The next run tries again." in first.failed.message

    [second] = house.batch(house.survey().work)
    assert second.failed.permanent
    assert "not tried again until the file changes" in second.failed.message
    assert read_refusal(house.storage, key).kills == 2
    assert house.survey().work == []
    assert list(house.survey().failed) == [recording]

    changed = house.put(RECORDINGS / "portuguese-2-voices.m4a", "index.m4a")
    assert house.survey().work == [changed]


def test_a_file_counts_no_kill_that_was_for_want_of_memory(house, quick, monkeypatch):
    """SIGKILL by anything else is counted: nobody knows that the file was not its reason."""
    counts = iter(range(1000))
    recording = house.put(RECORDINGS / "portuguese-2-voices.m4a", "good.m4a")
    key = refusal_key(recording.inbox_key, recording.tenant)
    killed = RunContext.media.func

    def killing(run_context):
        pool = killed(run_context)
        end = Watch(progress=lambda _: os.kill(pool.children[0].pid, signal.SIGKILL))
        optimize = pool.optimize
        pool.optimize = lambda path, folder, task, owner, _: optimize(
            path, folder, task, owner, end
        )
        return pool

    with monkeypatch.context() as busy:
        busy.setattr(RunContext.media, "func", killing)
        with monkeypatch.context() as full:
            full.setattr(child_handle, "kill_counts", lambda: [next(counts)])
            for _ in range(3):
                [outcome] = house.batch([recording])
                assert outcome.failed.code == "cannot_start"
                assert "ran out of memory" in outcome.failed.message
                assert "does not count against the file" in outcome.failed.message
        assert read_refusal(house.storage, key) is None
        [outcome] = house.batch([recording])
        assert (outcome.failed.code, outcome.failed.kills) == ("decoder_crashed", 1)

    [outcome] = house.batch([recording])
    assert outcome.failed is None
