"""Warnings of a recording are shown everywhere, each once."""

import json
from datetime import UTC, datetime

import dagster as dg
import numpy as np
import pytest
from click.testing import CliRunner

from cli.cli_context import original_stream
from cli.commands.show import command as show
from cli.commands.status import command as status
from intake.night import write_digest

CODE = "mixed_though_separate"


@pytest.fixture
def odd(house, clips):
    """A mono recording with the option of separate channels."""
    recording = house.put(clips.english, "odd.wav")
    house.storage.write(recording.work_key("options.json"), b'{"channels": "separate"}')
    return recording


def told(house, command, *arguments):
    environment = {"STORAGE_URL": house.storage.url, "DAGSTER_HOME": str(house.root / "home")}
    return CliRunner(env=environment).invoke(command, arguments, catch_exceptions=False)


def test_a_run_tells_each_warning_of_each_recording_once(house, odd, clips):
    plain = house.put(clips.other, "plain.wav")

    first, second = house.batch([odd, plain])

    assert [warning.code for warning in first.warnings] == [CODE]
    assert second.warnings == ()


def test_a_warning_is_told_again_where_everything_stands(house, odd):
    house.batch([odd])

    [again] = house.batch([odd])

    assert all(made.reused for made in again.made)
    assert [warning.code for warning in again.warnings] == [CODE]


def test_status_show_the_json_and_the_digest_tell_of_it_once(house, odd, capfd):
    house.batch([odd])

    counted = json.loads(told(house, status, "--json").stdout)["warnings"]
    shown = told(house, show, "odd")
    file = json.loads(house.text(odd, "diarized.json"))
    first = write_digest(house.settings, house.storage, "2026-11-24", datetime.now(UTC))
    second = write_digest(house.settings, house.storage, "2026-11-25", datetime.now(UTC))

    [message] = file["warnings"]
    assert [(one["recording"], one["code"]) for one in counted] == [(odd.name, CODE)]
    assert shown.stderr.count(message) == 1
    assert message not in shown.stdout
    original_stream.cache_clear()  # of another test's output
    told(house, status)
    assert capfd.readouterr().out.count("Separate channels were requested") == 1
    assert [(one.recording, one.code) for one in first.warnings] == [(odd.name, CODE)]
    assert second.warnings == ()
    page = house.storage.read("digests/2026-11-24.md").decode()
    assert page.count(CODE) == 1
    assert page.count(message) == 1


def test_dagster_shows_it_as_a_check_that_warns(house, odd):
    house.run([odd])

    evaluations = house.instance.get_records_for_run(
        house.instance.get_runs()[0].run_id,
        of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    ).records
    found = [record.event_log_entry.dagster_event.event_specific_data for record in evaluations]
    [check] = [one for one in found if one.check_name == "nothing_to_warn_of"]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert "Separate channels" in check.metadata[CODE].value


def test_a_record_of_an_older_version_holds_sentences_that_are_still_told(house, odd):
    house.batch([odd])
    key = odd.work_key("stages/optimized_audio.json")
    record = json.loads(house.storage.read(key))
    record["facts"]["warnings"] = ["an old sentence"]
    house.storage.write(key, json.dumps(record).encode())

    [outcome] = house.batch([odd])

    assert [warning.message for warning in outcome.warnings] == ["an old sentence"]
    assert json.loads(house.text(odd, "diarized.json"))["warnings"] == ["an old sentence"]


def test_a_transcript_of_audio_with_another_clock_stands_and_says_so(house, clips):
    recording = house.put(clips.english, "a.wav")
    house.batch([recording])
    key = recording.work_key("stages/transcript.json")
    record = json.loads(house.storage.read(key))
    record["facts"]["audio_ms"] -= 3000
    house.storage.write(key, json.dumps(record).encode())

    [outcome] = house.batch([recording])

    assert [warning.code for warning in outcome.warnings] == ["times_of_an_older_version"]
    assert len(house.attempts()) == 1


def test_silence_is_told_as_such(house, wav, tmp_path):
    recording = house.put(wav.write(tmp_path / "a.wav", np.zeros(32_000, np.int16)), "a.wav")

    [outcome] = house.batch([recording])

    assert [warning.code for warning in outcome.warnings] == ["nobody_speaks"]
