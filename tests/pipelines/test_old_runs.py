"""Old runs are deleted with all their rows: a simulated year leaves as many as half a year."""

from datetime import timedelta

import dagster as dg

from assets.recordings.delete_runs import delete_run
from escriba.recordings import Recording
from escriba.stages import COST_METRICS
from intake.inbox import survey_inbox

MONTH = timedelta(days=31)
RECORDINGS_A_MONTH = {"sqlite": 4, "postgres": 40}  # SQLite takes 30 times as long


def test_a_year_of_recordings_leaves_as_many_rows_as_half_a_year(years, request):
    count = RECORDINGS_A_MONTH[request.node.callspec.params["place"]]
    rows = []
    for number in range(12):
        years.month(number, count)
        years.now += MONTH
        years.retire()
        years.delete_runs()
        rows.append(years.rows())

    assert rows[11] == rows[5], rows
    assert rows[11]["runs"] == 2 * 2  # two months: the third is older than 90 days
    assert rows[11]["bulk_actions"] == 2
    assert years.alive == set()
    done = survey_inbox(years.storage).done  # nothing is lost in the bucket
    assert len(done) == 12 * count


def test_a_recording_with_work_to_do_stays_and_so_does_its_run(years):
    kept, gone = years.month(0, count=2)
    years.storage.write(kept.inbox_key, b"overwritten")
    years.now += 4 * MONTH

    assert years.retire().partitions == 1

    assert years.alive == {kept.partition_key}
    deleted = years.delete_runs()
    assert (deleted.runs, deleted.kept) == (1, 1)  # the run without partitions goes
    made = years.instance.get_materialized_partitions(dg.AssetKey(COST_METRICS))
    assert made == {kept.partition_key, gone.partition_key}


def test_a_run_that_was_half_deleted_is_deleted_by_the_next_night(years):
    years.month(0, count=2)
    years.now += 4 * MONTH
    years.retire()
    for run in years.instance.get_runs():
        years.instance.event_log_storage.delete_events(run.run_id)  # and then a power failure

    assert years.delete_runs().runs == 2

    rows = years.rows()
    assert (rows["runs"], rows["run_tags"], rows["event_logs"]) == (0, 0, 0)
    assert rows["asset_check_executions"] == 0


def test_deleting_a_run_twice_is_as_good_as_once(years):
    run_id = years.run([years.finish(Recording("acme", "a.wav"))])

    for _ in range(2):
        delete_run(years.instance, run_id)

    assert years.instance.get_run_by_id(run_id) is None
    assert years.rows()["event_logs"] == 0
