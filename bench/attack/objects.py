"""Damaged documents: one by one through the reader, and in a batch with good recordings."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from bench import tiny_files
from bench.attack.attacks import Attack, Verdict, expected, refused
from bench.attack.batches import Bucket, delay
from escriba.recordings import Recording, from_inbox_key
from escriba.settings import SettingsError
from gpu_job.contract import JobResult, Manifest
from gpu_job.contract.documents import LARGE, MEBIBYTE
from intake.tenants import read_tenants
from resources.storage.base import Storage
from resources.storage.read_documents import DamagedError, read_stored
from tests.assets.recordings.test_damaged_documents import DAMAGE as IN_A_BATCH
from tests.assets.recordings.test_damaged_documents import OF_A_JOB, TENANTS, damage, job_key
from tests.gpu_job.contract.test_documents import DAMAGE, bomb

KEY: Final = "work/acme/jobs/0/result.json"
SPOKEN: Final = "Hello"  # what people said is never in an error
GOOD_TENANT: Final = "good"
BATCH_SECONDS: Final = 60.0


def attacks(folder: Path, *, quick: bool) -> Iterator[Attack]:
    """Each kind of damage; bombs; tenants; and each document of a job, in a batch."""
    (folder / "one").mkdir()
    storage = Bucket(folder / "one").storage
    for name, (body, says) in DAMAGE.items():
        yield Attack(name, partial(_named, storage, bytes(body), JobResult, says))
    yield Attack("gzip bomb", partial(_named, storage, bomb(), JobResult, "larger than 64 MiB"))
    large = bytes(80 * MEBIBYTE)
    yield Attack("80 MB", partial(_named, storage, large, JobResult, "larger than 64 MiB"))
    del large
    later = b'{"version": 2, "requests": []}'
    yield Attack("manifest of later", partial(_named, storage, later, Manifest, "update it"))
    for name, body in TENANTS.items():
        run = partial(_tenants_named, folder / "tenants.yaml", body)
        yield Attack(f"tenants: {name}", run)
    for document in OF_A_JOB[1:2] if quick else OF_A_JOB:
        (folder / document).mkdir()
        yield from Night(folder / document, document).attacks()


def _named(storage: Storage, body: bytes, kind: type[BaseModel], says: str) -> Verdict:
    storage.write(KEY, body)
    return refused(lambda: read_stored(storage, KEY, kind, LARGE), DamagedError, says, hides=SPOKEN)


def _tenants_named(path: Path, body: bytes) -> Verdict:
    path.write_bytes(body)
    return refused(lambda: read_tenants(path), SettingsError, path.name)


class Night:
    """Done recordings, one for each way of damage, whose documents are damaged; and good new ones.

    document: of each job, that is damaged.
    """

    def __init__(self, folder: Path, document: str) -> None:
        self._document = document
        self._alone, self._bucket = Bucket(folder / "alone"), Bucket(folder / "together")
        names = {way: f"tenant-{number}" for number, way in enumerate(IN_A_BATCH)}
        self._bad = {way: self._tiny(self._bucket, name)[0] for way, name in names.items()}
        self._bucket.batch(list(self._bad.values()))
        self._before = {way: self._damage(way) for way in IN_A_BATCH}

    def attacks(self) -> Iterator[Attack]:
        """The batch with all damage, and the one after it is mended."""
        yield Attack(f"{self._document}, damaged, in a batch", self._named, BATCH_SECONDS)
        yield Attack(f"{self._document}, mended", self._done, BATCH_SECONDS)

    def _tiny(self, bucket: Bucket, tenant: str, count: int = 1) -> list[Recording]:
        keys = tiny_files.make(bucket.root / "inbox" / tenant, count)
        names = [key.partition("/")[2] for key in keys]
        return [from_inbox_key(f"inbox/{tenant}/{name}") for name in names]

    def _damage(self, way: str) -> tuple[str, bytes]:
        """What the document was, and its key; the stage that reads it has to run again."""
        recording = self._bad[way]
        key = job_key(self._bucket, recording, self._document)
        before: bytes = damage(self._bucket, key, way)
        self._bucket.storage.delete(recording.work_key("stages/transcript.json"))
        return key, before

    def _named(self) -> Verdict:
        """Held if each bad one fails with the key of its document, and the good ones are done."""
        good = self._tiny(self._alone, GOOD_TENANT, 3)
        self._tiny(self._bucket, GOOD_TENANT, 3)
        alone = self._alone.batch(good)
        together = self._bucket.batch([*self._bad.values(), *good])
        unnamed = [way for way in self._bad if not self._is_named(together.outcomes, way)]
        failed = [together.code(one) for one in good if together.code(one)]
        verdict = expected(it=not unnamed and not failed, otherwise=(unnamed, failed))
        return verdict._replace(good_files_delayed_s=delay(alone, together, good))

    def _is_named(self, outcomes: dict[Recording, object], way: str) -> bool:
        failed = getattr(outcomes[self._bad[way]], "failed", None)
        return failed is not None and self._before[way][0] in failed.message and bool(failed.advice)

    def _done(self) -> Verdict:
        """Held if the next run retries all of them by itself, and none fails."""
        for key, body in self._before.values():
            self._bucket.storage.write(key, body)
        survey = self._bucket.survey()
        ends = self._bucket.batch(survey.work)
        done = {recording for recording in ends.outcomes if not ends.code(recording)}
        wrong = [way for way, recording in self._bad.items() if recording not in done]
        return expected(it=not wrong, otherwise=wrong)
