"""What is past its age goes, and nothing that is still needed; what was paid for stays."""

import json
import tracemalloc
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import yaml
from click.testing import CliRunner
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from cli import escriba
from escriba.settings import NightSettings
from intake.cleanup.clean import clean
from intake.night import write_digest
from intake.work_requests import new_request, submit_request
from pipelines.care_schedules import cleanup_schedule
from pipelines.definitions import make_definitions
from resources.gpu.job_folder import JobFolder
from resources.spending.reservations import Spending, reservation_of
from resources.storage.base import StorageError, StoredObject
from sensors.running import keys_being_processed

NOW = datetime.now(UTC)


def in_days(days):
    return NOW + timedelta(days=days)


def cleaned(house, days, **options):
    return clean(house.settings, house.storage, in_days(days), **options)


def keys(house, prefix):
    return [one.key for one in house.storage.list(prefix)]


def size(house, key):
    return house.storage.head(key).size_bytes


@pytest.fixture
def done(house, clips, quick):
    """Two tenants with one finished recording each."""
    recordings = [house.put(clips.english, "a.wav", tenant) for tenant in ("acme", "lab")]
    assert house.run(recordings).success
    return recordings


def job_of(house, recording):
    [row] = [one for one in house.attempts() if one["recording"] == recording.name]
    return JobFolder(house.storage, recording.tenant, row["job_id"])


def test_an_original_goes_after_30_days_and_only_if_its_transcript_stands(house, done, clips):
    waiting = house.put(clips.other, "never-transcribed.wav")
    originals = [size(house, one.inbox_key) for one in done]
    audio = [size(house, one.work_key("audio.flac")) for one in done]
    assert cleaned(house, 29).freed["originals"].objects == 0

    freed = cleaned(house, 31)

    assert keys(house, "inbox/") == [waiting.inbox_key]
    assert freed.freed["originals"].model_dump() == {"objects": 2, "size_bytes": sum(originals)}
    assert freed.freed["working_audio"].model_dump() == {"objects": 2, "size_bytes": sum(audio)}
    assert freed.kept == 1
    assert all(house.text(one) for one in done)


def test_a_dry_run_says_the_same_and_deletes_nothing(house, done):
    before = keys(house, "")

    would = cleaned(house, 400, is_dry_run=True)

    assert keys(house, "") == before
    assert would.freed == cleaned(house, 400).freed
    assert would.freed["job_records"].objects > 0


def test_a_file_that_was_replaced_since_its_transcript_stays(house, done, clips):
    house.put(clips.other, "a.wav", "acme")

    cleaned(house, 31)

    assert keys(house, "inbox/") == ["inbox/acme/a.wav"]
    assert house.storage.head(done[0].work_key("audio.flac"))


def test_a_tenant_has_ages_of_its_own(house, done, tmp_path):
    path = tmp_path / "tenants.yaml"
    path.write_text(yaml.safe_dump({"tenants": {"lab": {"keep": {"originals_days": 0}}}}))
    house.settings = house.settings.model_copy(update={"tenants_file": path})

    cleaned(house, 4_000)

    assert keys(house, "inbox/") == ["inbox/lab/a.wav"]
    assert house.storage.head(done[1].work_key("audio.flac"))


def test_nothing_that_an_open_attempt_needs_is_deleted(house, done):
    folder = job_of(house, done[0])
    before = keys(house, "inbox/acme/") + keys(house, "work/acme/")
    Spending(house.storage).reserve(reservation_of(folder.attempt(1)))

    cleaned(house, 400)

    assert keys(house, "inbox/acme/") + keys(house, "work/acme/") == before
    assert keys(house, "inbox/lab/") == []


@pytest.mark.parametrize("by", ["request", "run"])
def test_nothing_that_a_waiting_request_or_a_run_needs_is_deleted(house, done, by):
    running = {done[0].partition_key} if by == "run" else set()
    if by == "request":
        submit_request(house.storage, new_request("by hand", [done[0]]))

    cleaned(house, 31, running=lambda: running)

    assert keys(house, "inbox/") == [done[0].inbox_key]


def test_the_runs_in_progress_are_known_with_their_recordings_or_as_unknown(house):
    def begin(**tags):
        run = dg.DagsterRun(
            job_name="recordings_job", status=dg.DagsterRunStatus.STARTED, tags=tags
        )
        house.instance.add_run(run)
        return keys_being_processed(house.instance)

    assert begin() == set()
    assert begin(**{"dagster/partition": "acme/a.wav"}) == {"acme/a.wav"}
    assert begin(**{"dagster/asset_partition_range_start": "acme/b.wav"}) is None


def test_a_backfill_that_has_not_ended_may_need_any_recording(house):
    """It makes its runs little by little."""
    states = {}
    for state in BulkActionStatus:
        backfill = PartitionBackfill(
            backfill_id=state.value,
            status=state,
            from_failure=False,
            tags={},
            backfill_timestamp=NOW.timestamp(),
        )
        house.instance.add_backfill(backfill)
        states[state.value] = keys_being_processed(house.instance) is None
        house.instance.update_backfill(backfill.with_status(BulkActionStatus.CANCELED))

    open_states = {state for state, is_unknown in states.items() if is_unknown}
    assert open_states == {"REQUESTED", "CANCELING", "FAILING"}


def test_what_was_paid_for_is_not_bought_again_after_its_job_records_are_gone(house, done, clips):
    folder = job_of(house, done[0])
    assert house.storage.head(folder.key("claim-1.json"))

    freed = cleaned(house, 91)
    house.put(clips.english, "the-same-again.wav", "acme")
    again = house.run(house.survey().new)

    names = {key.rpartition("/")[2] for key in keys(house, folder.key(""))}
    assert names == {"attempt-1.json", "request.json", "result.json"}
    assert freed.freed["job_records"].objects == 4  # a lease and a submission of each job
    assert again.success
    assert [row["status"] for row in house.attempts()] == ["done", "none", "done"]


def test_an_attempt_without_an_end_keeps_the_records_of_its_job(house, done):
    folder = job_of(house, done[0])
    folder.close(folder.attempt(1).model_copy(update={"end": None}))

    cleaned(house, 91)

    assert house.storage.head(folder.key("claim-1.json"))


def test_logs_digests_and_reports_go_after_180_days_but_the_newest_digest_and_the_ledger_stay(
    house, done
):
    for night in ("2026-01-01", "2026-01-02"):
        write_digest(house.settings, house.storage, night)
    for name in ("2026-01-01.html", "2026-01-house.csv", "statements/acme/2026-01.html"):
        house.storage.write(f"reports/{name}", b"figures")
    ledger = keys(house, "ledger/")
    assert cleaned(house, 179).freed["metrics"].objects == 0

    cleaned(house, 181)

    assert keys(house, "digests/") == ["digests/2026-01-02.json", "digests/2026-01-02.md"]
    assert keys(house, "reports/") == [
        "reports/2026-01-house.csv",
        "reports/statements/acme/2026-01.html",
    ]
    assert not house.storage.head(done[0].work_key("log.jsonl"))
    assert keys(house, "ledger/") == ledger


def test_a_quarantine_record_stays_as_long_as_its_file_does(house, quick):
    house.storage.write("inbox/acme/broken.wav", b"no sound")
    house.run(house.survey().new)
    assert len(house.survey().failed) == 1

    cleaned(house, 91)
    assert len(house.survey().failed) == 1
    house.storage.delete("inbox/acme/broken.wav")
    cleaned(house, 91)

    assert keys(house, "quarantine/") == []


class Dying:
    """A storage that fails at its n-th deletion, like a process that dies there."""

    def __init__(self, storage, deletions):
        self._storage, self._left = storage, deletions

    def __getattr__(self, name):
        return getattr(self._storage, name)

    def delete(self, key):
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        self._storage.delete(key)


def test_a_killed_cleanup_is_finished_by_the_next_one(house, done):
    expected = cleaned(house, 400, is_dry_run=True).freed
    deletions = 0
    while True:
        try:
            clean(house.settings, Dying(house.storage, 1), in_days(400))
            break
        except KeyboardInterrupt:
            deletions += 1

    total = sum(one.objects for one in expected.values())
    assert total - 1 <= deletions + 1 <= total + 1
    left = cleaned(house, 400).freed
    assert sum(one.objects for one in left.values()) == 0
    assert all(house.text(one) for one in done)


def test_a_night_looks_at_so_much_and_the_next_one_goes_on(house, done):
    nights = [cleaned(house, 91, at_most=3) for _ in range(30)]

    ends = [one.ends_at for one in nights]
    assert "" in ends
    assert ends[: ends.index("")] == sorted(set(ends[: ends.index("")]))
    assert sum(one.freed["job_records"].objects for one in nights) == 4


def test_a_store_that_does_not_delete_is_named_and_nothing_counts_as_freed(house, done):
    class Refusing(Dying):
        def delete(self, key):
            if key.startswith("inbox/"):
                raise StorageError(f"{key!r} cannot be deleted: no permission")
            self._storage.delete(key)

    freed = clean(house.settings, Refusing(house.storage, 0), in_days(31))

    assert freed.freed["originals"].objects == 0
    assert freed.troubles == (
        "'inbox/acme/a.wav' cannot be deleted: no permission",
        "'inbox/lab/a.wav' cannot be deleted: no permission",
    )


class Endless:
    """A bucket with many old files in each place; none is done."""

    url = "file:///nowhere"

    def __init__(self, count):
        self._count, self.looked = count, 0

    def list(self, prefix, after=""):
        names = {"inbox/": "inbox/acme/{:07}.wav", "work/": "work/acme/{:07}.wav/audio.flac"}
        for n in range(self._count if prefix in names else 0):
            self.looked += 1
            yield StoredObject(names[prefix].format(n), 1, "etag", NOW)

    def head(self, key):
        return None

    def read(self, key, limit_bytes=None):
        return None

    def write(self, key, data):
        return "etag"


def test_memory_does_not_grow_with_the_number_of_objects(house):
    def peak_of(count):
        bucket = Endless(count)
        tracemalloc.start()
        freed = clean(house.settings, bucket, in_days(400))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (bucket.looked, freed.kept) == (2 * count, 2 * count)
        return peak

    few = peak_of(1_000)
    assert peak_of(8_000) < few + 200_000  # bytes; a list of the others would have a million


def test_the_command_shows_counts_and_bytes_and_finds_a_transcript_without_its_file(
    house, done, monkeypatch, capfd
):
    monkeypatch.setenv("STORAGE_URL", house.settings.storage_url)
    cleaned(house, 31)

    told = CliRunner().invoke(escriba, ["cleanup", "--dry-run", "--json"], catch_exceptions=False)
    CliRunner().invoke(escriba, ["cleanup"], catch_exceptions=False)

    figures = json.loads(told.output)
    assert (told.exit_code, figures["is_dry_run"]) == (0, True)
    assert figures["freed"]["originals"] == {"objects": 0, "size_bytes": 0}
    assert "Cleanup deleted nothing (0.0 MB)." in capfd.readouterr().out
    shown = CliRunner().invoke(escriba, ["show", "acme/a.wav", "--format", "srt"])
    assert (shown.exit_code, "-->" in shown.output) == (0, True)


def test_the_nightly_job_tells_the_digest_what_it_freed(house, done):
    definitions = make_definitions(house.settings, house.progress())
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

    job = definitions.resolve_job_def("cleanup_job")
    assert job.execute_in_process(instance=house.instance, run_config=quiet).success

    digest = write_digest(house.settings, house.storage, "2026-12-01")
    assert digest.upkeep == ("Cleanup deleted nothing (0.0 MB).",)
    assert digest.upkeep[0] in house.storage.read("digests/2026-12-01.md").decode()


def test_the_schedule_is_at_its_own_time_in_the_time_zone_of_the_house():
    schedule = cleanup_schedule(NightSettings(cleanup_at="04:30", nightly_timezone="Europe/Lisbon"))

    assert schedule.cron_schedule == "30 4 * * *"
    assert schedule.execution_timezone == "Europe/Lisbon"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
