"""Damaged and missing objects of a recording are made again, without another job."""

import pytest

from escriba.stages import STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_a_damaged_record_makes_its_stage_be_done_again_and_no_job_be_bought(house, clips, stage):
    recording = house.put(clips.english, "meeting.wav")
    house.run([recording])
    before = house.text(recording)
    house.storage.write(recording.work_key(f"stages/{stage}.json"), b'{"half')

    house.survey()
    [outcome] = house.batch([recording])

    assert outcome.failed is None
    assert house.text(recording) == before
    assert len(house.attempts()) == 1


@pytest.mark.parametrize("name", ["result.json", "attempt-1.json"])
def test_a_damaged_object_of_a_job_is_named_and_costs_no_other_recording(house, clips, name):
    broken, good = house.put(clips.english, "a.wav"), house.put(clips.other, "b.wav")
    house.batch([broken, good])
    [key] = [
        one.key
        for one in house.storage.list("work/acme/jobs/")
        if one.key.endswith(name)
        and b"acme/a.wav" in house.storage.read(one.key.rsplit("/", 1)[0] + "/attempt-1.json")
    ]
    house.storage.write(key, b"")
    for recording in (broken, good):
        house.storage.delete(recording.work_key("stages/transcript.json"))

    outcomes = {outcome.recording: outcome.failed for outcome in house.batch([broken, good])}

    assert key in outcomes[broken].message
    assert outcomes[good] is None


def test_a_transcript_that_somebody_removed_is_made_again_without_a_new_job(house, clips):
    recording = house.put(clips.english, "meeting.wav")
    house.run([recording])
    before = house.text(recording)
    for one in list(house.storage.list("transcripts/")):
        house.storage.delete(one.key)

    assert house.survey().work == [recording]
    house.run([recording])

    assert house.text(recording) == before
    assert len(house.attempts()) == 1
