"""The runpod backend on a real account: `pytest -m live tests/live`; costs a few cents.

See docs/backends.md. Wants RUNPOD_API_KEY, RUNPOD_ENDPOINT_ID and STORAGE_URL=s3://… with its AWS_…
in the environment, the bucket being one that RunPod's workers can reach.
"""

import asyncio
import os
import secrets
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from cli.checks.runpod_check import runpod as look
from escriba.billing.price_book import read_price_book
from escriba.billing.quotes import JobSize
from escriba.errors import BackendUnavailableError
from escriba.settings import load_settings
from gpu_job.common.audio import sha256_of
from gpu_job.contract import (
    JobAddresses,
    JobLimits,
    JobOptions,
    JobRequest,
    JobResult,
    SpeechRegion,
)
from gpu_job.contract.packing import unpacked
from resources.gpu.backends.runpod import open_backends
from resources.gpu.job_folder import Submission
from resources.storage import open_storage
from tests.conftest import RECORDINGS

pytestmark = pytest.mark.live

ENVIRONMENT = dict(os.environ)  # each test has one without the machine's settings
NEEDED = ("RUNPOD_API_KEY", "RUNPOD_ENDPOINT_ID", "STORAGE_URL")
AUDIO_MS = 44_700
WAIT_SECONDS = 1_800  # an image that no machine of theirs has yet


@pytest.fixture
def settings(monkeypatch):
    """Those of the machine."""
    missing = [name for name in NEEDED if not ENVIRONMENT.get(name)]
    if missing:
        pytest.fail(f"set {', '.join(missing)}: this test uses a real account")
    for name, value in ENVIRONMENT.items():
        if name.startswith(("RUNPOD_", "AWS_")) or name in {"STORAGE_URL", "MODEL", "DIARIZER"}:
            monkeypatch.setenv(name, value)
    return load_settings()


@pytest.fixture
def job(settings, tmp_path):
    """A job on the demo's dialogue in that bucket; removed afterwards."""
    storage, folder = open_storage(settings), f"work/.live/{secrets.token_hex(8)}"
    source = RECORDINGS / "english-2-voices.mp3"
    storage.upload(f"{folder}/audio.mp3", shutil.copy(source, tmp_path / "audio.mp3"))

    def address(name, permission):
        return storage.address(f"{folder}/{name}", permission, timedelta(hours=2))

    model = "large-v3-turbo" if settings.model in {"auto", "demo"} else settings.model
    request = JobRequest(
        job=secrets.token_hex(32),
        attempt=1,
        nonce=secrets.token_hex(8),
        options=JobOptions(model=model, diarizer=settings.diarizer),
        regions=(SpeechRegion(start_ms=0, end_ms=AUDIO_MS),),
        audio_ms=AUDIO_MS,
        audio_sha256=sha256_of(source),
        model_revision=model,
        addresses=JobAddresses(
            audio=address("audio.mp3", "read"),
            result_read=address("result.json", "read"),
            result_create=address("result.json", "create"),
            claim_read=address("claim-1.json", "read"),
            claim_create=address("claim-1.json", "create"),
            claim_beat=address("claim-1.json", "write"),
        ),
        limits=JobLimits(queue_seconds=1_200, run_seconds=600),
    )
    yield request, lambda: storage.read(f"{folder}/result.json")
    for found in list(storage.list(f"{folder}/")):
        storage.delete(found.key)


def quoted(settings, backend):
    price = read_price_book(settings.price_book).at("runpod", backend.sku, datetime.now(UTC))
    size = JobSize(AUDIO_MS, AUDIO_MS, 1, "large-v3-turbo", "en", diarized=True)
    return backend.quote(size, price, backend.speed(size))


def test_the_account_and_its_endpoint_are_well(settings):
    found = list(look(settings))

    assert found
    assert not [one for one in found if one.state == "broken"]


def test_a_wrong_key_is_refused_for_good(settings, job):
    (backend, *_) = open_backends(settings.model_copy(update={"runpod_api_key": _wrong_key()}))

    async def go():
        async with backend.slot():
            await backend.submit(job[0], quoted(settings, backend), lambda _: None)

    with pytest.raises(BackendUnavailableError, match="RUNPOD_API_KEY") as refused:
        asyncio.run(go())
    assert refused.value.lasting


def test_a_job_is_transcribed_and_its_result_lies_in_the_bucket(settings, job):
    (backend, *_) = open_backends(settings)
    request, result = job

    async def go():
        try:
            async with asyncio.timeout(WAIT_SECONDS), backend.slot():
                submission = await backend.submit(
                    request, quoted(settings, backend), lambda _: None
                )
                while (report := await backend.poll(submission, 30)) is None:
                    pass
                return report
        finally:
            await backend.close()

    report = asyncio.run(go())

    assert (report.status, report.error) == ("COMPLETED", "")
    assert JobResult.model_validate_json(unpacked(result())).segments


def test_a_cancelled_job_ends_and_an_unknown_one_is_lost(settings, job):
    (backend, *_) = open_backends(settings)

    async def go():
        try:
            async with asyncio.timeout(WAIT_SECONDS), backend.slot():
                submission = await backend.submit(job[0], quoted(settings, backend), lambda _: None)
                await backend.cancel(submission)
                while (cancelled := await backend.poll(submission, 30)) is None:
                    pass
                unknown = Submission(provider_id="00000000-0000-0000-0000-000000000000-e1")
                while (lost := await backend.poll(unknown, 30)) is None:
                    pass
                return cancelled, lost
        finally:
            await backend.close()

    cancelled, lost = asyncio.run(go())

    assert cancelled.status == "CANCELLED"
    assert lost.status == "LOST"


def _wrong_key():
    return load_settings(runpod_api_key="rpa_WRONG").runpod_api_key
