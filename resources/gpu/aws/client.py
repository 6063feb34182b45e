"""The calls to AWS Batch: boto3's blocking client in threads of its own, with our own retries."""

import asyncio
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from escriba.settings import Settings
from resources.gpu.batch_machines.time_sources import Time
from resources.http.rate_limiter import RateLimiter, backoff_seconds

from .answers import NoAnswerError, RefusedError, error_of
from .connection import connect

# half of the 50 SubmitJob a second that AWS Batch's service quotas allow an account; they name no
# limit for the other operations
CALLS, CALLS_AT_ONCE = 250, 8
TRIES = 4
WITHIN_SECONDS = 30.0  # others may abandon an attempt that is not submitted within 60 s
# what an answer always has: botocore reads a page of HTML as an answer without anything
_ALWAYS = {
    "describe_compute_environments": "computeEnvironments",
    "describe_job_definitions": "jobDefinitions",
    "describe_job_queues": "jobQueues",
    "describe_jobs": "jobs",
    "list_jobs": "jobSummaryList",
    "submit_job": "jobId",
}


class BatchClient:
    """A client of AWS Batch in AWS_REGION, for all queues; opened at the first call."""

    def __init__(self, settings: Settings, time_: Time) -> None:
        self._settings, self.time = settings, time_
        self._limiter = RateLimiter(CALLS, CALLS_AT_ONCE, time_.clock, time_.sleep)
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._client: Any = None

    @property
    def region(self) -> str:
        """The region of the queues."""
        return self._settings.aws_region

    async def call(self, operation: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        """The answer to a request that may be repeated: up to 4 tries within 30 s, with backoff.

        Raises:
            NoAnswerError: no usable answer.
            RefusedError: AWS refuses the request.
        """
        clock, began = self.time.clock, self.time.clock()
        for failures in itertools.count(1):
            try:
                return await self.call_once(operation, **request)
            except NoAnswerError:
                wait = backoff_seconds(failures, self.time.jitter)
                if failures == TRIES or clock() - began + wait > WITHIN_SECONDS:
                    raise
            await self.time.sleep(wait)
        raise AssertionError  # the loop never ends by itself

    async def call_once(self, operation: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        """The answer to one request; after an error, it may have been carried out.

        Raises:
            NoAnswerError: no usable answer.
            RefusedError: AWS refuses the request.
        """
        async with self._limiter.turn():
            send = partial(self._send, operation, request)
            answer = await asyncio.get_running_loop().run_in_executor(self._pool(), send)
        if isinstance(answer, Exception):
            if isinstance(answer, NoAnswerError):
                self._limiter.pause(backoff_seconds(1, self.time.jitter))
            raise answer
        return answer

    async def close(self) -> None:
        """Close the connections; a later call opens them again."""
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.close)
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="aws-batch")
        return self._threads

    def _send(
        self, operation: str, request: dict[str, Any]
    ) -> dict[str, Any] | NoAnswerError | RefusedError:
        """Within a thread. Errors are returned, so that none of botocore becomes their context."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # 0.5 s
        from botocore.parsers import ResponseParserError  # noqa: PLC0415

        try:
            answer: dict[str, Any] = getattr(self._opened(), operation)(**request)
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            return error_of(error)
        missing = _ALWAYS.get(operation, "ResponseMetadata") not in answer
        return NoAnswerError("an answer that cannot be read") if missing else answer

    def _opened(self) -> Any:  # noqa: ANN401  # boto3's clients have no types of their own
        with self._lock:
            if self._client is None:
                self._client = connect(self._settings, "batch", self._settings.aws_batch_url)
            return self._client
