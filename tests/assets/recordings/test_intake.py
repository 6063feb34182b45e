"""Sweeps of the inbox find each new file once and miss none, in a folder and on S3."""

import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from escriba.recordings import from_inbox_key
from escriba.settings import load_settings
from intake.inbox_sweep import Cursor, SweepLimits, batch_name, batches, sweep_inbox
from intake.quarantine import write_refusal
from resources.storage import open_storage
from resources.storage.base import StorageError, StoredObject

START = datetime(2026, 11, 1, tzinfo=UTC)


class FakeInbox:
    """Objects with the store's own clock; none is done or refused."""

    def __init__(self, *, writes_appear_whole=True):
        self.writes_appear_whole, self.objects, self.now = writes_appear_whole, {}, START
        self.is_down = False

    def put(self, name, etag="1", age=timedelta(0)):
        key = f"inbox/acme/{name}"
        self.objects[key] = StoredObject(key, 1, etag, self.now - age)

    def list(self, prefix, after=""):
        if self.is_down:
            raise StorageError("'inbox/' cannot be listed: down")
        for key in sorted(self.objects):
            if key.startswith(prefix) and key > after:
                yield self.objects[key]

    def head(self, _key):
        return None

    def read(self, _key, _limit_bytes=None):
        return None


def sweep(storage, cursor, limits=None):
    """Run steps until the sweep is over; returns the names of the recordings found."""
    names = []
    while True:
        seen = sweep_inbox(storage, cursor, limits or SweepLimits())
        cursor = Cursor.model_validate_json(seen.cursor.model_dump_json())
        names += [one.recording.path for one in seen.found]
        if not seen.more:
            return names, cursor


def test_a_file_is_found_once_and_again_when_it_is_overwritten():
    inbox = FakeInbox()
    inbox.put("a.mp3")

    assert sweep(inbox, Cursor()) == (["a.mp3"], sweep(inbox, Cursor())[1])
    found, cursor = sweep(inbox, sweep(inbox, Cursor())[1])
    assert found == []
    inbox.put("a.mp3", etag="2")
    found, cursor = sweep(inbox, cursor)
    assert found == ["a.mp3"]
    assert sweep(inbox, cursor)[0] == []


def test_a_look_that_is_repeated_with_the_same_cursor_finds_the_same():
    inbox = FakeInbox()
    for i in range(7):
        inbox.put(f"{i}.mp3")
    first = sweep_inbox(inbox, Cursor(), SweepLimits(listed=100, taken=3))

    assert sweep_inbox(inbox, Cursor(), SweepLimits(listed=100, taken=3)) == first
    second = sweep_inbox(inbox, first.cursor, SweepLimits(listed=100, taken=3))
    assert [one.recording.path for one in second.found] == ["3.mp3", "4.mp3", "5.mp3"]


def test_one_look_does_a_bounded_piece_of_the_work():
    inbox = FakeInbox()
    for i in range(50):
        inbox.put(f"{i:02}.mp3")

    seen = sweep_inbox(inbox, Cursor(), SweepLimits(listed=20, taken=8))
    assert (len(seen.found), seen.more) == (8, True)
    assert sorted(sweep(inbox, Cursor(), SweepLimits(listed=20, taken=8))[0]) == [
        f"{i:02}.mp3" for i in range(50)
    ]


def test_in_a_folder_a_file_that_still_grows_is_not_taken():
    inbox = FakeInbox(writes_appear_whole=False)
    inbox.put("a.mp3", etag="1")
    found, cursor = sweep(inbox, Cursor())
    assert found == []
    inbox.put("a.mp3", etag="2")
    found, cursor = sweep(inbox, cursor)
    assert found == []

    assert sweep(inbox, cursor)[0] == ["a.mp3"]


def test_a_read_that_failed_is_no_empty_inbox():
    inbox = FakeInbox()
    inbox.is_down = True

    with pytest.raises(StorageError):
        sweep_inbox(inbox, Cursor())


@given(
    arrivals=st.lists(
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 50)), max_size=4), max_size=12
    ),
    listed=st.integers(1, 9),
    taken=st.integers(1, 5),
)
def test_whatever_comes_while_it_is_swept_is_found_exactly_once(arrivals, listed, taken):
    """Files arrive before and behind the sweep, minutes apart, some dated up to 50 minutes back."""
    inbox, cursor, found, put = FakeInbox(), Cursor(), [], []
    for step, files in enumerate(arrivals):
        inbox.now = START + timedelta(minutes=20 * step)
        for name, age in files:
            version = f"{step}-{name}"
            if f"inbox/acme/{name:02}" not in inbox.objects:
                inbox.put(f"{name:02}", etag=version, age=timedelta(minutes=age))
                put.append(version)
        seen = sweep_inbox(inbox, cursor, SweepLimits(listed, taken))
        found += [one.etag for one in seen.found]
        cursor = seen.cursor
    for _ in range(80):  # until everything has been swept twice
        seen = sweep_inbox(inbox, cursor, SweepLimits(listed, taken))
        found += [one.etag for one in seen.found]
        cursor = seen.cursor

    assert sorted(found) == sorted(put)


def test_the_time_that_a_store_gives_decides_nothing():
    inbox, found = FakeInbox(), []
    cursor = Cursor()
    for name, age in [("ahead.mp3", -9_000), ("now.mp3", 0), ("old.mp3", 9_000), ("b.mp3", 1)]:
        inbox.put(name, age=timedelta(days=age))
        names, cursor = sweep(inbox, cursor)
        found += names
        assert sweep(inbox, cursor)[0] == []

    assert found == ["ahead.mp3", "now.mp3", "old.mp3", "b.mp3"]


def test_the_cursor_of_a_large_inbox_is_small_and_few_records_are_read_again():
    inbox, asked = FakeInbox(), []
    inbox.head = asked.append
    for i in range(5_000):
        inbox.put(f"{i:05}.mp3")
    found, cursor = sweep(inbox, Cursor())
    _, cursor = sweep(inbox, cursor)
    cursor = cursor.model_copy(update={"seen": {}})  # all done, long ago
    asked.clear()
    again, cursor = sweep(inbox, cursor)
    assert (len(found), again, asked) == (5_000, [], [])
    assert len(cursor.model_dump_json()) < 10_000

    inbox.put("02500-new.mp3")
    sweep(inbox, cursor)

    assert 0 < len(asked) <= 512


def test_what_is_done_or_refused_for_good_is_no_work(house, clips):
    done = house.put(clips.english, "done.wav")
    refused = house.put(clips.other, "refused.wav")
    new = house.put(clips.other, "new.wav")
    house.batch([done])
    etag = house.storage.head(refused.inbox_key).etag
    write_refusal(
        house.storage,
        refused.inbox_key,
        refused.tenant,
        etag=etag,
        stage="raw_audio",
        code="not_audio",
        message="",
        advice="",
        permanent=True,
    )
    _, cursor = sweep(house.storage, Cursor())  # first seen

    assert sweep(house.storage, cursor)[0] == [new.path]


def test_a_file_that_was_moved_into_the_folder_keeps_its_age_and_is_found(tmp_path):
    storage = open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))
    storage.write("inbox/acme/first.wav", b"1")
    _, cursor = sweep(storage, sweep(storage, Cursor())[1])
    (tmp_path / "old.wav").write_bytes(b"2")
    os.utime(tmp_path / "old.wav", (0, 0))
    (tmp_path / "old.wav").rename(tmp_path / "bucket/inbox/acme/old.wav")
    _, cursor = sweep(storage, cursor)

    assert sweep(storage, cursor)[0] == ["old.wav"]


def test_on_s3_new_objects_are_found_at_once(s3):
    storage = open_storage(s3.settings)
    storage.write("inbox/acme/a.wav", b"1")
    found, cursor = sweep(storage, Cursor())
    storage.write("inbox/acme/b.wav", b"1")

    assert (found, sweep(storage, cursor)[0]) == (["a.wav"], ["b.wav"])


def test_names_that_can_be_no_recording_are_told_apart():
    inbox = FakeInbox()
    inbox.put("../x.mp3")
    inbox.put("good.mp3")

    seen = sweep_inbox(inbox, Cursor())

    assert [one.recording.path for one in seen.found] == ["good.mp3"]
    assert [one.code for one in seen.refused] == ["path_not_allowed"]


def test_a_batch_is_named_by_its_files_and_their_versions():
    inbox = FakeInbox()
    for i in range(5):
        inbox.put(f"{i}.mp3")
    found = sweep_inbox(inbox, Cursor()).found
    cut = list(batches(found[::-1], 2))

    assert [[one.recording.path for one in batch] for batch in cut] == [
        ["0.mp3", "1.mp3"],
        ["2.mp3", "3.mp3"],
        ["4.mp3"],
    ]
    inbox.put("0.mp3", etag="2")
    again = list(batches(sweep_inbox(inbox, Cursor()).found, 2))
    names = [batch_name(batch) for batch in cut]
    assert [batch_name(batch) for batch in again][1:] == names[1:]
    assert batch_name(again[0]) != names[0]
    assert from_inbox_key("inbox/acme/0.mp3") == again[0][0].recording


class FakeRefusals(FakeInbox):
    """An inbox in which some files are refused for good. asked: requests for what is known."""

    asked = 0

    def refuse(self, name, etag="1"):
        self.put(name, etag)
        key = f"inbox/acme/{name}"
        write_refusal(
            SimpleNamespace(write=self.bodies.__setitem__),
            *(key, "acme"),
            **REFUSED | {"etag": etag},
        )

    def read(self, key, _limit_bytes=None):
        self.asked += 1
        return self.bodies.get(key)


REFUSED = {"stage": "raw_audio", "code": "not_audio", "message": "", "advice": ""} | {
    "permanent": True
}


def test_what_is_done_uses_up_no_place_of_a_step_but_is_looked_at_in_bounds():
    inbox = FakeRefusals()
    inbox.bodies = {}
    for i in range(300):
        inbox.refuse(f"{i:03}.mp3")
    inbox.put("zzz-1.mp3")
    inbox.put("zzz-2.mp3")
    inbox.put("zzz-3.mp3")

    seen = sweep_inbox(inbox, Cursor(), SweepLimits(taken=2))
    bounded = sweep_inbox(inbox, Cursor(), SweepLimits(checked=1))

    assert [one.recording.path for one in seen.found] == ["zzz-1.mp3", "zzz-2.mp3"]
    assert (bounded.found, bounded.more) == ([], True)
    assert len(sweep(inbox, Cursor(), SweepLimits(taken=1, checked=10))[0]) == 3


@pytest.mark.parametrize(
    "old", ['{"version": 1}', '{"version": 1, "after": "inbox/z", "seen": {}}']
)
def test_the_cursor_of_an_older_version_is_refused_so_that_the_sweeps_begin_again(old):
    with pytest.raises(ValidationError, match="version"):
        Cursor.model_validate_json(old)
