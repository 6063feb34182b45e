"""A recording keeps the options of its transcript, whatever the current options are."""

import json

import pytest

from escriba.settings import load_settings
from escriba.stages import COST_METRICS, DIARIZED_TRANSCRIPT
from intake.outdated import outdated
from intake.stage_records import record_key


def others(house, **settings):
    """Names of the recordings that these settings would transcribe differently."""
    root, costs = house.root.as_uri(), house.settings.costs_database
    now = load_settings(storage_url=root, costs_database=costs, **settings)
    return [one.name for one in outdated(house.survey(), now, house.storage).recordings]


def with_settings(house, **settings):
    house.settings = house.settings.model_copy(update=settings)


@pytest.fixture
def done(house, clips, quick):
    """A mono recording, transcribed by the demo model in the language that it detects."""
    recording = house.put(clips.english, "a.wav")
    [outcome] = house.batch([recording])
    assert outcome.failed is None
    return recording


def test_files_that_are_made_anew_under_other_settings_leave_the_transcript_outdated(house, done):
    """Write files as `escriba backfill --stage diarized_transcript --stage cost_metrics` does."""
    with_settings(house, default_language="pt")
    for stage in (DIARIZED_TRANSCRIPT, COST_METRICS):
        house.storage.delete(record_key(done, stage))

    [outcome] = house.batch([done], stages=(DIARIZED_TRANSCRIPT, COST_METRICS))

    assert outcome.failed is None
    assert others(house, default_language="pt") == ["acme/a.wav"]
    assert others(house, default_language="auto") == []


def test_what_a_toy_wrote_stays_a_toys_and_no_other_becomes_one(house, done):
    with_settings(house, model="small")
    for stage in (DIARIZED_TRANSCRIPT, COST_METRICS):
        house.storage.delete(record_key(done, stage))

    house.batch([done], stages=(DIARIZED_TRANSCRIPT, COST_METRICS))

    told = json.loads(house.text(done, "diarized.json"))
    assert (told["model"], told["toy"]) == ("demo", True)
    assert house.text(done).startswith("Made by the demo's toy model")
    [made] = house.survey().made.values()
    assert (made.model, made.toy) == ("demo", True)


def test_a_transcript_of_an_older_version_names_the_model_of_its_job(house, done):
    key = done.transcript_key("transcript.json")
    older = json.loads(house.storage.read(key))
    for name in ("model", "toy", "weights"):
        del older[name]
    house.storage.write(key, json.dumps(older).encode())
    record = json.loads(house.storage.read(record_key(done, "transcript")))
    for name in ("model", "toy", "weights"):
        del record["facts"][name]
    house.storage.write(record_key(done, "transcript"), json.dumps(record).encode())
    with_settings(house, model="small")
    house.storage.delete(record_key(done, DIARIZED_TRANSCRIPT))

    house.batch([done], stages=(DIARIZED_TRANSCRIPT, COST_METRICS))

    told = json.loads(house.text(done, "diarized.json"))
    assert (told["model"], told["toy"]) == ("demo", True)


@pytest.mark.parametrize("settings", [{"track": "2"}, {"channels": "separate"}])
def test_a_wish_that_the_file_cannot_fulfil_makes_nothing_outdated(house, done, settings):
    assert others(house, default_language="auto", **settings) == []


def test_a_wish_that_gave_the_same_transcript_is_settled_by_one_look(house, done):
    key = record_key(done, COST_METRICS)
    record = json.loads(house.storage.read(key))
    record["facts"]["made_with"] = "of options that have another name now"
    house.storage.write(key, json.dumps(record).encode())
    assert others(house, default_language="auto") == ["acme/a.wav"]

    house.batch([done])

    assert others(house, default_language="auto") == []
    assert len(house.attempts()) == 1
