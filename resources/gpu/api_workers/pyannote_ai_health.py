"""Whether pyannoteAI takes jobs now: from its test of the key, and from what it refused before."""

import time
from collections.abc import Callable

import httpx

from escriba.billing.quotes import Health
from resources.http.hide_urls import hide_urls

from .account_health import AccountHealth

_TIMEOUT_SECONDS = 10.0
_UNAUTHORIZED, _TOO_MANY = {401, 403}, 429


class PyannoteAiHealth(AccountHealth):
    """The health of one account; asks GET /test at most every LOOK_SECONDS."""

    def __init__(
        self, base_url: str, key: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(clock)
        self._base_url, self._key = base_url.rstrip("/"), key

    async def _asked(self) -> Health:
        hide_urls()
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            async with httpx.AsyncClient(headers=headers, timeout=_TIMEOUT_SECONDS) as http:
                answer = await http.get(f"{self._base_url}/test")
        except httpx.HTTPError as error:
            return Health("down", f"pyannoteAI does not answer ({type(error).__name__})")
        return _verdict(answer.status_code)


def _verdict(status: int) -> Health:
    if status in _UNAUTHORIZED:
        why = f"pyannoteAI refuses the key ({status}): correct PYANNOTE_AI_API_KEY"
        return Health("down", why, lasting=True)
    if status == _TOO_MANY:
        return Health("degraded", "pyannoteAI limits requests (429)")
    if status >= httpx.codes.BAD_REQUEST:
        return Health("down", f"pyannoteAI answers {status}")
    return Health("well")
