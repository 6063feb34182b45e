"""escriba estimate: what a folder or the bucket would cost, before anything is spent."""

import json
import wave
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner

from cli.commands.estimate import command
from cli.estimates.estimate_plan import EstimateSetup, plan
from cli.estimates.excluded_backends import exclusion_text
from cli.estimates.recording_sizes import (
    SizedRecording,
    UnsizedRecording,
    measure_bucket,
    run_measurements,
)
from escriba.billing.measured_speeds import MeasuredSpeed
from escriba.billing.price_book import read_price_book
from escriba.billing.quotes import Capabilities, JobSize, Speed, audio_quote, machine_quote
from escriba.recordings import from_inbox_key
from escriba.settings import load_settings
from escriba.stages import OPTIMIZED_AUDIO, RAW_AUDIO
from gpu_job.contract import SpeechRegion
from intake.stage_records import OptimizedAudioFacts, RawAudio, StageRecord, record_key
from resources.price_book import open_price_book
from resources.storage import open_storage
from resources.storage import ranged_read as glimpse_module

from .conftest import MEDIA, escriba

NOW = datetime.now(UTC)


def sound(path, seconds=2.0, rate=16_000):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * round(seconds * rate)))
    return path


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder in which nothing is set up but this machine."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def told(*arguments):
    """What a program is told; with the exit status."""
    done = run(*arguments, "--json")
    assert done.exit_code in {0, 1}, done.output
    return json.loads(done.stdout), done.exit_code


def test_a_folder_is_priced_to_its_last_file_and_nothing_is_written(place):
    sound(place / "talks" / "a.wav", 30)
    sound(place / "talks" / "deep" / "er" / "b.wav", 60)

    found, status = told("talks")

    assert status == 0
    assert (found["recordings"], found["audio_seconds"]) == (2, 90.0)
    assert found["speech_seconds"] is None
    [here] = found["backends"]
    assert (here["backend"], here["recordings"]) == ("local", 2)
    # 90 s at RTF 0.5 and one start of 5 s, at 0.05 USD an hour
    assert Decimal(here["cost_usd"]) == pytest.approx(Decimal("0.000694444"), abs=Decimal("1e-8"))
    assert here["machine_hours"] == pytest.approx(50 / 3600, abs=1e-6)
    assert not (place / "data" / "bucket" / "inbox").exists()


def test_every_other_line_of_the_price_book_stands_beside_it_cheapest_first(place):
    sound(place / "a.wav", 60)

    found, _ = told("a.wav")

    book = open_price_book(load_settings())
    compared = {(one["backend"], one["sku"]) for one in found["comparison"]}
    assert compared | {("local", "this-machine")} == {(p.backend, p.sku) for p in book.prices}
    assert ("local", "this-machine") not in compared
    costs = [Decimal(one["cost_usd"]) for one in found["comparison"]]
    assert costs == sorted(costs)
    [whisper] = [one for one in found["comparison"] if one["sku"] == "whisper-1"]
    assert (whisper["cost_usd_per_audio_hour"], whisper["machine_hours"]) == ("0.360000000", None)


def test_a_file_that_cannot_be_read_is_named_and_costs_no_other(place):
    sound(place / "talks" / "a.wav", 30)
    (place / "talks" / "notes.mp3").write_text("no audio")
    (place / "talks" / "empty.mp3").touch()

    found, status = told("talks")

    assert status == 1
    assert found["audio_seconds"] == 30.0
    assert sorted(one["name"] for one in found["unreadable"]) == [
        "talks/empty.mp3",
        "talks/notes.mp3",
    ]
    assert all(one["message"] and one["advice"] for one in found["unreadable"])


@pytest.mark.parametrize(
    ("setting", "advice"), [("MAX_UPLOAD_MB", "raise MAX_UPLOAD_MB"), ("MAX_AUDIO_HOURS", "raise")]
)
def test_what_a_run_would_refuse_is_not_priced(place, monkeypatch, setting, advice):
    sound(place / "a.wav", 120)
    monkeypatch.setenv(setting, {"MAX_UPLOAD_MB": "1", "MAX_AUDIO_HOURS": "0.01"}[setting])

    found, status = told("a.wav")

    assert (found["recordings"], status) == (0, 1)
    assert advice in found["unreadable"][0]["advice"]


def test_people_see_two_tables_apart_and_where_it_would_go(place):
    sound(place / "talks" / "a.wav", 30)
    (place / "talks" / "notes.mp3").write_text("no audio")

    shown = escriba("estimate", "talks", cwd=place)

    assert shown.returncode == 1
    here, _, elsewhere = shown.stdout.partition("For comparison: other lines of the price book")
    assert "1 recording, 0:30 of audio; the share of speech is not known yet." in here
    assert "local/this-machine" in here.split("Configured backends")[1]
    assert "runpod/l4" in elsewhere
    assert "By cost: 1 to local/this-machine for about 0.0003 USD, done in 0:20." in elsewhere
    assert "talks/notes.mp3: The file is not in a supported audio format" in elsewhere


@pytest.fixture
def bucket(place):
    """The bucket of that folder, and how to put a sound into it."""

    class Bucket:
        settings = load_settings(storage_url=(place / "data" / "bucket").as_uri())
        storage = open_storage(settings)

        def put(self, name, seconds):
            recording = from_inbox_key(f"inbox/{name}")
            self.storage.upload(recording.inbox_key, sound(place / "draft.wav", seconds))
            return recording

        def heard(self, recording, *, audio_ms, speech_ms, etag=None):
            """As if an earlier run had listened to it, and gone no further."""
            etag = etag or self.storage.head(recording.inbox_key).etag
            raw = RawAudio(
                etag=etag,
                sha256="s",
                size_bytes=1,
                container="wav",
                codec="pcm_s16le",
                channels=1,
                sample_rate_hz=16_000,
                declared_ms=audio_ms,
                tenant=recording.tenant,
            )
            facts = OptimizedAudioFacts(
                content_sha256="s",
                audio_key="k",
                audio_sha256="a",
                format="flac",
                size_bytes=1,
                audio_ms=audio_ms,
                channels=1,
                regions=(SpeechRegion(start_ms=0, end_ms=speech_ms),),
            )
            for stage, one in ((RAW_AUDIO, raw), (OPTIMIZED_AUDIO, facts)):
                record = StageRecord(
                    stage=stage,
                    fingerprint="f",
                    outputs={},
                    facts=one.model_dump(mode="json"),
                    made_at=NOW,
                    seconds=0,
                )
                key = record_key(recording, stage)
                self.storage.write(key, record.model_dump_json().encode())

    return Bucket()


def test_without_files_it_prices_what_is_new_in_the_bucket(bucket):
    bucket.put("law/a.wav", 20)
    bucket.put("arts/b.wav", 40)

    assert told()[0]["audio_seconds"] == 60.0
    assert told("--tenant", "law")[0]["audio_seconds"] == 20.0


def test_an_empty_bucket_has_nothing_to_price(place):
    assert told() == (told()[0], 0)
    assert told()[0]["recordings"] == 0


def test_what_an_earlier_run_heard_is_used_instead_of_the_file(bucket):
    recording = bucket.put("law/a.wav", 20)
    bucket.heard(recording, audio_ms=3_600_000, speech_ms=1_800_000)

    found, _ = told()

    assert (found["audio_seconds"], found["speech_seconds"]) == (3600.0, 1800.0)


def test_what_was_heard_of_an_older_file_is_not_used(bucket):
    recording = bucket.put("law/a.wav", 20)
    bucket.heard(recording, audio_ms=3_600_000, speech_ms=1_800_000, etag="older")

    assert told()[0]["audio_seconds"] == 20.0


def test_records_that_cannot_be_read_are_passed_over(bucket):
    recording = bucket.put("law/a.wav", 20)
    bucket.heard(recording, audio_ms=3_600_000, speech_ms=0)
    key = record_key(recording, RAW_AUDIO)
    record = json.loads(bucket.storage.read(key)) | {"facts": {}}
    bucket.storage.write(key, json.dumps(record).encode())

    assert told()[0]["audio_seconds"] == 20.0


def test_a_recordings_own_wrong_options_are_named(bucket):
    recording = bucket.put("law/a.wav", 20)
    bucket.storage.write(recording.work_key("options.json"), b'{"third_parties": true}')

    found, status = told()

    assert status == 1
    assert found["unreadable"][0]["name"] == "law/a.wav"
    assert "third_parties" in found["unreadable"][0]["message"]


def test_a_tenant_that_can_be_none_is_refused(place):
    done = run("--tenant", "../x")

    assert done.exit_code == 2
    assert "--tenant" in done.output


class FakeBackend:
    """A backend as far as an estimate knows one."""

    def __init__(self, name="runpod", sku="l4", quote=machine_quote, **capabilities):
        self.name, self.sku, self.quote = name, sku, quote
        self.capabilities = Capabilities(**({"paid": True, "third_party": False} | capabilities))

    def speed(self, job):
        return Speed(0.2, 30.0, "planned")


def setup_of(*backends, measured=None, priority="cost", **settings):
    loaded = load_settings(**settings)
    return EstimateSetup(
        settings=loaded,
        prices=read_price_book(loaded.price_book),
        backends={(one.name, one.sku): one for one in backends},
        measured=measured or {},
        priority=priority,
        now=NOW,
    )


def hours(count, tenant="acme", **changes):
    size = {
        "audio_ms": 3_600_000,
        "speech_ms": 3_600_000,
        "audio_bytes": 60_000_000,
        "model": "demo",
        "language": "pt",
        "diarized": True,
    }
    return [
        SizedRecording(f"{tenant}/{n}", tenant, JobSize(**(size | changes))) for n in range(count)
    ]


SERVICE = {"quote": audio_quote, "third_party": True, "diarization": False}


def test_words_and_speakers_are_priced_as_the_two_jobs_that_they_are(bucket):
    service = FakeBackend("openai", "whisper-1", **SERVICE)
    setup = setup_of(FakeBackend(), service, primary_backend="auto", speakers_backend="runpod")

    made = plan(hours(2), setup, bucket.storage)

    assert {one.backend: one.jobs for one in made.here} == {"runpod": 4, "openai": 2}
    assert sum(one.jobs for one in made.routed) == 4
    [one] = made.excluded
    assert (one.backend, one.sku, one.recordings) == ("openai", "whisper-1", 2)


def test_a_recording_that_has_its_words_is_priced_by_its_speakers_alone():
    [one] = hours(1)

    [job] = replace(one, has_words=True).jobs(load_settings())

    assert (job.transcribed, job.diarized, job.model) == (False, True, "speakers:light")
    assert one.jobs(load_settings()) == (one.size,)
    assert len(replace(one, size=replace(one.size, channels=2)).jobs(load_settings())) == 1


def test_each_recording_goes_where_it_may_and_the_others_are_said_with_a_reason(bucket):
    service = FakeBackend("openai", "whisper-1", **SERVICE)
    setup = setup_of(FakeBackend(), service, primary_backend="auto", priority="latency")

    made = plan([*hours(2), *hours(1, diarized=False)], setup, bucket.storage)

    assert {one.backend: one.jobs for one in made.here} == {"runpod": 3, "openai": 1}
    assert sum(one.jobs for one in made.routed) == 3
    [one] = made.excluded
    assert (one.backend, one.sku, one.cause, one.recordings) == (
        "openai",
        "whisper-1",
        "capability",
        2,
    )
    assert exclusion_text(one, 3) == (
        "openai/whisper-1 cannot take 2 of 3 (capability): it does not support diarization"
    )
    assert not any((one.backend, one.sku) == ("runpod", "l4") for one in made.elsewhere)


def test_a_backend_is_named_once_for_each_cause_that_excludes_it(bucket, place):
    (place / "tenants.yaml").write_text("tenants:\n  law: {third_parties: false}\n")
    short = FakeBackend("openai", "whisper-1", **SERVICE, max_audio_seconds=3_600)
    long = [hours(1, audio_ms=ms, diarized=False)[0] for ms in (7_200_000, 9_000_000)]
    setup = setup_of(FakeBackend(), short, tenants_file=place / "tenants.yaml")

    made = plan([*long, *hours(3, "law", diarized=False)], setup, bucket.storage)

    assert [exclusion_text(one, 5) for one in made.excluded] == [
        (
            "openai/whisper-1 cannot take 2 of 5 (capability): for example: "
            "7,200 s of audio exceed its limit of 3,600 s"
        ),
        (
            "openai/whisper-1 cannot take 3 of 5 (permission): "
            "it sends audio to a third party, which the tenant forbids"
        ),
    ]


def test_a_program_is_told_the_cause_and_the_count_for_each_backend(place):
    sound(place / "a.wav", 30)
    (place / "tenants.yaml").write_text("tenants:\n  law: {backends: [runpod]}\n")

    found, _ = told("a.wav", "--tenant", "law")

    assert found["without_backend"] == 1
    assert found["excluded"] == [
        {
            "backend": "local",
            "sku": "this-machine",
            "cause": "permission",
            "recordings": 1,
            "reasons": ["the tenant permits only these backends: runpod"],
        }
    ]
    shown = escriba("estimate", "a.wav", "--tenant", "law", cwd=place).stdout
    assert "local/this-machine cannot take 1 of 1 (permission): the tenant permits" in shown
    assert "No backend can take 1." in shown


def test_what_was_measured_is_priced_and_named(bucket):
    key = ("runpod", "l4", "demo", True)
    setup = setup_of(
        FakeBackend(), measured={key: MeasuredSpeed(0.01, 2.0, 57)}, runpod_workers_max=4
    )

    [here] = plan(hours(8), setup, bucket.storage).here

    assert here.basis == "measured: RTF 0.01 in 57 jobs of 14 days"
    assert here.workers == 4
    assert here.wall_seconds == pytest.approx(2 + 2 * 36)
    # 8 × 36 s and 4 starts of 2 s, at 0.00019 USD
    assert here.cost_usd == Decimal("0.056240000")


def test_a_limit_that_would_be_passed_is_named_with_what_is_left(bucket):
    setup = setup_of(FakeBackend(), daily_cost_threshold="1", monthly_cost_threshold=None)

    [limit] = plan(hours(10), setup, bucket.storage).limits

    # 10 × (720 + 30) s × 0.00019 USD
    assert (limit.name, limit.needs_usd) == ("DAILY_COST_THRESHOLD", Decimal("1.425"))
    assert limit.is_exceeded
    assert not plan(hours(2), setup, bucket.storage).limits[0].is_exceeded


def test_the_limit_of_a_backend_is_compared_with_what_goes_there(bucket):
    setup = setup_of(
        FakeBackend(max_audio_seconds=3_600),
        FakeBackend("openai", "whisper-1", **SERVICE),
        daily_cost_threshold=None,
        monthly_cost_threshold=None,
        backend_daily_limits="runpod=1",
    )
    long = hours(5, diarized=False, audio_ms=7_200_000)  # for the other one

    [limit] = plan([*hours(10), *long], setup, bucket.storage).limits

    assert (limit.name, limit.needs_usd) == ("BACKEND_DAILY_LIMITS of runpod", Decimal("1.425"))
    assert limit.is_exceeded


def test_a_tenants_budget_holds_its_own_recordings_and_the_day_those_of_all(bucket, place):
    (place / "tenants.yaml").write_text("tenants:\n  acme: {budget: {day_usd: 0.2}}\n")
    setup = setup_of(FakeBackend(), daily_cost_threshold="50", monthly_cost_threshold=None)

    made = plan([*hours(2), *hours(3, tenant="law")], setup, bucket.storage)

    needs = {limit.name: (limit.needs_usd, limit.is_exceeded) for limit in made.limits}
    assert needs == {
        "DAILY_COST_THRESHOLD": (Decimal("0.7125"), False),
        "the daily budget of acme": (Decimal("0.285"), True),
    }


def test_what_nobody_bills_is_held_by_no_limit(bucket):
    here = FakeBackend("local", "this-machine", paid=False)

    assert plan(hours(3), setup_of(here), bucket.storage).limits == []


def test_recordings_that_may_go_nowhere_are_counted(bucket, place):
    (place / "tenants.yaml").write_text("tenants:\n  acme: {backends: [local]}\n")

    made = plan(hours(3), setup_of(FakeBackend()), bucket.storage)

    assert (made.unroutable, made.routed) == (3, [])
    assert made.here[0].jobs == 0
    assert made.excluded[0].reasons == ("the tenant permits only these backends: local",)


class NeverWhole:
    """A store whose objects nobody may fetch whole."""

    def __init__(self, storage):
        self._storage = storage

    def __getattr__(self, name):
        return getattr(self._storage, name)

    def local_copy(self, key, scratch):
        raise AssertionError(f"{key} was fetched whole")


def test_of_a_large_object_in_s3_only_both_ends_are_fetched(s3, tmp_path, monkeypatch):
    monkeypatch.setattr(glimpse_module, "END_BYTES", 8_000)
    storage = open_storage(s3.settings)
    storage.upload("inbox/acme/a.wav", sound(tmp_path / "a.wav", 30))

    [found] = run_measurements(measure_bucket(NeverWhole(storage), None, s3.settings))

    assert isinstance(found, SizedRecording)
    assert found.size.audio_ms == 30_000
    assert list(storage.scratch().glob("*")) == []


def test_where_the_ends_do_not_tell_the_whole_object_is_fetched(s3, tmp_path, monkeypatch):
    monkeypatch.setattr(glimpse_module, "END_BYTES", 500)
    storage = open_storage(s3.settings)
    whole = (MEDIA / "portuguese-2-voices.m4a").read_bytes()
    storage.write("inbox/acme/a.m4a", whole)
    storage.write("inbox/acme/b.m4a", bytes(100) + whole[100:])  # no audio at either end

    found = list(run_measurements(measure_bucket(storage, None, s3.settings)))

    assert [type(one) for one in found] == [SizedRecording, UnsizedRecording]
    assert found[0].size.audio_ms > 30_000
