"""`work/<tenant>/jobs/<job>/` in the bucket: request, attempts, leases, result."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, GetPydanticSchema
from pydantic_core import core_schema

from escriba.billing.attempts import Attempt
from gpu_job.contract import (
    CONTRACT_VERSION,
    JobAddresses,
    JobOptions,
    JobResult,
    Lease,
    Milliseconds,
    SpeechRegion,
    Usage,
    WorkerPlace,
)
from gpu_job.contract.documents import MEDIUM, RESULTS, SMALL, DocumentLimits
from resources.storage.base import Storage, StorageError
from resources.storage.read_documents import DamagedError, read_stored

from .idempotency import Watch
from .mending_advice import kept_if_paid, mending_advice
from .request_size import check_request_size

_ATTEMPT = re.compile(r"attempt-(\d+)\.json")
Part = TypeVar("Part", bound=BaseModel)
ADDRESS_MARGIN = timedelta(minutes=15)  # added to both limits for the validity of an address
LENGTH_TOLERANCE_MS = 100  # between two lengths of one recording; a larger difference is noticeable


class FrozenRequest(BaseModel):
    """`request.json`: created once, holds no address; fixes the speech regions."""

    model_config = ConfigDict(frozen=True)

    job: str
    content_sha256: str
    options: JobOptions
    model_revision: str
    regions: tuple[SpeechRegion, ...]
    audio_ms: Milliseconds
    recording: str
    created_at: datetime


class _Unread(BaseModel):
    """An object that is validated, but not kept."""


_Count = Annotated[  # the length of a list of objects
    int,
    GetPydanticSchema(
        lambda _, handler: core_schema.no_info_after_validator_function(
            len, handler(tuple[_Unread, ...])
        )
    ),
]


class ResultHead(BaseModel):
    """The small part of `result.json`: its author. The words of eight hours take 60 MB of memory.

    segments: their number.
    """

    model_config = ConfigDict(frozen=True)

    version: int = CONTRACT_VERSION
    job: str
    attempt: int
    nonce: str
    usage: Usage
    language: str = ""
    segments: _Count | None = None


class Submission(BaseModel):
    """`submitted-<n>.json`: the backend's id of the attempt, and the process that runs it here."""

    model_config = ConfigDict(frozen=True)

    provider_id: str
    place: WorkerPlace | None = None


@dataclass(frozen=True)
class JobFolder:
    """The objects of one job. Each method takes one round trip or a few."""

    storage: Storage
    tenant: str
    job: str

    def key(self, name: str) -> str:
        """The key of one object of the job."""
        return f"work/{self.tenant}/jobs/{self.job}/{name}"

    def freeze(self, request: FrozenRequest) -> FrozenRequest:
        """Create the request, or return the existing one.

        An existing request for audio that an older version decoded to another length is replaced
        while no attempt is open: its regions and partial results refer to other words.
        Raises RecordingError for one that is larger than its readers take.
        """
        body = request.model_dump_json().encode()
        check_request_size(request.recording, len(request.regions), body)
        if self.storage.create(self.key("request.json"), body):
            return request
        existing = self.find_request() or request
        if abs(existing.audio_ms - request.audio_ms) < LENGTH_TOLERANCE_MS:
            return existing
        attempts = self.attempts()  # read once: an attempt created from now on keeps its partials
        if self.has_result() or any(attempt.end is None for attempt in attempts):
            return existing
        for attempt in attempts:  # before the request: after a kill here, the next run repeats it
            self.storage.delete(self._partial(attempt.attempt))
        self.storage.write(self.key("request.json"), body)
        return request

    def frozen(self) -> FrozenRequest:
        """The existing request.

        Raises:
            StorageError: it is missing.
        """
        request = self.find_request()
        if request is None:
            raise StorageError(f"{self.key('request.json')!r} is missing; run again")
        return request

    def find_request(self) -> FrozenRequest | None:
        """The existing request, or None."""
        return self._read("request.json", FrozenRequest, MEDIUM)

    def result(self) -> JobResult | None:
        """The result, or None; there is never more than one."""
        return self._read("result.json", JobResult, RESULTS)

    def result_head(self) -> ResultHead | None:
        """The author of the result, or None; the rest of it is not kept."""
        return self._read("result.json", ResultHead, RESULTS)

    def has_result(self) -> bool:
        """Whether there is a result, by a HEAD request: the result of eight hours is large."""
        return self.storage.head(self.key("result.json")) is not None

    def attempts(self) -> list[Attempt]:
        """All attempts, oldest first."""
        names = (_ATTEMPT.search(found.key) for found in self.storage.list(self.key("")))
        numbers = sorted(int(name[1]) for name in names if name)
        return [attempt for n in numbers if (attempt := self.attempt(n)) is not None]

    def attempt(self, n: int) -> Attempt | None:
        """One attempt, or None."""
        return self._read(f"attempt-{n}.json", Attempt)

    def begin(self, attempt: Attempt) -> bool:
        """Create the attempt; False if another orchestrator was first."""
        key = self.key(f"attempt-{attempt.attempt}.json")
        return self.storage.create(key, attempt.model_dump_json().encode())

    def close(self, attempt: Attempt) -> None:
        """Write the end of an attempt; two orchestrators write the same."""
        key = self.key(f"attempt-{attempt.attempt}.json")
        self.storage.write(key, attempt.model_dump_json().encode())

    def submitted(self, n: int, submission: Submission) -> None:
        """Record the backend's id of the attempt."""
        key = self.key(f"submitted-{n}.json")
        self.storage.create(key, submission.model_dump_json().encode())

    def submission(self, n: int) -> Submission | None:
        """The backend's id of the attempt, or None."""
        return self._read(f"submitted-{n}.json", Submission)

    def read_lease(self, n: int, watch: Watch) -> Lease | None:
        """The lease, also noted in the watch; read again only if its ETag has changed.

        A heartbeat between the two reads keeps the older ETag; the next call reads it.
        """
        name = f"claim-{n}.json"
        found = self.storage.head(self.key(name))
        watch.read_succeeded()
        if found is not None and (watch.lease is None or found.etag != watch.etag):
            lease = self._read(name, Lease)
            if lease is not None:
                watch.update(lease, found.etag)
        return watch.lease

    def abandon(self, n: int) -> bool:
        """Create the lease so that no worker can; False if a worker has it."""
        lease = Lease(nonce=secrets.token_hex(8), state="buried")
        return self.storage.create(self.key(f"claim-{n}.json"), lease.model_dump_json().encode())

    def _read(self, name: str, kind: type[Part], limits: DocumentLimits = SMALL) -> Part | None:
        """One object, which must be of this job.

        Raises:
            DamagedError: it cannot be used; a paid result is damaged, or another job's.
        """
        key = self.key(name)
        mend = mending_advice(name, key)
        try:
            part = read_stored(self.storage, key, kind, limits, mend=mend)
        except DamagedError as error:
            raise kept_if_paid(error, name, key) from None
        if part is not None and getattr(part, "job", self.job) != self.job:
            raise DamagedError(key, "is of another job", mend)
        if isinstance(part, Attempt) and name != f"attempt-{part.attempt}.json":
            raise DamagedError(key, "is of another attempt", mend)
        return part

    def addresses(self, attempt: Attempt, audio_key: str) -> JobAddresses:
        """Addresses of everything a worker may use, valid for both limits and a margin."""
        limits = attempt.queue_limit_seconds + attempt.run_limit_seconds
        life = timedelta(seconds=limits) + ADDRESS_MARGIN
        lease, result = self.key(f"claim-{attempt.attempt}.json"), self.key("result.json")
        earlier = self._newest_partial(attempt.attempt)
        address = self.storage.address
        return JobAddresses(
            audio=address(audio_key, "read", life),
            result_read=address(result, "read", life),
            result_create=address(result, "create", life),
            claim_read=address(lease, "read", life),
            claim_create=address(lease, "create", life),
            claim_beat=address(lease, "write", life),
            partial_write=address(self._partial(attempt.attempt), "write", life),
            partial_read=address(earlier, "read", life) if earlier else None,
        )

    def _partial(self, n: int) -> str:
        return self.key(f"partial-{n}.json")

    def _newest_partial(self, before: int) -> str | None:
        """The key of the newest partial result of an earlier attempt, or None."""
        keys = (self._partial(n) for n in range(before - 1, 0, -1))
        return next((key for key in keys if self.storage.head(key) is not None), None)


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)
