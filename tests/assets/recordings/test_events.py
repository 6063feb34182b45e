"""The events that Dagster receives for each partition."""

import dagster as dg
import pytest
from dagster._core.definitions.data_version import (
    DATA_VERSION_TAG,
    CachingStaleStatusResolver,
    StaleStatus,
)
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.loader import LoadingContextForTest

from assets.recordings import event_writer
from escriba.stages import A_REAL_MODEL_HEARD_IT, CHECKS, DIARIZED_TRANSCRIPT, STAGES
from pipelines.definitions import defs


@pytest.fixture(params=["batched", "public"])
def way(request, monkeypatch):
    """Both ways to write: in batches with the private API, one by one with the public API."""
    if request.param == "public":
        monkeypatch.setattr(event_writer, "DagsterEventBatchMetadata", None)


def materialization(house, asset, recording):
    filtered = dg.AssetRecordsFilter(
        asset_key=dg.AssetKey(asset), asset_partitions=[recording.partition_key]
    )
    return house.instance.fetch_materializations(filtered, limit=1).records[0]


def test_each_stage_shows_its_numbers_its_log_and_its_files(house, clips, way):
    recording = house.put(clips.english, "meeting.wav")

    assert house.run([recording]).success

    shown = {
        asset: materialization(house, asset, recording).asset_materialization.metadata
        for asset in STAGES
    }
    assert shown["transcript"]["words"].value > 10
    assert shown["transcript"]["transcribe_seconds"].value > 0
    assert shown["diarized_transcript"]["speakers"].value == 2
    assert shown["cost_metrics"]["cost_usd"].value > 0
    assert 0 < shown["cost_metrics"]["rtf"].value < 10
    for metadata in shown.values():
        assert metadata["reused"].value is False
        assert metadata["log"].value == f"{house.storage.url}/{recording.work_key('log.jsonl')}"
    srt = shown["diarized_transcript"]["transcript.srt"].value
    assert srt == f"{house.storage.url}/{recording.transcript_key('transcript.srt')}"


def test_no_two_events_of_an_asset_share_a_millisecond(house, clips):
    """Dagster's page of an asset shows only one event of a run for each millisecond."""
    recordings = [house.put(clips.english, f"{i}.wav") for i in range(12)]

    house.run(recordings)

    records = house.instance.fetch_materializations(dg.AssetKey("raw_audio"), limit=20).records
    assert len({int(record.timestamp * 1000) for record in records}) == len(recordings)


def test_links_go_where_browsers_reach_the_files(house, clips):
    house.settings = house.settings.model_copy(update={"files_url": "http://localhost:3001/"})
    recording = house.put(clips.english, "a b#1.wav")

    house.run([recording])

    link = materialization(house, "raw_audio", recording).asset_materialization.metadata["log"]
    assert link.value == "http://localhost:3001/work/acme/a%20b%231.wav/log.jsonl"


def test_every_check_is_told_for_each_partition(house, clips, way):
    recordings = [house.put(clips.english, "a.wav"), house.put(clips.other, "b.wav")]

    house.run(recordings)

    for name, (asset, _) in CHECKS.items():
        key = dg.AssetCheckKey(dg.AssetKey(asset), name)
        for recording in recordings:
            [record] = house.instance.event_log_storage.get_asset_check_execution_history(
                key, limit=10, partition_filter=PartitionKeyFilter(key=recording.partition_key)
            )
            evaluation = record.event.dagster_event.event_specific_data
            holds = name != A_REAL_MODEL_HEARD_IT  # the tests use the demo model
            assert (evaluation.passed, evaluation.partition) == (holds, recording.partition_key)


def test_a_word_that_nobody_said_fails_its_check_and_nothing_else(house, clips, monkeypatch):
    monkeypatch.setattr("assets.recordings.diarized_transcript.words_without_speaker", lambda _: 3)
    recording = house.put(clips.english, "meeting.wav")

    assert house.run([recording]).success

    key = dg.AssetCheckKey(dg.AssetKey(DIARIZED_TRANSCRIPT), "every_word_has_a_speaker")
    summary = house.instance.event_log_storage.get_asset_check_summary_records([key])[key]
    evaluation = summary.last_check_execution_record.event.dagster_event.event_specific_data
    assert not evaluation.passed
    assert evaluation.metadata["words_without_speaker"].value == 3
    assert house.status(DIARIZED_TRANSCRIPT) == ({recording.partition_key}, set())


def test_a_failed_partition_says_where_why_and_what_to_do(house, clips, tmp_path, way):
    (tmp_path / "text").write_text("this is no audio")
    bad = house.put(tmp_path / "text", "bad.mp3")
    good = house.put(clips.english, "good.wav")

    house.run([bad, good])

    filtered = dg.AssetRecordsFilter(
        asset_key=dg.AssetKey("raw_audio"), asset_partitions=[bad.partition_key]
    )
    [record] = house.instance.fetch_observations(filtered, limit=5).records
    told = {name: value.value for name, value in record.asset_observation.metadata.items()}
    assert (told["stage"], told["code"]) == ("raw_audio", "not_audio")
    assert "not a document" in told["what_to_do"]
    assert told["log"].endswith("/log.jsonl")
    assert house.status("cost_metrics") == ({good.partition_key}, {bad.partition_key})


def stale_assets(house, recordings):
    """The asset and path of each partition that Dagster does not call fresh."""
    resolver = CachingStaleStatusResolver(
        house.instance,
        defs.get_repository_def().asset_graph,
        LoadingContextForTest(house.instance),
    )
    return {
        (asset, recording.path)
        for asset in STAGES
        for recording in recordings
        if resolver.get_status(dg.AssetKey(asset), recording.partition_key) != StaleStatus.FRESH
    }


def test_versions_follow_the_content_so_that_only_what_changed_is_stale(house, clips):
    first, second = house.put(clips.english, "a.wav"), house.put(clips.other, "b.wav")
    house.run([first, second])
    before = materialization(house, "transcript", first).event_log_entry.tags[DATA_VERSION_TAG]

    assert stale_assets(house, [first, second]) == set()

    house.put(clips.portuguese, "a.wav")
    house.run([first], stages=["raw_audio", "optimized_audio"])

    assert stale_assets(house, [first, second]) == {("transcript", "a.wav")}
    house.run([first, second])
    after = materialization(house, "transcript", first).event_log_entry.tags[DATA_VERSION_TAG]
    assert (stale_assets(house, [first, second]), before != after) == (set(), True)


def test_a_forced_transcript_is_computed_once_more_and_then_stands(house, clips):
    recording = house.put(clips.english, "meeting.wav")
    house.run([recording])

    assert house.run([recording], tags={"escriba/force": "transcript"}).success
    assert len(house.attempts()) == 2
    assert house.run([recording]).success

    assert len(house.attempts()) == 2
    shown = materialization(house, "transcript", recording).asset_materialization.metadata
    assert shown["reused"].value is True


def test_a_forced_stage_that_does_not_exist_is_named(house, clips):
    recording = house.put(clips.english, "meeting.wav")

    result = house.run([recording], tags={"escriba/force": "transcription"})

    assert not result.success
    message = result.failure_data_for_node("recording_chain").user_failure_data.description
    assert "'transcription', which is not an asset" in message
