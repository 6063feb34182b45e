"""Words and speakers from two jobs: the words are bought once, whoever finds the speakers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal

import pytest
from pydantic import SecretStr

from escriba.settings import load_settings
from escriba.stages import COST_METRICS, TRANSCRIPT
from intake.outdated import outdated
from intake.stage_records import CostFacts, TranscriptFacts, read_facts
from resources.gpu.job_folder import JobFolder
from tests.fake_pyannote_ai import FakePyannoteAi

SECONDS = 300  # for busy machines


def wish(house, recording, **wishes):
    house.storage.write(recording.work_key("options.json"), json.dumps(wishes).encode())


def with_settings(house, **settings):
    house.settings = house.settings.model_copy(update=settings)


def done(house, recording, **how):
    [outcome] = house.batch([recording], **how)
    assert outcome.failed is None, outcome.failed
    return {made.stage: made for made in outcome.made}


def facts(house, recording):
    return read_facts(house.storage, recording, TRANSCRIPT, TranscriptFacts)


def said(house, recording):
    """Who says what when, without the name of the recording."""
    found = json.loads(house.text(recording, "diarized.json"))
    return {name: found[name] for name in ("segments", "turns", "speakers", "diarizer", "model")}


def jobs(house, tenant="acme"):
    """What each job of the tenant was asked for, and its attempts."""
    keys = [one.key for one in house.storage.list(f"work/{tenant}/jobs/")]
    attempts = Counter(key.split("/")[3] for key in keys if "/attempt-" in key)
    folders = {job: JobFolder(house.storage, tenant, job).frozen().options for job in attempts}
    return sorted((one.task, one.diarizer, attempts[job]) for job, one in folders.items())


def others(house, **settings):
    root, costs = house.root.as_uri(), house.settings.costs_database
    now = load_settings(storage_url=root, costs_database=costs, **settings)
    return [one.name for one in outdated(house.survey(), now, house.storage).recordings]


@pytest.fixture
def whole(house, clips):
    """What one job for words and speakers gives, for another tenant."""
    recording = house.put(clips.english, "a.wav", "other")
    done(house, recording)
    assert jobs(house, "other") == [("transcribe", "light", 1)]
    return said(house, recording)


def test_words_get_their_speakers_later_by_a_job_that_buys_no_word(house, clips, whole):
    recording = house.put(clips.english, "a.wav")
    wish(house, recording, diarize=False)
    done(house, recording)
    assert jobs(house) == [("transcribe", "none", 1)]
    assert said(house, recording)["turns"] == []
    words = facts(house, recording).job
    wish(house, recording)

    made = done(house, recording)

    assert jobs(house) == [("diarize", "light", 1), ("transcribe", "none", 1)]
    assert said(house, recording) == whole
    found = facts(house, recording)
    assert (found.job, bool(found.speakers_job)) == (words, True)
    assert made[TRANSCRIPT].numbers["speakers_backend"] == "local/this-machine"
    assert made[TRANSCRIPT].numbers["speakers_job"] == found.speakers_job
    rows = [row for row in house.attempts() if row["tenant"] == "acme"]
    assert {row["model"] for row in rows} == {"demo", "speakers:light"}
    assert sorted(row["attempt_id"] for row in rows) == sorted(found.own_attempts)
    costs = read_facts(house.storage, recording, COST_METRICS, CostFacts)
    assert Decimal(costs.cost_usd) == sum(row["cost_usd"] for row in rows)


def test_a_transcript_of_two_jobs_is_up_to_date_whichever_way_is_set_now(house, clips):
    recording = house.put(clips.english, "a.wav")
    wish(house, recording, diarize=False)
    done(house, recording)
    wish(house, recording)
    done(house, recording)

    assert all(made.reused for made in done(house, recording).values())
    assert others(house, default_language="auto") == []
    assert others(house, default_language="auto", speakers_backend="local") == []
    with_settings(house, speakers_backend="local")
    assert all(made.reused for made in done(house, recording).values())
    assert others(house, default_language="auto", hotwords="Ana") == ["acme/a.wav"]


def test_a_backend_for_the_speakers_gives_the_same_transcript_by_two_jobs(house, clips, whole):
    with_settings(house, speakers_backend="local")
    recording = house.put(clips.english, "a.wav")

    made = done(house, recording)

    assert jobs(house) == [("diarize", "light", 1), ("transcribe", "none", 1)]
    assert said(house, recording) == whole
    assert "local/this-machine is SPEAKERS_BACKEND" in made[TRANSCRIPT].numbers["speakers_route"]
    assert all(one.reused for one in done(house, recording).values())


def test_what_one_job_gave_is_not_made_again_by_two(house, clips):
    recording = house.put(clips.english, "a.wav")
    done(house, recording)
    with_settings(house, speakers_backend="local")
    house.storage.delete(recording.transcript_key("transcript.json"))

    done(house, recording)

    assert jobs(house) == [("transcribe", "light", 1)]


def test_another_number_of_speakers_buys_speakers_and_no_words(house, clips):
    recording = house.put(clips.english, "a.wav")
    done(house, recording)
    wish(house, recording, max_speakers=1)

    done(house, recording)

    assert jobs(house) == [("diarize", "light", 1), ("transcribe", "light", 1)]
    assert [one["label"] for one in said(house, recording)["speakers"]] == ["SPEAKER_00"]


def test_a_forced_run_buys_both_again_and_the_next_run_finds_them(house, clips):
    with_settings(house, speakers_backend="local")
    recording = house.put(clips.english, "a.wav")
    house.run([recording])

    assert house.run([recording], tags={"escriba/force": TRANSCRIPT}).success

    assert len(jobs(house)) == 4
    house.storage.delete(recording.transcript_key("transcript.json"))
    done(house, recording)
    assert len(jobs(house)) == 4


def test_without_speakers_the_words_stand_with_a_warning_and_a_later_run_tries_again(
    house, clips, quick
):
    with_settings(house, speakers_backend="local", max_attempts=1)  # `quick` has no diarizer
    recording = house.put(clips.english, "a.wav")

    made = done(house, recording)

    assert house.text(recording, "transcript.txt")
    [warning] = made[TRANSCRIPT].warnings
    assert warning.code == "no_speakers"
    assert "DIARIZER=none" in warning.message
    assert jobs(house) == [("diarize", "light", 1), ("transcribe", "none", 1)]
    assert len(facts(house, recording).own_attempts) == 2
    assert others(house, default_language="auto", speakers_backend="local") == ["acme/a.wav"]

    done(house, recording)

    assert jobs(house) == [("diarize", "light", 2), ("transcribe", "none", 1)]


def test_words_that_fail_fail_the_recording_though_speakers_were_found(house, clips, quick):
    with_settings(house, speakers_backend="local", max_attempts=1)
    quick.breaks = True
    recording = house.put(clips.english, "a.wav")

    [outcome] = house.batch([recording])

    assert (outcome.failed.stage, outcome.failed.code) == (TRANSCRIPT, "attempts_exhausted")


def test_a_run_killed_between_the_two_jobs_goes_on_and_buys_nothing_twice(house, clips):
    recording = house.put(clips.english, "a.wav")

    def results():
        return [one for one in house.storage.list("work/acme/jobs/") if "/result" in one.key]

    environment = os.environ | {
        "STORAGE_URL": house.settings.storage_url,
        "DAGSTER_HOME": str(house.root.parent / "dagster"),
        "DEFAULT_LANGUAGE": "auto",
        "SPEAKERS_BACKEND": "local",
        "LOCAL_WORKERS": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "run", "--json"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + SECONDS
    while not results() and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it falls between the two jobs"
    first = len(results())
    with_settings(house, speakers_backend="local")

    done(house, recording)

    assert first == 1
    assert len(results()) == 2
    attempts = [attempt for *_, attempt in jobs(house)]
    assert sum(attempts) <= 3, "only the killed attempt is repeated"


@pytest.fixture
def service(house):
    """pyannoteAI on loopback, which has the speakers."""
    with FakePyannoteAi("pyannote-SECRET") as service:
        key = {"pyannote_ai_api_key": SecretStr(service.key)}
        with_settings(house, speakers_backend="pyannote_ai", **service.settings | key)
        yield service


def test_words_come_from_here_and_speakers_from_a_service_and_both_are_charged(
    house, clips, service
):
    recording = house.put(clips.english, "a.wav")

    made = done(house, recording)

    assert jobs(house) == [("diarize", "pyannote_ai", 1), ("transcribe", "none", 1)]
    assert said(house, recording)["diarizer"] == "pyannote_ai"
    assert {one["label"] for one in said(house, recording)["speakers"]} == {
        "SPEAKER_00",
        "SPEAKER_01",
    }
    assert made[TRANSCRIPT].numbers["backend"] == "local/this-machine"
    assert made[TRANSCRIPT].numbers["speakers_backend"] == "pyannote_ai/precision-2"
    [seconds] = service.bills.values()
    [row] = [row for row in house.attempts() if row["backend"] == "pyannote_ai"]
    eur_an_hour, usd_per_eur = Decimal("0.112"), Decimal("1.1")
    expected = Decimal(seconds) * eur_an_hour * usd_per_eur / 3600
    assert abs(row["cost_usd"] - expected) < Decimal("0.000001")
    assert house.settings.pyannote_ai_api_key.get_secret_value() not in house.text(
        recording, "transcript.json"
    )


def test_another_finder_of_speakers_buys_no_word_again(house, clips, service):
    recording = house.put(clips.english, "a.wav")
    done(house, recording)
    with_settings(house, speakers_backend="")
    assert others(house, default_language="auto") == ["acme/a.wav"]

    done(house, recording)

    assert jobs(house) == [
        ("diarize", "light", 1),
        ("diarize", "pyannote_ai", 1),
        ("transcribe", "none", 1),
    ]
    assert len(service.jobs) == 1


def test_a_refused_key_keeps_the_words_and_the_next_run_needs_only_speakers(house, clips, service):
    recording = house.put(clips.english, "a.wav")
    with_settings(house, pyannote_ai_api_key=SecretStr("wrong"))

    [outcome] = house.batch([recording])

    assert outcome.failed.code == "cannot_start"
    assert "PYANNOTE_AI_API_KEY" in outcome.failed.message
    assert jobs(house) == [("transcribe", "none", 1)]
    with_settings(house, pyannote_ai_api_key=SecretStr(service.key))
    done(house, recording)
    assert jobs(house) == [("diarize", "pyannote_ai", 1), ("transcribe", "none", 1)]


def test_a_tenant_that_forbids_third_parties_keeps_its_audio_and_gets_words_alone(
    house, clips, service, tmp_path
):
    rules = tmp_path / "tenants.yaml"
    rules.write_text("tenants: {acme: {third_parties: false}}")
    with_settings(house, tenants_file=rules)
    recording = house.put(clips.english, "a.wav")

    made = done(house, recording)

    assert service.requests["diarize"] == service.requests["upload"] == 0
    [warning] = made[TRANSCRIPT].warnings
    assert "it sends audio to a third party, which the tenant forbids" in warning.message
    assert house.text(recording)
