"""Speakers by pyannoteAI: a job there is submitted once, and attached to after a kill."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..audio_download import fetched
from ..common.errors import JobFailedError
from ..common.purchases import Purchases
from ..common.settings import WorkerSettings
from ..contract import JobRequest, JobWarning
from ..diarize.base import Check, Diarization
from .pyannote_ai_client import GoneError, PyannoteAiClient
from .pyannote_ai_turns import UnreadableTurnsError, diarization_of

NAME = "pyannote_ai"
_ENDED = {"succeeded", "failed", "canceled"}  # any other state: it is not over
_FIRST_LOOK_SHARE = 0.3  # of the time between two looks: short recordings are done at once
_LEAST_MS = 20_000  # of audio that a job is billed for (published price of 2026-08)
_MOST_READS = 3  # of an output that is missing or no turns


class _EndedUnbilledError(Exception):
    """A job failed or was canceled there: it is not billed, and another one may be submitted."""


@dataclass
class PyannoteAi:
    """pyannoteAI's service with one model.

    upload: the audio is uploaded, even if its address could be passed on.
    """

    client: PyannoteAiClient
    model: str
    poll_seconds: float
    upload: bool = False

    @classmethod
    def of(cls, settings: WorkerSettings) -> "PyannoteAi":
        """The service of the settings; makes no request."""
        client = PyannoteAiClient(settings.pyannote_ai_url, settings.pyannote_ai_key)
        return cls(
            client,
            settings.pyannote_ai_model,
            settings.pyannote_ai_poll_seconds,
            upload=settings.pyannote_ai_upload == "true",
        )

    def diarize(
        self,
        request: JobRequest,
        bought: str,
        keep: Callable[[str], None],
        check: Check,
        purchases: Purchases,
    ) -> Diarization:
        """See `SpeakerService.diarize`.

        A job that failed or was canceled there is not billed, so another one is submitted. A job
        whose output was deleted is billed, and another one too: a warning says so.

        Raises:
            JobFailedError: the service refuses the job, or could not do it.
        """
        warnings: tuple[JobWarning, ...] = ()
        if bought:
            try:
                return self._turns(bought, request, check)
            except _EndedUnbilledError:
                pass
            except (GoneError, UnreadableTurnsError):
                warnings = (_BOUGHT_AGAIN,)
        job = self._submitted(request, keep, check, purchases)
        if warnings:  # once the new id is stored, no attempt looks for the old one again
            purchases.add(_billed_ms(request))
        found = self._new(job, request, check)
        unclear = (_UNCLEAR,) if self.client.unclear else ()
        self.client.unclear = 0
        return replace(found, warnings=(*warnings, *unclear))

    def _new(self, job: str, request: JobRequest, check: Check) -> Diarization:
        """The turns of a job that was submitted now."""
        try:
            return self._turns(job, request, check)
        except _EndedUnbilledError as error:
            raise JobFailedError("internal", f"{error}.") from error
        except (GoneError, UnreadableTurnsError) as error:
            why = f"pyannoteAI's output cannot be read: {error}."
            raise JobFailedError("internal", why) from error

    def _submitted(
        self,
        request: JobRequest,
        keep: Callable[[str], None],
        check: Check,
        purchases: Purchases,
    ) -> str:
        """The id of a new job, which is stored already.

        Each submission without an answer may be a job of its own, which nobody can attach to.
        """
        body = {"url": self._url(request, check), "model": self.model, "exclusive": True}
        try:
            answer = self.client.post("/diarize", body | _speakers(request), check)
        finally:
            if self.client.unclear:
                purchases.add(self.client.unclear * _billed_ms(request))
        job = answer.get("jobId")
        if not isinstance(job, str) or not job:
            raise JobFailedError("internal", "pyannoteAI's answer names no job.")
        keep(job)
        return job

    def _url(self, request: JobRequest, check: Check) -> str:
        """The address of the audio, if a plain GET reads it; otherwise that of an upload."""
        address = request.addresses.audio
        is_web = address.url.startswith(("https://", "http://"))
        if is_web and not address.headers and not self.upload:
            return address.url
        media = f"media://escriba/{request.job}"
        with tempfile.TemporaryDirectory(prefix="gpu-job-") as folder:
            audio = fetched(request, Path(folder), check)
            answer = self.client.post("/media/input", {"url": media}, check)
            url = answer.get("url")
            if not isinstance(url, str):
                raise JobFailedError("internal", "pyannoteAI's answer names no address.")
            self.client.unclear = 0  # an address that is made twice costs nothing
            self.client.upload(url, audio, check)
        return media

    def _turns(self, job: str, request: JobRequest, check: Check) -> Diarization:
        """The turns of a job, once it has ended; an output that is no output is read again.

        Raises:
            _EndedUnbilledError: the job failed or was canceled.
            GoneError, UnreadableTurnsError: its output is gone, or stays unreadable.
        """
        for number in range(1, _MOST_READS + 1):
            try:
                ended = self._ended(job, check)
                if ended["status"] != "succeeded":
                    raise _EndedUnbilledError(_why(ended))
                found = diarization_of(ended, request.audio_ms, NAME)
                return replace(found, bought_ms=_billed_ms(request))
            except (GoneError, UnreadableTurnsError):
                if number == _MOST_READS:
                    raise
        raise AssertionError("the loop ends by itself")

    def _ended(self, job: str, check: Check) -> dict[str, Any]:
        """The job, once it has ended; unknown states count as running."""
        self.client.wait(self.poll_seconds * _FIRST_LOOK_SHARE, check)
        while (found := self.client.get(f"/jobs/{job}", check)).get("status") not in _ENDED:
            self.client.wait(self.poll_seconds, check)
        return found


def _billed_ms(request: JobRequest) -> int:
    """The audio that a job which succeeds is billed for."""
    return max(request.audio_ms, _LEAST_MS)


def _speakers(request: JobRequest) -> dict[str, object]:
    """The known number of speakers; an exact one stands alone."""
    wanted = request.options.speakers
    if wanted.exact is not None:
        return {"numSpeakers": wanted.exact}
    bounds = {"minSpeakers": wanted.minimum, "maxSpeakers": wanted.maximum}
    return {name: value for name, value in bounds.items() if value is not None}


def _why(ended: dict[str, Any]) -> str:
    """What the service says about a job that ended without turns; never an address."""
    output = ended.get("output")
    said = str(output.get("error") or "") if isinstance(output, dict) else ""
    why = f": {' '.join(said.split())[:200]}" if said and "://" not in said else ""
    return f"pyannoteAI's job {ended['status']}{why}"


_BOUGHT_AGAIN = JobWarning(
    code="bought_again",
    message="pyannoteAI no longer had the output of an earlier job, so the speakers were found, "
    "and may be billed, a second time.",
)
_UNCLEAR = JobWarning(
    code="unclear_submission",
    message="pyannoteAI did not answer a submission, so the job may exist, and be billed, twice.",
)
