"""Watches for interruption notices of spot machines: two minutes ahead on AWS, 30 s on GCP.

A notice becomes `stop.request("preempted")`. A metadata service that does not answer never stops
the work: without notices, the next attempt resumes from the last partial result.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from .instance_metadata import (
    AWS_METADATA,
    GCP_METADATA,
    NOT_FOUND,
    OK,
    AwsMetadata,
    GcpMetadata,
    NoMetadataError,
)
from .stop_request import Stop


class Notices(Protocol):
    """A source of one cloud's interruption notices."""

    every_seconds: float

    def is_given(self) -> bool:
        """Whether this machine is about to be reclaimed.

        Raises:
            NoMetadataError: the service cannot tell.
        """
        ...


class AwsNotices:
    """`spot/instance-action`, which is absent until the notice."""

    every_seconds = 5.0  # as AWS recommends

    def __init__(
        self, base_url: str = AWS_METADATA, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._metadata = AwsMetadata(base_url, clock)

    def is_given(self) -> bool:
        """Whether the instance is to be terminated, stopped or hibernated."""
        status = self._metadata.ask("spot/instance-action").status_code
        if status not in (OK, NOT_FOUND):
            raise NoMetadataError(f"the instance metadata service answers {status}")
        return status == OK


class GcpNotices:
    """`instance/preempted`: TRUE from the notice on."""

    every_seconds = 1.0  # 5 of the remaining 30 s would be too many

    def __init__(self, base_url: str = GCP_METADATA) -> None:
        self._metadata = GcpMetadata(base_url)

    def is_given(self) -> bool:
        """Whether Compute Engine is reclaiming the instance."""
        return self._metadata.text("preempted").upper() == "TRUE"


def source_of(kind: str, base_url: str = "") -> Notices | None:
    """The source of a cloud's notices. kind: none, aws or gcp (SPOT_NOTICES).

    base_url: of the metadata service, where it is not at the cloud's usual address.
    """
    if kind == "aws":
        return AwsNotices(base_url or AWS_METADATA)
    if kind == "gcp":
        return GcpNotices(base_url or GCP_METADATA)
    return None


@contextmanager
def watched(source: Notices | None, stop: Stop) -> Iterator[None]:
    """Within the block, a notice requests `stop`; without a source, nobody watches."""
    if source is None:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(source, stop, over), name="notices", daemon=True)
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
                stop.request("preempted")
                return
        except NoMetadataError as error:
            if not warned:
                sys.stderr.write(
                    f"gpu_job: interruption notices are not available: {error}. The work "
                    "continues. If this is not a spot machine, set SPOT_NOTICES=none.\n"
                )
            warned = True
        over.wait(source.every_seconds)
