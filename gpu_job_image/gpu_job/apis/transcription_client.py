"""Sends pieces to a transcription API, and sends them again where that helps."""

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..common.errors import JobFailedError
from ..common.purchases import Purchases
from .answers import ApiAnswer, UnreadableAnswerError, answer_of
from .encode_piece import FILE_NAME, MEDIA_TYPE
from .failures import Failure, failure_of
from .request_form import Field

if TYPE_CHECKING:
    import httpx

Check = Callable[[], None]  # raises where the work must stop

MOST_TRIES = 8
MOST_UNCLEAR_TRIES = 3  # each of them may be billed
MOST_WAIT_SECONDS = 300.0
_FIRST_WAIT_SECONDS, _LONGEST_BACKOFF_SECONDS = 1.0, 60.0
_STEP_SECONDS = 1.0  # between two looks for a stop
_CONNECT_SECONDS, _ANSWER_SECONDS = 20.0, 300.0


class PieceTooLongError(Exception):
    """The API refuses the length or the size of a piece: cut it smaller."""


@dataclass(frozen=True)
class PieceRequest:
    """One piece, as it is sent. billed_ms: audio that the API bills for it."""

    path: str
    fields: Sequence[Field]
    audio: bytes = field(repr=False)
    billed_ms: int


@dataclass
class TranscriptionClient:
    """One API and its key; every wait is through `sleep`, cut into steps of a second.

    unclear_ms: audio whose answer was lost on the way, so that it was sent again and may be billed
    twice; counted so that a result can say it.
    """

    base_url: str
    key: str = field(repr=False)
    sleep: Callable[[float], None] = time.sleep
    dice: Callable[[], float] = random.random
    unclear_ms: int = 0

    def transcribe(self, piece: PieceRequest, check: Check, purchases: Purchases) -> ApiAnswer:
        """The answer to one piece; each request that may be billed is a purchase.

        Raises:
            PieceTooLongError: the API refuses its length.
            JobFailedError: the API refuses the request, or does not answer for a long time.
            Exception: whatever `check` raises.
        """
        unclear = 0
        for number in range(MOST_TRIES):
            check()
            purchases.add(piece.billed_ms)
            found = self._sent(piece)
            if isinstance(found, ApiAnswer):
                return found
            if not found.may_be_billed:
                purchases.take_back(piece.billed_ms)
            if found.kind == "too_long":
                raise PieceTooLongError(found.why)
            if found.may_be_billed:
                unclear += 1
                self.unclear_ms += piece.billed_ms
            if found.kind == "refused" or unclear >= MOST_UNCLEAR_TRIES or number == MOST_TRIES - 1:
                raise _given_up(found, number + 1)
            self._wait(found, number, check)
        raise AssertionError("the loop ends by itself")

    def _sent(self, piece: PieceRequest) -> ApiAnswer | Failure:
        import httpx  # noqa: PLC0415  # other engines need none

        try:
            response = self._post(piece)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Failure("again", f"the API cannot be reached ({type(error).__name__})")
        except httpx.HTTPError as error:
            why = f"the answer did not arrive ({type(error).__name__})"
            return Failure("again", why, may_be_billed=True)
        if not response.is_success:
            after = response.headers.get("retry-after", "")
            return failure_of(response.status_code, response.content, after, self.key)
        try:
            return answer_of(response.content)
        except UnreadableAnswerError as error:
            return Failure("again", f"the answer is not readable ({error})", may_be_billed=True)

    def _post(self, piece: PieceRequest) -> "httpx.Response":
        """One POST. The same piece has the same Idempotency-Key in every attempt.

        An API that knows the header answers a repeated piece from its memory, unbilled.
        """
        import httpx  # noqa: PLC0415

        form: dict[str, list[str]] = {}
        for name, value in piece.fields:
            form.setdefault(name, []).append(value)
        headers = {"Idempotency-Key": _fingerprint(piece)}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        return httpx.post(
            f"{self.base_url.rstrip('/')}{piece.path}",
            data=form,
            files={"file": (FILE_NAME, piece.audio, MEDIA_TYPE)},
            headers=headers,
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
        )

    def _wait(self, failure: Failure, number: int, check: Check) -> None:
        backoff = min(_FIRST_WAIT_SECONDS * 2.0**number, _LONGEST_BACKOFF_SECONDS)
        seconds = backoff * (0.5 + self.dice())
        if failure.wait_seconds is not None:  # as asked, and a little later than all others
            seconds = min(failure.wait_seconds, MOST_WAIT_SECONDS) + self.dice()
        while seconds > 0:
            self.sleep(min(seconds, _STEP_SECONDS))
            seconds -= _STEP_SECONDS
            check()


def _fingerprint(piece: PieceRequest) -> str:
    digest = hashlib.sha256(repr((piece.path, list(piece.fields))).encode())
    digest.update(piece.audio)
    return f"escriba-{digest.hexdigest()}"


def _given_up(failure: Failure, tries: int) -> JobFailedError:
    after = f" after {tries} requests" if tries > 1 else ""
    what = failure.why[0].upper() + failure.why[1:]
    return JobFailedError("api_refused" if failure.is_account else "internal", f"{what}{after}.")
