"""pyannoteAI's HTTP API: requests, and what its answers mean.

Shapes from its API reference and its SDK 0.4.0: POST /diarize and /media/input, GET /jobs/{id}.
No error holds the key or an address of audio.
"""

import email.utils
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.errors import JobFailedError

if TYPE_CHECKING:
    import httpx

Check = Callable[[], None]  # raises where the work must stop

MOST_TRIES = 10  # of one request: about five minutes
MOST_UNCLEAR_TRIES = 3  # of a submission without an answer: each may be a job, and be billed
_BACKOFF_SECONDS, _BACKOFF_AT_MOST_SECONDS = 1.0, 60.0
_MOST_WAIT_SECONDS = 300.0
_STEP_SECONDS = 1.0  # between two looks for a stop
_CONNECT_SECONDS, _ANSWER_SECONDS = 20.0, 60.0
_CHUNK_BYTES = 1 << 20
_SHOWN_SIGNS = 200
_AGAIN = {408, 409, 425, 429}


class GoneError(Exception):
    """The service does not know the job, or no longer: it deletes them after a day."""


@dataclass(frozen=True)
class _Failure:
    """Why a request was not answered.

    may_have_arrived: it may have been carried out, only the answer is missing. of_account: no other
    job would fare better with this key.
    """

    why: str
    final: bool = False
    wait_seconds: float | None = None
    may_have_arrived: bool = False
    of_account: bool = False


@dataclass
class PyannoteAiClient:
    """One account. Every wait is cut into steps of a second, with a look for a stop between them.

    unclear: how often a submission was repeated without knowing whether the first one arrived.
    """

    base_url: str
    key: str = field(repr=False)
    sleep: Callable[[float], None] = time.sleep
    dice: Callable[[], float] = random.random
    unclear: int = 0

    def post(self, path: str, body: Mapping[str, object], check: Check) -> dict[str, Any]:
        """The answer to a request that creates something.

        Raises:
            JobFailedError: it was refused, or there is no answer.
            Exception: whatever `check` raises.
        """
        return self._tried(lambda: self._sent("POST", path, body), check)

    def get(self, path: str, check: Check) -> dict[str, Any]:
        """The answer to a request that changes nothing.

        Raises:
            GoneError: there is no such thing.
            JobFailedError: it was refused, or there is no answer.
            Exception: whatever `check` raises.
        """
        return self._tried(lambda: self._sent("GET", path, None), check)

    def upload(self, url: str, audio: Path, check: Check) -> None:
        """PUT a file to an address of the service.

        Raises:
            JobFailedError: it was refused, or the service does not answer.
            Exception: whatever `check` raises.
        """
        self._tried(lambda: self._uploaded(url, audio, check), check)

    def wait(self, seconds: float, check: Check) -> None:
        """Wait, and look for a stop every second."""
        while seconds > 0:
            check()
            self.sleep(min(seconds, _STEP_SECONDS))
            seconds -= _STEP_SECONDS
        check()

    def _tried(self, send: Callable[[], dict[str, Any] | _Failure], check: Check) -> dict[str, Any]:
        unclear = 0
        for number in range(MOST_TRIES):
            check()
            found = send()
            if not isinstance(found, _Failure):
                return found
            unclear += found.may_have_arrived
            self.unclear += found.may_have_arrived
            if found.final or unclear >= MOST_UNCLEAR_TRIES or number == MOST_TRIES - 1:
                raise _given_up(found, number + 1)
            self.wait(self._pause_seconds(found, number), check)
        raise AssertionError("the loop ends by itself")

    def _pause_seconds(self, failure: _Failure, number: int) -> float:
        if failure.wait_seconds is not None:  # as asked, and a little later than all others
            return min(failure.wait_seconds, _MOST_WAIT_SECONDS) + self.dice()
        backoff = min(_BACKOFF_SECONDS * 2.0**number, _BACKOFF_AT_MOST_SECONDS)
        return backoff * (0.5 + self.dice())

    def _sent(
        self, method: str, path: str, body: Mapping[str, object] | None
    ) -> dict[str, Any] | _Failure:
        import httpx  # noqa: PLC0415  # other workers need none

        creates = method == "POST"
        try:
            response = httpx.request(
                method,
                f"{self.base_url.rstrip('/')}{path}",
                json=body,
                headers={"Authorization": f"Bearer {self.key}"},
                timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return _Failure(f"pyannoteAI cannot be reached ({type(error).__name__})")
        except httpx.HTTPError as error:
            why = f"pyannoteAI's answer did not arrive ({type(error).__name__})"
            return _Failure(why, may_have_arrived=creates)
        if not response.is_success:
            return self._failure(response, creates=creates)
        found = _object_in(response.content)
        unreadable = _Failure("pyannoteAI's answer is not readable", may_have_arrived=creates)
        return unreadable if found is None else found

    def _uploaded(self, url: str, audio: Path, check: Check) -> dict[str, Any] | _Failure:
        import httpx  # noqa: PLC0415

        try:
            response = httpx.put(
                url,
                content=_chunks(audio, check),
                headers={"Content-Length": str(audio.stat().st_size)},  # stores need it
                timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            )
        except httpx.HTTPError as error:
            return _Failure(f"the audio could not be uploaded ({type(error).__name__})")
        if response.is_success:
            return {}
        why = f"pyannoteAI's store answered {response.status_code} to the upload"
        return _Failure(why, final=not _may_help(response.status_code))

    def _failure(self, response: "httpx.Response", *, creates: bool) -> _Failure:
        status = response.status_code
        said = self._said(response.content)
        why = f"pyannoteAI answered {status}{f': {said}' if said else ''}"
        if status == 404 and not creates:  # noqa: PLR2004  # HTTP's own
            raise GoneError(why)
        if status in {401, 403}:
            advice = "Check PYANNOTE_AI_API_KEY"
            return _Failure(f"{why}. {advice}", final=True, of_account=True)
        if status == 402:  # noqa: PLR2004
            advice = "Add credit to the account of PYANNOTE_AI_API_KEY"
            return _Failure(f"{why}. {advice}", final=True, of_account=True)
        after = _seconds(response.headers.get("retry-after", ""))
        server = status >= 500  # noqa: PLR2004
        return _Failure(why, not _may_help(status), after, may_have_arrived=creates and server)

    def _said(self, body: bytes) -> str:
        """The service's own sentence, shortened; nothing that holds an address or the key."""
        found = _object_in(body) or {}
        text = found.get("message") or found.get("error") or ""
        said = " ".join(str(text).split())[:_SHOWN_SIGNS]
        return "" if "://" in said or (self.key and self.key in said) else said


def _may_help(status: int) -> bool:
    """Whether sending it again may help."""
    return status in _AGAIN or status >= 500  # noqa: PLR2004


def _chunks(audio: Path, check: Check) -> Iterator[bytes]:
    with audio.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            check()
            yield chunk


def _object_in(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _seconds(retry_after: str) -> float | None:
    """Retry-After: seconds, or a date of HTTP."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        at = email.utils.parsedate_to_datetime(retry_after)
        return max(0.0, (at - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _given_up(failure: _Failure, tries: int) -> JobFailedError:
    after = f" after {tries} requests" if tries > 1 else ""
    what = failure.why[0].upper() + failure.why[1:]
    return JobFailedError("api_refused" if failure.of_account else "internal", f"{what}{after}.")
