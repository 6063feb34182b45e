"""Whether an API takes jobs now: from its list of models, and from what it refused before."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

import httpx

from escriba.billing.quotes import Health
from gpu_job.contract.api_presets import ApiPreset
from resources.http.hide_urls import hide_urls

from .account_health import AccountHealth

WARN_DAYS = 60  # before an end of life
_TIMEOUT_SECONDS = 10.0
_UNAUTHORIZED, _NOT_FOUND, _TOO_MANY = {401, 403}, 404, 429


def today() -> date:
    """The day in UTC."""
    return datetime.now(UTC).date()


def end_of_life(preset: ApiPreset, day: date) -> str:
    """A sentence about the model's end, from WARN_DAYS before it; empty before, and without one."""
    if preset.ends_on is None:
        return ""
    if day >= preset.ends_on:
        return (
            f"{preset.model} has ended on {preset.ends_on}: set OPENAI_MODEL and MODEL to another "
            "model (docs/backends/openai.md)"
        )
    days = (preset.ends_on - day).days
    return f"{preset.model} ends on {preset.ends_on}, in {days} days" if days <= WARN_DAYS else ""


class ApiHealth(AccountHealth):
    """The health of one API; asks it at most every LOOK_SECONDS."""

    def __init__(
        self,
        base_url: str,
        key: str,
        preset: ApiPreset,
        clock: Callable[[], float] = time.monotonic,
        day: Callable[[], date] = today,
    ) -> None:
        super().__init__(clock)
        self._base_url, self._key, self._preset = base_url.rstrip("/"), key, preset
        self._day = day

    async def health(self) -> Health:
        """The verdict; never raises, and holds no key."""
        if self._preset.ends_on is not None and self._day() >= self._preset.ends_on:
            return Health("down", end_of_life(self._preset, self._day()), lasting=True)
        return await super().health()

    async def _asked(self) -> Health:
        hide_urls()
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            async with httpx.AsyncClient(headers=headers, timeout=_TIMEOUT_SECONDS) as http:
                answer = await http.get(f"{self._base_url}/models")
        except httpx.HTTPError as error:
            return Health("down", f"{self._preset.host} does not answer ({type(error).__name__})")
        return self._verdict(answer)

    def _verdict(self, answer: httpx.Response) -> Health:
        status, host = answer.status_code, self._preset.host
        if status in _UNAUTHORIZED:
            why = f"{host} refuses the key ({status}): correct OPENAI_API_KEY"
            return Health("down", why, lasting=True)
        if status == _TOO_MANY:
            return Health("degraded", f"{host} limits requests (429)")
        if status == _NOT_FOUND:  # a server without a list may transcribe all the same
            return Health("well")
        if not answer.is_success:
            return Health("down", f"{host} answers {status}")
        offered = models_in(answer)
        if offered and self._preset.model not in offered:
            why = f"{host} does not list OPENAI_MODEL={self._preset.model}"
            return Health("degraded", why)
        return Health("well")


def models_in(answer: httpx.Response) -> frozenset[str]:
    """The names in a list of models; empty if it is of another form."""
    try:
        return frozenset(str(each["id"]) for each in answer.json()["data"])
    except (ValueError, KeyError, TypeError):
        return frozenset()
