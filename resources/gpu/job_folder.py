"""`work/<tenant>/jobs/<job>/` in the bucket: request, attempts, claims, result."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, GetPydanticSchema
from pydantic_core import core_schema

from gpu_job.contract import (
    Claim,
    JobAddresses,
    JobOptions,
    JobResult,
    Milliseconds,
    Place,
    SpeechRegion,
    Usage,
)
from gpu_job.packing import unpacked
from pipelines.billing.attempts import Attempt
from resources.storage.base import Storage, StorageError

from .paid_once import Watch

_ATTEMPT = re.compile(r"attempt-(\d+)\.json")
Part = TypeVar("Part", bound=BaseModel)
ADDRESS_MARGIN = timedelta(minutes=15)  # on the life of an address, beside both limits
OTHER_CLOCK_MS = 100  # between two lengths of one recording: a player and a reader notice more


class DamagedError(StorageError):
    """An object of ours that is whole, and no JSON of ours: waiting mends nothing."""


class FrozenRequest(BaseModel):
    """`request.json`: created once, holds no address; freezes the speech regions."""

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
    """An object of which nothing is kept."""


_HowMany = Annotated[  # so many objects of a list
    int,
    GetPydanticSchema(
        lambda _, handler: core_schema.no_info_after_validator_function(
            len, handler(tuple[_Unread, ...])
        )
    ),
]


class ResultHead(BaseModel):
    """What is small of `result.json`: whose it is. The words of eight hours are 60 MB in memory.

    segments: how many it has.
    """

    model_config = ConfigDict(frozen=True)

    attempt: int
    nonce: str
    usage: Usage
    language: str = ""
    segments: _HowMany | None = None


class Submission(BaseModel):
    """`submitted-<n>.json`: what the backend calls the attempt, and where that can be checked."""

    model_config = ConfigDict(frozen=True)

    provider_id: str
    place: Place | None = None


@dataclass(frozen=True)
class JobFolder:
    """The objects of one job. Every method is one round trip or a few."""

    storage: Storage
    tenant: str
    job: str

    def key(self, name: str) -> str:
        """The key of one object of the job."""
        return f"work/{self.tenant}/jobs/{self.job}/{name}"

    def freeze(self, request: FrozenRequest) -> FrozenRequest:
        """The request that stands, which is an earlier one where there is one.

        One of audio with another clock, which an older version decoded, gives way while nobody
        works on it: its regions and partial results are of times at which other words are now.
        """
        body = request.model_dump_json().encode()
        if self.storage.create(self.key("request.json"), body):
            return request
        standing = self.asked() or request
        if abs(standing.audio_ms - request.audio_ms) < OTHER_CLOCK_MS:
            return standing
        attempts = self.attempts()  # once: what somebody begins from now on keeps its partials
        if self.has_result() or any(attempt.end is None for attempt in attempts):
            return standing
        for attempt in attempts:  # before the request: killed here, the next run does it all
            self.storage.delete(self._partial(attempt.attempt))
        self.storage.write(self.key("request.json"), body)
        return request

    def frozen(self) -> FrozenRequest:
        """The request that stands.

        Raises:
            StorageError: it is gone.
        """
        request = self.asked()
        if request is None:
            raise StorageError(f"{self.key('request.json')!r} is gone; run again")
        return request

    def asked(self) -> FrozenRequest | None:
        """The request that stands, or None."""
        return self._read("request.json", FrozenRequest)

    def result(self) -> JobResult | None:
        """The result; there is never more than one."""
        return self._read("result.json", JobResult)

    def result_head(self) -> ResultHead | None:
        """Whose result there is; the rest of it is not kept."""
        return self._read("result.json", ResultHead)

    def has_result(self) -> bool:
        """Whether there is one; that of eight hours is large, and asked for often."""
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
        """Create the attempt; False where another orchestrator was first."""
        key = self.key(f"attempt-{attempt.attempt}.json")
        return self.storage.create(key, attempt.model_dump_json().encode())

    def close(self, attempt: Attempt) -> None:
        """Write the end of an attempt; two orchestrators would write the same."""
        key = self.key(f"attempt-{attempt.attempt}.json")
        self.storage.write(key, attempt.model_dump_json().encode())

    def submitted(self, n: int, submission: Submission) -> None:
        """Note the provider's id."""
        key = self.key(f"submitted-{n}.json")
        self.storage.create(key, submission.model_dump_json().encode())

    def submission(self, n: int) -> Submission | None:
        """The provider's id, or None."""
        return self._read(f"submitted-{n}.json", Submission)

    def look_at_claim(self, n: int, watch: Watch) -> Claim | None:
        """The claim, told to the watch; read again only where its ETag is another one.

        A beat between the two reads shows as the older ETag, and is read by the next look.
        """
        key = f"claim-{n}.json"
        seen = self.storage.head(self.key(key))
        watch.looked()
        if seen is not None and (watch.claim is None or seen.etag != watch.etag):
            claim = self._read(key, Claim)
            if claim is not None:
                watch.see(claim, seen.etag)
        return watch.claim

    def bury(self, n: int) -> bool:
        """Create the claim so that no worker can; False where a worker has it."""
        claim = Claim(nonce=secrets.token_hex(8), state="buried")
        return self.storage.create(self.key(f"claim-{n}.json"), claim.model_dump_json().encode())

    def _read(self, name: str, kind: type[Part]) -> Part | None:
        body = self.storage.read(self.key(name))
        try:
            return None if body is None else kind.model_validate_json(unpacked(body))
        except ValueError as error:
            raise DamagedError(
                f"{self.key(name)!r} is damaged ({type(error).__name__}). Nothing of ours "
                "writes half a file: find out who did, remove it, and run again."
            ) from error

    def addresses(self, attempt: Attempt, audio_key: str) -> JobAddresses:
        """Everything a worker may touch, for as long as both limits and a margin last."""
        limits = attempt.queue_limit_seconds + attempt.run_limit_seconds
        life = timedelta(seconds=limits) + ADDRESS_MARGIN
        claim, result = self.key(f"claim-{attempt.attempt}.json"), self.key("result.json")
        earlier = self._newest_partial(attempt.attempt)
        address = self.storage.address
        return JobAddresses(
            audio=address(audio_key, "read", life),
            result_read=address(result, "read", life),
            result_create=address(result, "create", life),
            claim_read=address(claim, "read", life),
            claim_create=address(claim, "create", life),
            claim_beat=address(claim, "write", life),
            partial_write=address(self._partial(attempt.attempt), "write", life),
            partial_read=address(earlier, "read", life) if earlier else None,
        )

    def _partial(self, n: int) -> str:
        return self.key(f"partial-{n}.json")

    def _newest_partial(self, before: int) -> str | None:
        """The key of what the last of the earlier attempts left half done, if any did."""
        keys = (self._partial(n) for n in range(before - 1, 0, -1))
        return next((key for key in keys if self.storage.head(key) is not None), None)


def now() -> datetime:
    """Aware UTC."""
    return datetime.now(UTC)
