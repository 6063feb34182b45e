"""What an attempt has done so far, kept in the bucket for the next one (paid once, rule 7)."""

import sys

from pydantic import ValidationError

from . import transfer
from .contract import (
    Contract,
    JobRequest,
    JobWarning,
    Segment,
    SpeakerEmbedding,
    Turn,
)
from .diarize.base import Diarization
from .packing import packed, unpacked
from .speech.plan import Plan
from .speech.so_far import Speech
from .speech.windows import Window, laid_out

PARTIAL_SECONDS = 600.0  # of compute between two of them


class KeptWindow(Contract):
    """A window as the stretches of the recording in it, in ms."""

    channel: int
    spans: tuple[tuple[int, int], ...]


class Partial(Contract):
    """The plan, the words of its first `windows_done` windows, and the turns if they are known."""

    job: str
    model_revision: str
    windows: tuple[KeptWindow, ...]
    language: str
    language_probability: float
    along: tuple[str, ...] = ()
    windows_done: int
    segments: tuple[Segment, ...]
    warnings: tuple[JobWarning, ...]
    has_turns: bool = False
    turns: tuple[Turn, ...] = ()
    exclusive_turns: tuple[Turn, ...] = ()
    speaker_embeddings: tuple[SpeakerEmbedding, ...] = ()
    diarizer: str = ""

    @property
    def speech(self) -> Speech:
        """To go on from."""
        windows = tuple(laid_out(each.channel, each.spans) for each in self.windows)
        return Speech(
            Plan(windows, self.language, self.language_probability, self.along),
            self.windows_done,
            list(self.segments),
            list(self.warnings),
        )

    @property
    def diarization(self) -> Diarization | None:
        """Who speaks when, where that was found."""
        if not self.has_turns:
            return None
        return Diarization(self.turns, self.exclusive_turns, self.speaker_embeddings, self.diarizer)


def partial_of(
    request: JobRequest, speech: Speech, diarization: Diarization | None
) -> Partial | None:
    """None where there is nothing yet that would be worth keeping."""
    if speech.plan is None or (not speech.windows_done and diarization is None):
        return None
    found = diarization or Diarization()
    return Partial(
        job=request.job,
        model_revision=request.model_revision,
        windows=tuple(_kept(window) for window in speech.plan.windows),
        language=speech.plan.language,
        language_probability=speech.plan.probability,
        along=speech.plan.along,
        windows_done=speech.windows_done,
        segments=tuple(speech.segments),
        warnings=tuple(speech.warnings),
        has_turns=diarization is not None,
        turns=found.turns,
        exclusive_turns=found.exclusive,
        speaker_embeddings=found.embeddings,
        diarizer=found.by,
    )


def keep(request: JobRequest, speech: Speech, diarization: Diarization | None) -> bool:
    """Whether it stands now. Whatever fails here costs no more than the partial itself."""
    address = request.addresses.partial_write
    if address is None:
        return False
    try:
        partial = partial_of(request, speech, diarization)
        if partial is None:
            return False
        body = packed(partial.model_dump_json().encode())
        return transfer.put(address, body) is transfer.Put.WRITTEN
    except Exception as error:  # noqa: BLE001  # it is kept where the work ends: the claim must end too
        sys.stderr.write(f"gpu_job: no partial result was kept: {type(error).__name__}\n")
        return False


def earlier(request: JobRequest) -> Partial | None:
    """The newest partial of an earlier attempt at this very job; None where it is of no use."""
    address = request.addresses.partial_read
    if address is None:
        return None
    try:
        body = transfer.read_surely(address)
        found = None if body is None else Partial.model_validate_json(unpacked(body))
    except (transfer.TransferError, OSError, ValidationError, ValueError):
        return None  # begun again from the start: dearer, and right
    if found is None or found.job != request.job:
        return None
    return found if found.model_revision == request.model_revision else None


def _kept(window: Window) -> KeptWindow:
    spans = tuple((piece.start_ms, piece.end_ms) for piece in window.pieces)
    return KeptWindow(channel=window.channel, spans=spans)
