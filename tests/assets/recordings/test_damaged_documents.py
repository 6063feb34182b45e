"""What others put into the bucket costs only itself, is named, and is retried once it is mended.

Each kind of document that is read back is damaged in each way: one recording for each way, all in
one run. Each recording has a tenant of its own, so that its job is its own too.
"""

import gzip
import json
from types import SimpleNamespace

import pytest

from escriba.recordings import NameRefusedError, from_partition_key
from escriba.settings import SettingsError
from escriba.stages import DIARIZED_TRANSCRIPT
from intake.night import last_digest
from intake.refused_requests import aside_of, move_aside, read_refused
from intake.tenants import read_tenants
from intake.work_requests import BadRequest, look_at_requests, new_request, submit_request
from resources.invoices.delivery_log import TAKEN, read_deliveries, record_delivery
from resources.spending.reservations import OPEN, Spending
from resources.spending.spent_days import spent_names
from resources.storage.base import StorageError
from resources.storage.clock import utc_now
from resources.storage.read_documents import DamagedError

DAMAGE = {  # what it becomes, of what it was
    "empty": lambda _: b"",
    "cut": lambda body: body[: len(body) // 2],
    "not UTF-8": lambda body: body[:-1] + b"\xff}",
    "a list": lambda body: b"[" + body + b"]",
    "another object": lambda _: b'{"schema": 1}',
    "NaN": lambda body: b'{"nan": NaN,' + body.lstrip()[1:],
    "1e308": lambda body: b'{"large": 1e308,' + body.lstrip()[1:],
    "a key twice": lambda body: b'{"twice": 1, "twice": 1,' + body.lstrip()[1:],
    "deep": lambda body: b'{"deep": ' + b"[" * 9_999 + b"]" * 9_999 + b"," + body.lstrip()[1:],
    "gzip, cut": lambda body: gzip.compress(body)[:-9],
    "large": lambda body: b'{"a": "' + b"a" * (65 << 20) + b'"}',
}
OF_A_JOB = ("request.json", "result.json", "attempt-1.json")
REMADE = ("raw_audio", "optimized_audio", "transcript", "diarized_transcript", "cost_metrics")


@pytest.fixture
def night(house, clips, quick):
    """A done recording for each way of damage."""
    names = {way: f"tenant-{i}" for i, way in enumerate(DAMAGE)}
    recordings = {way: house.put(clips.english, "a.wav", name) for way, name in names.items()}
    outcomes = house.batch(list(recordings.values()))
    assert [one.failed for one in outcomes] == [None] * len(outcomes)
    return recordings


def damage(house, key, way):
    """Damage an object; returns what it was."""
    before = house.storage.read(key)
    house.storage.write(key, DAMAGE[way](before))
    return before


def job_key(house, recording, name):
    [key] = [
        one.key
        for one in house.storage.list(f"work/{recording.tenant}/jobs/")
        if one.key.endswith(f"/{name}")
    ]
    return key


def open_again(house, recording):
    """The attempt is still open, as after a crash: its lease is read, and the result is missing."""
    key = job_key(house, recording, "attempt-1.json")
    attempt = json.loads(house.storage.read(key))
    house.storage.write(key, json.dumps(attempt | {"end": None}).encode())
    result = job_key(house, recording, "result.json")
    before = house.storage.read(result)
    house.storage.delete(result)
    return result, before


def ends(house, recordings):
    """How each recording failed, or None."""
    return [outcome.failed for outcome in house.batch(list(recordings.values()))]


def assert_named(failed, keys):
    for failure, key in zip(failed, keys, strict=True):
        assert failure is not None, key
        assert key in failure.message
        assert key in failure.advice or "escriba" in failure.advice
        assert (failure.code, failure.permanent) in {("damaged", False), ("options_wrong", False)}
        assert len(failure.message) < 600


def test_each_document_of_a_job_is_named_and_the_job_goes_on_when_it_is_mended(house, night):
    for name in OF_A_JOB:
        keys = [job_key(house, recording, name) for recording in night.values()]
        before = [damage(house, key, way) for key, way in zip(keys, night, strict=True)]
        for recording in night.values():
            house.storage.delete(recording.work_key("stages/transcript.json"))

        assert_named(ends(house, night), keys)
        assert len(house.survey().to_retry) == len(keys)  # the next run retries by itself
        for key, body in zip(keys, before, strict=True):
            house.storage.write(key, body)
        assert ends(house, night) == [None] * len(keys)
    assert len(house.attempts()) == len(night)

    # the lease, of an attempt that is open
    results = [open_again(house, recording) for recording in night.values()]
    keys = [job_key(house, recording, "claim-1.json") for recording in night.values()]
    before = [damage(house, key, way) for key, way in zip(keys, night, strict=True)]
    for recording in night.values():
        house.storage.delete(recording.work_key("stages/transcript.json"))

    assert_named(ends(house, night), keys)

    for key, body in [*zip(keys, before, strict=True), *results]:
        house.storage.write(key, body)
    assert ends(house, night) == [None] * len(keys)
    assert len(house.attempts()) == len(night)


def test_a_damaged_record_of_a_stage_is_made_again_without_a_job(house, night, caplog):
    keys = []
    for stage in REMADE:
        keys = [recording.work_key(f"stages/{stage}.json") for recording in night.values()]
        for key, way in zip(keys, night, strict=True):
            damage(house, key, way)
        house.survey()
        assert ends(house, night) == [None] * len(keys)

    assert [key for key in keys if f"{key}' " not in caplog.text] == []
    assert len(house.attempts()) == len(night)

    # own options, and transcripts that only a later stage reads
    keys = [recording.work_key("options.json") for recording in night.values()]
    for key, way in zip(keys, night, strict=True):
        house.storage.write(key, DAMAGE[way](b'{"language": "en"}'))
    assert_named(ends(house, night), keys)
    for key in keys:
        house.storage.delete(key)

    for stage in REMADE[3:]:
        for recording in night.values():
            house.storage.delete(recording.work_key(f"stages/{stage}.json"))
    keys = [recording.transcript_key("transcript.json") for recording in night.values()]
    for key, way in zip(keys, night, strict=True):
        damage(house, key, way)
    failed = house.batch(list(night.values()), stages=[DIARIZED_TRANSCRIPT])
    assert_named([one.failed for one in failed], keys)
    assert ends(house, night) == [None] * len(keys)  # all stages: it is written again
    assert len(house.attempts()) == len(night)


def test_facts_that_somebody_changed_are_named_with_their_record(house, clips, quick):
    recording = house.put(clips.english, "a.wav")
    house.batch([recording])
    key = recording.work_key("stages/optimized_audio.json")
    record = json.loads(house.storage.read(key))
    for wrong in ({"audio_ms": -5}, {"regions": "none"}, {"gain_db": "loud"}, {"audio_key": None}):
        changed = record | {"facts": record["facts"] | wrong}
        house.storage.write(key, json.dumps(changed).encode())

        [outcome] = house.batch([recording], stages=["transcript"])

        assert outcome.failed.code == "damaged"
        assert key in outcome.failed.message
        assert next(iter(wrong)) in outcome.failed.message


def test_a_bad_request_is_moved_aside_and_the_others_go_on(house):
    good = new_request("backfill", [from_partition_key("acme/a.wav")])
    body = good.model_dump_json().encode()
    for number, way in enumerate(DAMAGE):
        house.storage.write(f"requests/0{number}.json", DAMAGE[way](body))
    fields = json.loads(body)
    for number, wrong in enumerate(
        [
            {"id": "../inbox/acme/a"},
            {"id": good.id},
            {"id": "a\nb"},
            {"id": ""},
            {"stages": ["everything"]},
            {"forced": ["x"]},
            {"keys": ["acme/%FF"]},
            {"keys": ["acme/..."]},
            {"keys": ["a\tb/c"]},
            {"reason": "\u001b[31m"},
        ]
    ):
        changed = fields | {"id": f"1{number}"} | wrong
        house.storage.write(f"requests/1{number}.json", json.dumps(changed).encode())
    submit_request(house.storage, good)

    seen = list(look_at_requests(house.storage))
    bad = [one for one in seen if isinstance(one, BadRequest)]
    moved = [move_aside(house.storage, one) for one in bad]

    assert [one for one in seen if not isinstance(one, BadRequest)] == [good]
    assert len(bad) == len(DAMAGE) + 10
    refused = list(read_refused(house.storage))
    assert {one.key for one in refused} == {one.key for one in bad}
    assert all(one.reason and "requests-refused/" in one.advice for one in refused)
    assert {one.key for one in moved} == {one.key for one in bad}
    assert house.storage.read(aside_of("requests/00.json")) == b""
    [large, *rest] = look_at_requests(house.storage)
    assert rest == [good]
    assert large.reason == "is larger than 64 MiB"  # it stays, and is reported once
    assert move_aside(house.storage, large) is None


def test_a_partition_that_is_no_text_costs_only_itself(house, clips, quick):
    recording = house.put(clips.english, "a.wav")
    wrong = ["acme/%FF", "acme/%ED%A0%80", "%"]
    with pytest.raises(NameRefusedError, match="is not UTF-8"):
        from_partition_key(wrong[0])

    done = house.run([recording, *(SimpleNamespace(partition_key=key) for key in wrong)])

    assert not done.success
    assert house.status("cost_metrics")[0] == {recording.partition_key}


def test_refusals_digests_deliveries_and_spending_are_read_one_by_one(house):
    for number, way in enumerate(DAMAGE):
        house.storage.write(f"quarantine/acme/{number}.json", DAMAGE[way](b'{"a": 1}'))
        house.storage.write(f"digests/2026-01-{number + 1:02}.json", DAMAGE[way](b'{"a": 1}'))
    house.survey()
    assert last_digest(house.storage, "2027-01-01") is None

    record_delivery(
        *(house.storage, "runpod", "march"), before=(), files={}, now=utc_now(), is_new=True
    )
    [key] = [one.key for one in house.storage.list(TAKEN)]
    whole = house.storage.read(key)
    for damaged in DAMAGE.values():
        house.storage.write(key, damaged(whole))
        with pytest.raises(DamagedError, match=key):
            read_deliveries(house.storage, "runpod", "march")

    for name in ("a", "j-1-n--5-local", "j-1-n-" + "9" * 200, "j-1-n-" + "9" * 40, "j-0-n-1"):
        house.storage.write(f"{OPEN}acme/{name}", b"{}")
    assert list(Spending(house.storage).open()) == []
    assert len(list(Spending(house.storage).foreign())) == 5

    day = "ledger/spent/2026-01/03~000001-0123abcd"
    for body in (b"", b"\xff\xfe", b"{}", b"\0" * 99):
        house.storage.write(day, body)
        with pytest.raises(StorageError, match=day):
            spent_names(house.storage, "ledger/spent/2026-01/")


TENANTS = {
    "not UTF-8": b"tenants:\n  acme: {cost_center: \xff}",
    "not YAML": b"tenants: [",
    "twice": b"tenants:\n  acme: {}\n  acme: {}",
    "a list": b"- acme",
    "deep": b"tenants: " + b"[" * 9_999 + b"]" * 9_999,
    "large": b"tenants: {}\n#" + b"a" * 5_000_000,
    "NaN": b"tenants: {acme: {budget: {daily_usd: .nan}}}",
    "negative": b"tenants: {acme: {budget: {daily_usd: -1}}}",
    "another key": b"tenants: {acme: {secret: 1}}",
}


@pytest.mark.parametrize("kind", TENANTS)
def test_a_tenants_file_that_cannot_be_used_is_named(kind, tmp_path):
    path = tmp_path / "tenants.yaml"
    path.write_bytes(TENANTS[kind])

    with pytest.raises(SettingsError, match=r"tenants\.yaml"):
        read_tenants(path)
