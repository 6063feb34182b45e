import json

import dagster as dg
import numpy as np
import pytest

from escriba.stages import STAGES
from escriba.transcripts.diarized import loads
from pipelines.definitions import defs


def metadata(house, asset, recording):
    """The metadata of the newest materialization of a partition."""
    events = house.instance.fetch_materializations(
        dg.AssetRecordsFilter(
            asset_key=dg.AssetKey(asset), asset_partitions=[recording.partition_key]
        ),
        limit=1,
    )
    found = events.records[0].asset_materialization.metadata
    return {name: value.value for name, value in found.items()}


def test_a_batch_of_two_languages_becomes_transcripts_with_speakers_and_a_bill(house, clips):
    english = house.put(clips.english, "meeting.wav")
    portuguese = house.put(clips.portuguese, "sessões/reunião.mp3")

    assert house.run([english, portuguese]).success

    assert "Good morning everyone" in house.text(english)
    assert "Bom dia a todos" in house.text(portuguese)
    made = loads(house.text(english, "diarized.json"))
    assert made.language == "en"
    assert {speaker.label for speaker in made.speakers} == {"SPEAKER_00", "SPEAKER_01"}
    rows = house.attempts()
    assert [row["status"] for row in rows] == ["done", "done"]
    assert all(row["cost_usd"] > 0 and row["backend"] == "local" for row in rows)
    for asset in STAGES:
        keys = {english.partition_key, portuguese.partition_key}
        assert house.status(asset) == (keys, set())


def test_a_second_run_does_nothing_again_and_says_so(house, clips):
    recording = house.put(clips.english, "meeting.wav")
    house.run([recording])
    before = {one.key: one.etag for one in house.storage.list("work/acme/jobs/")}

    assert house.run([recording]).success

    assert {one.key: one.etag for one in house.storage.list("work/acme/jobs/")} == before
    assert all(metadata(house, asset, recording)["reused"] for asset in STAGES)
    assert len(house.attempts()) == 1


def test_a_bad_file_fails_alone_and_a_retry_takes_only_it(house, clips, tmp_path):
    good = house.put(clips.english, "good.wav")
    text = tmp_path / "text"
    text.write_text("this is no audio")
    bad = house.put(text, "bad.mp3")

    result = house.run([good, bad])

    assert not result.success
    assert house.status("raw_audio") == ({good.partition_key}, {bad.partition_key})
    assert house.status("cost_metrics") == ({good.partition_key}, {bad.partition_key})
    table = result.failure_data_for_node("recording_chain").user_failure_data.metadata["failed"]
    assert "acme/bad.mp3" in table.value
    assert list(house.survey().failed) == [bad]

    house.put(clips.other, "bad.mp3")
    assert house.survey().work == [bad]
    assert house.run([bad]).success
    assert house.status("cost_metrics")[1] == set()
    assert house.survey().failed == {}


def test_a_backfill_of_a_range_takes_its_partitions_from_the_tags(house, clips):
    first = house.put(clips.english, "a.wav")
    last = house.put(clips.other, "b.wav")
    house.instance.add_dynamic_partitions("recordings", [first.partition_key, last.partition_key])
    tags = {
        "dagster/asset_partition_range_start": first.partition_key,
        "dagster/asset_partition_range_end": last.partition_key,
    }

    assert house.run(tags=tags).success

    assert house.status("cost_metrics")[0] == {first.partition_key, last.partition_key}


@pytest.mark.parametrize("way", ["stages in the config", "assets chosen in the UI"])
def test_one_asset_alone_is_made_from_what_stands(house, clips, way):
    recording = house.put(clips.english, "meeting.wav")
    house.run([recording])
    subtitles = recording.transcript_key("transcript.srt")
    before = house.storage.read(subtitles)
    house.storage.delete(subtitles)

    if way == "stages in the config":
        result = house.run([recording], stages=["diarized_transcript"])
    else:
        tags = {"dagster/partition": recording.partition_key}
        result = house.run(selection=["diarized_transcript"], tags=tags)

    assert result.success

    assert house.storage.read(subtitles) == before
    assert len(house.attempts()) == 1


def test_an_asset_without_its_upstream_says_which_one_is_missing(house, clips):
    recording = house.put(clips.english, "meeting.wav")

    result = house.run([recording], stages=["transcript"])

    assert not result.success
    [(_, refusal)] = house.survey().to_retry.items()
    assert refusal.code == "upstream_missing"
    assert "optimized_audio" in refusal.message


def test_an_overwritten_file_is_new_work(house, clips):
    recording = house.put(clips.english, "meeting.wav")
    house.run([recording])
    house.put(clips.other, "meeting.wav")

    assert house.survey().work == [recording]
    house.run([recording])

    assert "Good morning" not in house.text(recording)
    assert len(house.attempts()) == 2


def test_the_same_content_is_computed_once_in_a_tenant_and_never_shared_between_two(house, clips):
    one = house.put(clips.english, "one.wav")
    twin = house.put(clips.english, "twin.wav")
    stranger = house.put(clips.english, "one.wav", tenant="zeta")

    assert house.run([one, twin, stranger]).success

    texts = {house.text(recording) for recording in (one, twin, stranger)}
    assert len(texts) == 1
    backends = sorted((row["tenant"], row["backend"]) for row in house.attempts())
    assert backends == [("acme", "local"), ("acme", "none"), ("zeta", "local")]


def test_a_recording_without_speech_succeeds_without_a_job(house, wav, tmp_path):
    silent = house.put(wav.write(tmp_path / "s.wav", np.zeros(16000 * 4, np.int16)), "silence.wav")

    assert house.run([silent]).success

    [row] = house.attempts()
    assert (row["backend"], row["cost_usd"], row["audio_seconds"]) == ("none", 0, 4.0)
    assert loads(house.text(silent, "diarized.json")).segments == ()
    assert list(house.storage.list("work/acme/jobs/")) == []


def test_channels_that_are_kept_apart_are_the_speakers(house, clips, wav, tmp_path):
    stereo = tmp_path / "stereo.wav"
    wav.write(stereo, wav.read(clips.english), wav.read(clips.other))
    recording = house.put(stereo, "call.wav")
    house.storage.write(recording.work_key("options.json"), b'{"channels": "separate"}')

    assert house.run([recording]).success

    made = loads(house.text(recording, "diarized.json"))
    spoken = {
        s.label: " ".join(part.text for part in made.segments if part.speaker == s.label)
        for s in made.speakers
    }
    assert "Good morning everyone" in spoken["SPEAKER_00"]
    assert "Good morning" not in spoken["SPEAKER_01"]
    assert "budget" in spoken["SPEAKER_01"]


def test_a_tenant_and_a_recording_may_wish_for_a_language(house, clips, tmp_path):
    (tmp_path / "tenants.yaml").write_text("tenants:\n  acme: {language: pt}\n")
    by_tenant = house.put(clips.english, "a.wav")
    by_itself = house.put(clips.english, "b.wav")
    house.storage.write(by_itself.work_key("options.json"), b'{"language": "en"}')

    assert house.run([by_tenant, by_itself]).success

    assert loads(house.text(by_tenant, "diarized.json")).language == "pt"
    assert loads(house.text(by_itself, "diarized.json")).language == "en"


def test_no_word_of_a_transcript_reaches_dagster(house, clips):
    recording = house.put(clips.english, "meeting.wav")
    result = house.run([recording])

    events = json.dumps([str(event) for event in result.all_events])
    assert "morning" in house.text(recording)
    assert "morning" not in events


def test_a_tenant_may_ask_for_a_preview_of_its_words(house, clips, tmp_path):
    (tmp_path / "tenants.yaml").write_text("tenants:\n  acme: {preview: true}\n")
    shown, hidden = house.put(clips.english, "a.wav"), house.put(clips.english, "a.wav", "zeta")

    house.run([shown, hidden])

    assert "Good morning everyone" in metadata(house, "diarized_transcript", shown)["preview"]
    assert "preview" not in metadata(house, "diarized_transcript", hidden)


@pytest.mark.parametrize("asset", STAGES)
def test_every_asset_of_the_chain_is_partitioned_by_recording(asset):
    definition = defs.get_assets_def(dg.AssetKey(asset))
    assert definition.partitions_def.name == "recordings"


def test_the_recordings_own_log_tells_of_each_stage(house, clips):
    recording = house.put(clips.english, "meeting.wav")
    house.run([recording])

    lines = house.storage.read(recording.work_key("log.jsonl")).decode().splitlines()

    assert [json.loads(line)["event"] for line in lines] == list(STAGES)


def test_a_partition_that_names_no_recording_fails_alone(house, clips):
    good = house.put(clips.english, "good.wav")
    keys = [good.partition_key, "t/../u/x.wav"]
    house.instance.add_dynamic_partitions("recordings", keys)
    tags = {
        "dagster/asset_partition_range_start": keys[0],
        "dagster/asset_partition_range_end": keys[1],
    }

    result = house.run(tags=tags)

    assert not result.success
    assert house.status("cost_metrics") == ({good.partition_key}, {keys[1]})
