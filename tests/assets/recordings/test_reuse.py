"""Up-to-date stages are skipped, and outdated ones run again."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import assets.recordings.batch
import assets.recordings.raw_audio
from cli.commands.retry import command as retry_command
from escriba.stages import RAW_AUDIO

UP_TO_NOW = ("raw_audio", "optimized_audio", "transcript", "diarized_transcript")


def wish(house, recording, **wishes):
    house.storage.write(recording.work_key("options.json"), json.dumps(wishes).encode())


def done(house, recording, *stages):
    """Whether each stage was reused, in a run without failures."""
    [outcome] = house.batch([recording], **({"stages": stages} if stages else {}))
    assert outcome.failed is None
    return {made.stage: made.reused for made in outcome.made}


def test_subtitles_that_somebody_wrote_over_are_restored(house, silence):
    recording = house.put(silence(), "a.wav")
    done(house, recording)
    house.storage.write(recording.transcript_key("transcript.srt"), b"1\nnonsense")

    assert not done(house, recording)["diarized_transcript"]

    assert house.text(recording, "transcript.srt") == ""


def test_another_language_is_another_transcript(house, clips, quick):
    recording = house.put(clips.english, "a.wav")
    done(house, recording)
    wish(house, recording, language="pt")

    done(house, recording)

    assert json.loads(house.text(recording, "transcript.json"))["language"] == "pt"
    assert json.loads(house.text(recording, "diarized.json"))["language"] == "pt"
    assert len(house.attempts()) == 2


def test_another_look_makes_the_files_anew_and_no_job(house, clips, quick):
    recording = house.put(clips.english, "a.wav")
    done(house, recording)
    assert "<c>" not in house.text(recording, "transcript.vtt")
    assert house.storage.read(recording.transcript_key("transcript.docx"))[:2] == b"PK"

    wish(house, recording, subtitle_highlight=True, formats=["vtt", "csv"])
    redone = done(house, recording)

    assert redone["transcript"]
    assert not redone["diarized_transcript"]
    assert "<c>" in house.text(recording, "transcript.vtt")
    assert house.text(recording, "transcript.csv")
    assert (
        house.storage.read(recording.transcript_key("transcript.docx")) is None
    )  # else it would be outdated
    assert house.storage.read(recording.transcript_key("diarized.json")) is not None
    assert len(house.attempts()) == 1


def test_a_look_that_nobody_set_leaves_what_stands(house, clips, quick):
    recording = house.put(clips.english, "a.wav")
    done(house, recording)
    wish(house, recording, subtitle_speakers="none", subtitle_highlight=False)

    assert done(house, recording)["diarized_transcript"]


def test_channels_that_are_kept_apart_are_another_audio_and_another_transcript(
    house, clips, wav, tmp_path, quick
):
    english, other = wav.read(clips.english), wav.read(clips.other)
    recording = house.put(wav.write(tmp_path / "stereo.wav", english, other), "a.wav")
    done(house, recording)
    wish(house, recording, channels="separate")

    done(house, recording)

    said = json.loads(house.text(recording, "transcript.json"))
    assert {part["channel"] for part in said["segments"]} == {0, 1}
    assert len(house.attempts()) == 2


def test_a_silent_file_in_the_place_of_another_has_its_own_length_and_bill(house, silence):
    recording = house.put(silence(4), "a.wav")
    done(house, recording)
    house.put(silence(5), "a.wav")

    done(house, recording)

    assert json.loads(house.text(recording, "diarized.json"))["audio_ms"] == 5_000
    assert sorted(row["audio_seconds"] for row in house.attempts()) == [4.0, 5.0]


def test_what_failed_for_now_and_succeeded_later_is_in_quarantine_no_more(house, silence):
    recording = house.put(silence(), "a.wav")
    house.batch([recording], stages=("transcript",))
    assert list(house.survey().to_retry) == [recording]

    done(house, recording)

    assert house.survey().done == [recording]
    assert list(house.storage.list("quarantine/")) == []


@pytest.mark.parametrize("made_before", [UP_TO_NOW[:3], UP_TO_NOW])
def test_a_transcript_of_an_older_file_is_not_joined_with_newer_audio(house, silence, made_before):
    recording = house.put(silence(4), "a.wav")
    done(house, recording, *made_before)
    house.put(silence(5), "a.wav")
    done(house, recording, "raw_audio", "optimized_audio")

    [outcome] = house.batch([recording], stages=("diarized_transcript",))

    assert outcome.failed.code == "upstream_stale"
    assert not outcome.failed.permanent


@pytest.mark.parametrize("anew", [UP_TO_NOW[:1], UP_TO_NOW[:3]])
def test_a_bill_for_an_older_file_does_not_make_a_newer_one_done(house, silence, anew):
    recording = house.put(silence(4), "a.wav")
    done(house, recording)
    house.put(silence(5), "a.wav")
    done(house, recording, *anew)

    [outcome] = house.batch([recording], stages=("cost_metrics",))

    assert outcome.failed.code == "upstream_stale"
    assert house.survey().work == [recording]
    done(house, recording)
    assert house.survey().done == [recording]


def test_an_exhausted_job_begins_again_only_where_somebody_asks(house, clips, quick):
    quick.breaks = True
    recording = house.put(clips.english, "a.wav")

    for retry, attempts in ((False, 3), (False, 3), (True, 6)):
        assert not house.run([recording], retry=retry).success
        assert len(house.attempts()) == attempts
        assert house.survey().failed[recording].code == "attempts_exhausted"

    quick.breaks = False
    assert house.run([recording], retry=True).success
    assert house.survey().done == [recording]


def test_the_command_retry_allows_an_exhausted_job_as_many_attempts_again(
    house, clips, quick, monkeypatch, tmp_path
):
    quick.breaks = True
    recording = house.put(clips.english, "a.wav")
    house.batch([recording])
    quick.breaks = False
    monkeypatch.setenv("STORAGE_URL", house.settings.storage_url)
    monkeypatch.setenv("DEFAULT_LANGUAGE", "auto")  # as in the fixture's settings: the same job
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))

    told = json.loads(CliRunner().invoke(retry_command, ["--json"]).output)

    assert told["done"] == ["acme/a.wav"]
    assert [row["status"] for row in house.attempts()] == ["failed"] * 3 + ["done"]


def replace_during_a_run(house, file, meanwhile, when):
    """Overwrite a.wav while it is read, or after the first stage."""
    stages, module = assets.recordings.batch._AUDIO_STAGES, assets.recordings.raw_audio
    examine, digest = stages[RAW_AUDIO], module._digest

    def then_replaced(path):
        result = digest(path)
        house.put(file, "a.wav")
        return result

    async def replaced_afterwards(context):
        made = await examine(context)
        house.put(file, "a.wav")
        return made

    if when == "while it is read":
        meanwhile.setattr(module, "_digest", then_replaced)
    else:
        meanwhile.setitem(stages, RAW_AUDIO, replaced_afterwards)


@pytest.mark.parametrize("when", ["while it is read", "between two stages"])
def test_a_file_that_is_replaced_by_one_of_the_same_size_is_not_mixed_with_it(
    house, wav, tmp_path, monkeypatch, when
):
    one, two = (wav.write(tmp_path / f"{n}.wav", np.full(64_000, n, np.int16)) for n in (0, 1))
    recording = house.put(one, "a.wav")

    with monkeypatch.context() as meanwhile:
        replace_during_a_run(house, two, meanwhile, when)
        [outcome] = house.batch([recording])

    assert outcome.failed.code == "still_changing"
    done(house, recording)
    assert house.survey().done == [recording]
