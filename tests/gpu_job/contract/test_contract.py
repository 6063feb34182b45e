"""The contract, as whoever does not read Python sees it."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import JobOptions, JobResult, Lease, Manifest, Usage
from gpu_job.contract.packing import PLAIN_BYTES, packed, unpacked
from gpu_job.contract.process_identity import here
from gpu_job.job import run_job
from gpu_job.schema import contract_schema

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "contract.schema.json"


def test_the_published_schema_is_that_of_the_code():
    """Else: `python -m gpu_job.schema > docs/contract.schema.json`."""
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == contract_schema()


def test_what_is_really_sent_and_written_keeps_to_the_schema(job, fake_models):
    request = job.request()
    run_job(request, fake_models(), lambda _: None)
    validator = Draft202012Validator(contract_schema())

    for sent in (request, Manifest(requests=(request,)), job.claim(), job.result()):
        validator.validate(json.loads(sent.model_dump_json()))
    with pytest.raises(Exception, match="is not valid under any"):
        validator.validate({"job": 1})


def test_a_later_minor_version_may_add_fields():
    now = datetime.now(UTC)
    usage = Usage(worker="w", place=here(), started_at=now, ended_at=now)
    claim = json.loads(Lease(nonce="n", state="done", usage=usage).model_dump_json())

    assert Lease.model_validate(claim | {"colour": "red"}).nonce == "n"


def test_what_an_old_worker_wrote_can_be_read():
    """A result of contract version 1 as it was before optional fields were added."""
    now = datetime.now(UTC).isoformat()
    usage = {"worker": "w", "place": here().model_dump(), "started_at": now, "ended_at": now}
    old = {
        "version": 1,
        "job": "j",
        "attempt": 1,
        "nonce": "n",
        "language": "pt",
        "language_probability": 1.0,
        "model_revision": "demo@1",
        "segments": [],
        "turns": [],
        "usage": usage,
        "warnings": [],
    }

    assert JobResult.model_validate(old).exclusive_turns == ()


@pytest.mark.parametrize("size", [0, PLAIN_BYTES, PLAIN_BYTES + 1, 4 * PLAIN_BYTES])
def test_large_json_is_compressed_and_comes_back_the_same(size):
    body = (b'{"words": "' + b"bom dia " * (size // 8 + 1))[:size]

    assert unpacked(packed(body)) == body
    assert packed(body) == packed(body)
    assert (packed(body) is body) == (size <= PLAIN_BYTES)


def test_half_a_compressed_object_is_never_taken_for_a_whole_one():
    with pytest.raises(ValueError, match="damaged"):
        unpacked(packed(b"x" * 4 * PLAIN_BYTES)[:-20])


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("DIARIZER", "whisperx", "light, none, pyannote"),
        ("DEVICE", "gpu", "auto, cpu, cuda"),
        ("SPOT_NOTICES", "azure", "aws, gcp, none"),
        ("BATCH_WINDOWS", "many", "a whole number"),
        ("RETIRE_AFTER_JOBS", "-1", "a whole number"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_may_be(name, value, what):
    with pytest.raises(ValueError, match=f"{name}={value}.*{what}"):
        WorkerSettings.from_environment({name: value})


def test_settings_show_no_token():
    settings = WorkerSettings.from_environment({"HUGGINGFACE_TOKEN": "hf_secret"})

    assert settings.huggingface_token == "hf_secret"
    assert "hf_secret" not in repr(settings)


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        ({"model": "large-v3-turbo"}, "MODEL=large-v3-turbo.*this worker loaded demo"),
        ({"model": "demo", "diarizer": "pyannote"}, "DIARIZER=pyannote.*has light"),
    ],
)
def test_a_worker_never_does_a_job_for_another_model(job, real_models, wish, what):
    outcome = run_job(job.request(options=JobOptions(**wish)), real_models, lambda _: None)

    assert (outcome.state, outcome.error.code) == ("failed", "model_missing")
    assert re.search(what, outcome.error.message)
