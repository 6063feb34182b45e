"""The calls to RunPod's batch jobs: create, append, finalize, look and cancel."""

from collections.abc import Mapping, Sequence
from typing import Any

from resources.http.json_requests import RefusedError, TransientError
from resources.http.rate_limiter import RateLimiter

from . import urls
from .batch_answers import BatchSummary, page_of, request_id, summary_of
from .client import EndpointClient, Time, id_

CALLS, CALLS_AT_ONCE = 50, 10  # in 10 s: RunPod publishes no limit, so as few as for /cancel
CALL_BYTES = 10 * 1024 * 1024  # of the requests in one call
PAGE_REQUESTS = 500
_MOST_PAGES = 50  # 5,000 requests with a page of 100, if RunPod gives no larger ones
_LONGEST_ENVELOPE = 200  # bytes around the requests of a call


class BatchClient:
    """The batches of one endpoint."""

    def __init__(self, client: EndpointClient, endpoint: str, time_: Time) -> None:
        self._client, self._endpoint = client, endpoint
        self._limiter = RateLimiter(CALLS, CALLS_AT_ONCE, time_.clock, time_.sleep)

    async def create(self, name: str, bodies: Sequence[bytes], within_seconds: float) -> str:
        """The id of a new draft with these requests. An answer that is lost leaves a second draft.

        bodies: as those of /run, with the bytes of one call at most.

        Raises:
            TransientError: no usable answer.
            RefusedError: RunPod refuses it, for example because of too many batches.
        """
        body = b'{"name":"%s","requests":[%s]}' % (name.encode(), b",".join(bodies))
        path = urls.batches(self._endpoint)
        answer = await self._client.retry(
            "POST", path, self._limiter, body, id_, within_seconds=within_seconds
        )
        return id_(answer)

    async def append(self, batch: str, bodies: Sequence[bytes], within_seconds: float) -> None:
        """Add requests to a draft; a lost answer may add them twice.

        Raises:
            TransientError: no usable answer.
            RefusedError: RunPod refuses them.
        """
        body = b'{"requests":[%s]}' % b",".join(bodies)
        path = urls.batch_requests(self._endpoint, batch)
        await self._client.retry("POST", path, self._limiter, body, within_seconds=within_seconds)

    async def finalize(self, batch: str, within_seconds: float) -> None:
        """Let workers take the requests.

        Raises:
            TransientError: it is unknown whether they may.
            RefusedError: they may not.
        """
        path = urls.batch_finalize(self._endpoint, batch)
        try:
            await self._client.retry("POST", path, self._limiter, within_seconds=within_seconds)
        except (TransientError, RefusedError):  # an earlier try may have finalized it
            summary = await self.summary(batch)
            if summary.is_draft or summary.status in {"", "CANCELLED"}:
                raise

    async def summary(self, batch: str) -> BatchSummary:
        """How far it is; requested once.

        Raises:
            TransientError: no usable answer.
            RefusedError: 404: there is no such batch.
        """
        await self._limiter.wait()
        return summary_of(await self._client.ask("GET", urls.batch(self._endpoint, batch)))

    async def requests(self, batch: str, total: int) -> list[Mapping[str, Any]]:
        """All its requests, page by page. total: as the summary says; fewer where some were lost.

        Raises:
            TransientError: no usable answer.
            RefusedError: 404: there is no such batch.
        """
        path, seen = urls.batch_requests(self._endpoint, batch), set[str]()
        found: list[Mapping[str, Any]] = []
        params = {"offset": "0", "limit": str(PAGE_REQUESTS)}
        for _ in range(_MOST_PAGES):
            await self._limiter.wait()
            page = page_of(await self._client.ask("GET", path, params=params))
            fresh = [one for one in page.requests if request_id(one) not in seen]
            seen |= {request_id(one) for one in fresh}
            found += fresh
            if not fresh or 0 < total <= len(found):
                break
            params = {"limit": str(PAGE_REQUESTS), "offset": str(len(found))}
            params |= {"cursor": page.cursor} if page.cursor else {}
        return found

    async def cancel(self, batch: str) -> None:
        """Cancel what waits.

        Raises:
            TransientError: it is unknown whether it was cancelled.
            RefusedError: it has ended, or does not exist.
        """
        await self._client.retry("POST", urls.batch_cancel(self._endpoint, batch), self._limiter)


def calls_of(bodies: Sequence[bytes]) -> list[list[bytes]]:
    """The requests by call, none of which has more than 10 MiB."""
    calls: list[list[bytes]] = [[]]
    size = _LONGEST_ENVELOPE
    for body in bodies:
        if calls[-1] and size + len(body) + 1 > CALL_BYTES:
            calls.append([])
            size = _LONGEST_ENVELOPE
        calls[-1].append(body)
        size += len(body) + 1
    return calls
