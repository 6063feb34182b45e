"""A spot machine is told before it is taken away: on AWS two minutes, on GCP 30 s before.

The notice becomes `stop.say("preempted")`. A metadata service that does not answer never stops
the work: without notices the next attempt begins at the last partial result.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from .stop import Stop

if TYPE_CHECKING:
    import httpx

AWS_METADATA = "http://169.254.169.254"  # the same on every instance
GCP_METADATA = "http://metadata.google.internal"
_TIMEOUT_SECONDS = 2.0
_OK, _UNAUTHORIZED, _NOT_FOUND = 200, 401, 404


class NoMetadataError(Exception):
    """The metadata service cannot be asked, and what to do."""


class Notices(Protocol):
    """Where notices of one cloud are to be had."""

    every_seconds: float

    def is_given(self) -> bool:
        """Whether this machine is about to be taken away.

        Raises:
            NoMetadataError: nobody knows.
        """
        ...


class AwsNotices:
    """IMDSv2: a session's token, then `spot/instance-action`, which is absent until the notice."""

    every_seconds = 5.0  # as AWS advises
    _TOKEN_LIFE_SECONDS = 21_600  # the longest there is

    def __init__(
        self, base_url: str = AWS_METADATA, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._base_url, self._clock = base_url, clock
        self._token, self._renew_at = "", 0.0

    def is_given(self) -> bool:
        """Whether the instance is to be terminated, stopped or hibernated."""
        answer = self._action()
        if answer.status_code == _UNAUTHORIZED:  # the machine slept, and its token died meanwhile
            self._token = ""
            answer = self._action()
        if answer.status_code not in (_OK, _NOT_FOUND):
            raise NoMetadataError(f"the instance metadata service says {answer.status_code}")
        return answer.status_code == _OK

    def _action(self) -> "httpx.Response":
        headers = {"X-aws-ec2-metadata-token": self._fresh_token()}
        return _ask("GET", f"{self._base_url}/latest/meta-data/spot/instance-action", headers)

    def _fresh_token(self) -> str:
        if not self._token or self._clock() >= self._renew_at:
            life = {"X-aws-ec2-metadata-token-ttl-seconds": str(self._TOKEN_LIFE_SECONDS)}
            answer = _ask("PUT", f"{self._base_url}/latest/api/token", life)
            if answer.status_code != _OK:
                raise NoMetadataError(
                    f"IMDSv2 gives no token ({answer.status_code}). In a container it needs a "
                    "hop limit of 2: set HttpPutResponseHopLimit in the launch template."
                )
            self._token = answer.text
            self._renew_at = self._clock() + self._TOKEN_LIFE_SECONDS / 2
        return self._token


class GcpNotices:
    """`instance/preempted`: TRUE from the notice on."""

    every_seconds = 1.0  # of 30 s that are left, five would be many

    def __init__(self, base_url: str = GCP_METADATA) -> None:
        self._base_url = base_url

    def is_given(self) -> bool:
        """Whether Compute Engine has begun to take the instance away."""
        url = f"{self._base_url}/computeMetadata/v1/instance/preempted"
        answer = _ask("GET", url, {"Metadata-Flavor": "Google"})
        if answer.status_code != _OK:
            raise NoMetadataError(f"the metadata server says {answer.status_code}")
        return answer.text.strip().upper() == "TRUE"


_SOURCES: dict[str, Callable[[], Notices]] = {"aws": AwsNotices, "gcp": GcpNotices}


@contextmanager
def watched(kind: str, stop: Stop, source: Notices | None = None) -> Iterator[None]:
    """In the block a notice says `stop`. kind: none, aws or gcp (SPOT_NOTICES)."""
    if source is None and kind not in _SOURCES:
        yield
        return
    over = threading.Event()
    asked = source or _SOURCES[kind]()
    thread = threading.Thread(target=_watch, args=(asked, stop, over), name="notices", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch(source: Notices, stop: Stop, over: threading.Event) -> None:
    warned = False
    while not over.is_set():
        try:
            if source.is_given():
                stop.say("preempted")
                return
        except NoMetadataError as error:
            if not warned:
                sys.stderr.write(
                    f"gpu_job: no notice of an interruption can be had: {error}. The work goes "
                    "on; on a machine that is not a spot one, set SPOT_NOTICES=none.\n"
                )
            warned = True
        over.wait(source.every_seconds)


def _ask(method: str, url: str, headers: dict[str, str]) -> "httpx.Response":
    import httpx  # noqa: PLC0415  # a machine without notices needs none

    try:
        # a proxy of the environment must never see the token, nor would it reach the service
        with httpx.Client(trust_env=False, timeout=_TIMEOUT_SECONDS) as client:
            return client.request(method, url, headers=headers)
    except httpx.HTTPError as error:
        raise NoMetadataError(f"its service does not answer ({type(error).__name__})") from None
