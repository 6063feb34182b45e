"""A cleanup is careful: with what changes meanwhile, with stores, clocks and missing files."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from escriba.settings import SettingsError
from intake.cleanup.clean import check_clock, clean
from intake.night import write_digest
from intake.quarantine import write_refusal
from intake.work_requests import new_request, submit_request
from pipelines.definitions import make_definitions
from resources.storage.base import StorageError

NOW = datetime.now(UTC)


def in_days(days):
    return NOW + timedelta(days=days)


def cleaned(house, days, **options):
    return clean(house.settings, house.storage, in_days(days), **options)


def keys(house, prefix):
    return [one.key for one in house.storage.list(prefix)]


@pytest.fixture
def done(house, clips, quick):
    """Two tenants with one finished recording each."""
    recordings = [house.put(clips.english, "a.wav", tenant) for tenant in ("acme", "lab")]
    assert house.run(recordings).success
    return recordings


def test_an_original_that_waits_for_another_attempt_stays(house, done):
    write_refusal(
        house.storage,
        done[0].inbox_key,
        "acme",
        etag=house.storage.head(done[0].inbox_key).etag,
        stage="transcript",
        code="over_budget",
        message="The budget of today is spent.",
        advice="It is transcribed again tomorrow.",
        permanent=False,
    )

    freed = cleaned(house, 400)

    assert keys(house, "inbox/") == [done[0].inbox_key]
    assert freed.kept == 1


class Meanwhile:
    """A storage on which something else happens before the first deletion."""

    def __init__(self, storage, happens):
        self._storage, self._happens = storage, happens

    def __getattr__(self, name):
        return getattr(self._storage, name)

    def delete(self, key):
        happens, self._happens = self._happens, lambda: None
        happens()
        self._storage.delete(key)


def test_a_file_that_is_uploaded_again_while_a_cleanup_runs_is_not_deleted(house, done, clips):
    bucket = Meanwhile(house.storage, lambda: house.put(clips.other, "a.wav", "lab"))

    clean(house.settings, bucket, in_days(31))

    assert keys(house, "inbox/") == ["inbox/lab/a.wav"]
    assert house.survey().new == [done[1]]


def test_what_is_ordered_while_a_cleanup_runs_is_kept(house, done, monkeypatch):
    monkeypatch.setattr("intake.cleanup.needed.FRESH_SECONDS", -1)

    def order():
        submit_request(house.storage, new_request("by hand", [done[1]]))

    clean(house.settings, Meanwhile(house.storage, order), in_days(31))

    assert keys(house, "inbox/") == [done[1].inbox_key]
    assert house.storage.head(done[1].work_key("audio.flac"))


class WholeSeconds:
    """A storage like MinIO and GCS: they list milliseconds, and give whole seconds elsewhere."""

    def __init__(self, storage):
        self._storage = storage

    def __getattr__(self, name):
        return getattr(self._storage, name)

    def head(self, key):
        found = self._storage.head(key)
        return found and replace(found, modified=found.modified.replace(microsecond=0))


def test_originals_go_on_a_store_that_lists_other_times_than_it_gives(house, done):
    freed = clean(house.settings, WholeSeconds(house.storage), in_days(31))

    assert freed.freed["originals"].objects == 2
    assert keys(house, "inbox/") == []


def test_nothing_is_deleted_while_the_file_with_the_tenants_ages_is_missing(house, done, tmp_path):
    path = tmp_path / "tenants.yaml"
    path.write_text(yaml.safe_dump({"tenants": {"lab": {"keep": {"originals_days": 0}}}}))
    house.settings = house.settings.model_copy(update={"tenants_file": path})
    cleaned(house, 1)
    path.unlink()

    with pytest.raises(SettingsError, match="the last cleanup had ages of 1 tenants"):
        cleaned(house, 31)
    assert len(keys(house, "inbox/")) == 2

    path.write_text("tenants: {}")
    cleaned(house, 31)
    assert keys(house, "inbox/") == []


def test_nothing_is_deleted_by_a_clock_that_differs_from_the_store(house):
    check_clock(house.storage, datetime.now(UTC))
    for days in (400, -400):
        with pytest.raises(StorageError, match="nothing is deleted before they agree"):
            check_clock(house.storage, in_days(days))


def test_one_unreadable_record_keeps_its_recording_and_no_other(house, done):
    class Broken(Meanwhile):
        def read(self, key, limit_bytes=None):
            if key.startswith("work/acme/") and key.endswith("cost_metrics.json"):
                raise StorageError(f"{key!r} cannot be read: no permission")
            return self._storage.read(key, limit_bytes)

    freed = clean(house.settings, Broken(house.storage, lambda: None), in_days(31))

    assert keys(house, "inbox/") == [done[0].inbox_key]
    assert house.storage.head(done[0].work_key("audio.flac"))
    assert set(freed.troubles) == {
        "'work/acme/a.wav/stages/cost_metrics.json' cannot be read: no permission"
    }


def test_a_cleanup_that_stops_is_in_the_digest(house, tmp_path):
    house.storage.write("upkeep/cleanup-ages.json", b'{"tenants": 1}')
    house.settings = house.settings.model_copy(update={"tenants_file": tmp_path / "gone.yaml"})
    definitions = make_definitions(house.settings, house.progress())
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

    job = definitions.resolve_job_def("cleanup_job")
    done = job.execute_in_process(instance=house.instance, run_config=quiet, raise_on_error=False)

    assert not done.success
    [line] = write_digest(house.settings, house.storage, "2026-12-01").upkeep
    assert line.startswith("Cleanup stopped: ")
