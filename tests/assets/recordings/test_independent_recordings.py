"""What happens to one recording does not affect another one."""

import json
import os
from pathlib import Path

import av
import numpy as np

import assets.recordings.diarized_transcript
from intake.inbox import quarantine_new


def test_a_damaged_log_of_one_recording_stops_no_batch(house, clips):
    broken, good = house.put(clips.english, "a.wav"), house.put(clips.other, "b.wav")
    house.storage.write(broken.work_key("log.jsonl"), b"\xff\xfe\n")

    assert house.run([broken, good]).success
    assert b'"cost_metrics"' in house.storage.read(broken.work_key("log.jsonl"))


def test_eight_hours_of_silence_succeed_with_an_empty_transcript_and_no_job(house, tmp_path):
    silence = tmp_path / "silence.flac"
    with av.open(str(silence), "w") as made:
        stream = made.add_stream("flac", rate=16000, layout="mono")
        minute = np.zeros((1, 16000 * 60), np.int16)
        for _ in range(8 * 60):
            frame = av.AudioFrame.from_ndarray(minute, "s16", "mono")
            frame.sample_rate = 16000
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    recording = house.put(silence, "night.flac")

    [outcome] = house.batch([recording])

    assert outcome.failed is None
    assert house.text(recording, "transcript.srt") == ""
    [row] = house.attempts()
    assert (row["backend"], row["cost_usd"], row["audio_seconds"]) == ("none", 0, 8 * 3600.0)
    assert list(house.storage.list("work/acme/jobs/")) == []


def test_the_same_name_in_two_tenants_is_two_recordings(house, clips):
    ours = house.put(clips.english, "same.wav", tenant="acme")
    theirs = house.put(clips.other, "same.wav", tenant="zeta")

    house.run([ours, theirs])

    assert "Good morning" in house.text(ours)
    assert "Good morning" not in house.text(theirs)


def test_a_bug_in_one_recordings_way_is_told_and_costs_no_other(house, clips, monkeypatch):
    broken, good = house.put(clips.english, "a.wav"), house.put(clips.other, "b.wav")
    stage = assets.recordings.diarized_transcript
    monkeypatch.setattr(stage, "_diarized", _breaking_for(broken, stage._diarized))

    outcomes = {outcome.recording: outcome for outcome in house.batch([broken, good])}

    assert outcomes[broken].failed.code == "internal"
    assert outcomes[good].failed is None


def _breaking_for(recording, function):
    def maybe(context, *arguments):
        if context.recording == recording:
            raise ZeroDivisionError
        return function(context, *arguments)

    return maybe


def test_names_that_can_be_no_recording_are_quarantined_alone(house, clips):
    good = house.put(clips.english, "good.wav")
    inbox = os.fsencode(house.root / "inbox")
    _put_unusable_names(inbox)

    seen = house.survey()
    assert quarantine_new(house.storage, seen.refused) == seen.refused
    assert quarantine_new(house.storage, seen.refused) == []

    assert seen.work == [good]
    assert {refused.code for refused in seen.refused} == {
        "control_characters",
        "not_utf8",
        "tenant_not_allowed",
        "no_tenant",
        "not_a_file",
    }
    records = list((house.root / "quarantine" / "_").iterdir())
    names = {json.loads(record.read_text())["name"] for record in records}
    assert "inbox/acme/bell\\x07.wav" in names
    assert "inbox/acme/escape\\x9b31m.wav" in names
    assert "inbox/acme/latin-\\xe3.wav" in names


def _put_unusable_names(inbox):
    """Files in the folder with names that are not allowed, and a pipe."""
    for name in (
        b"acme/bell\x07.wav",
        "acme/escape\x9b31m.wav".encode(),
        b"acme/latin-\xe3.wav",
        b"Not Allowed!/x.wav",
        b"stray.wav",
    ):
        path = Path(os.fsdecode(inbox + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    os.mkfifo(inbox + b"/acme/pipe.wav")
