"""What an attempt has done so far, kept in the bucket for the next one (paid once, rule 7)."""

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
from .speech.languages import Languages
from .speech.so_far import Speech

PARTIAL_SECONDS = 600.0  # of compute between two of them
PACKING = 2  # raised when windows are packed in another way: then `windows_done` means another


class Partial(Contract):
    """The words of the first `windows_done` windows, and the turns where they are known."""

    packing: int
    job: str
    model_revision: str
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

    @property
    def speech(self) -> Speech:
        """To go on from."""
        return Speech(
            Languages(self.language, self.language_probability, self.along),
            self.windows_done,
            list(self.segments),
            list(self.warnings),
        )

    @property
    def diarization(self) -> Diarization | None:
        """Who speaks when, where that was found."""
        if not self.has_turns:
            return None
        return Diarization(self.turns, self.exclusive_turns, self.speaker_embeddings)


def partial_of(
    request: JobRequest, speech: Speech, diarization: Diarization | None
) -> Partial | None:
    """None where there is nothing yet that would be worth keeping."""
    if speech.languages is None or (not speech.windows_done and diarization is None):
        return None
    found = diarization or Diarization()
    return Partial(
        packing=PACKING,
        job=request.job,
        model_revision=request.model_revision,
        language=speech.languages.main,
        language_probability=speech.languages.probability,
        along=speech.languages.along,
        windows_done=speech.windows_done,
        segments=tuple(speech.segments),
        warnings=tuple(speech.warnings),
        has_turns=diarization is not None,
        turns=found.turns,
        exclusive_turns=found.exclusive,
        speaker_embeddings=found.embeddings,
    )


def save(request: JobRequest, partial: Partial | None) -> bool:
    """Whether it stands now. A store that fails costs no more than the partial itself."""
    address = request.addresses.partial_write
    if address is None or partial is None:
        return False
    try:
        return transfer.put(address, packed(partial.model_dump_json().encode())) is (
            transfer.Put.WRITTEN
        )
    except (transfer.TransferError, OSError):
        return False


def earlier(request: JobRequest) -> Partial | None:
    """The newest partial of an earlier attempt at this very job; None where it is of no use."""
    address = request.addresses.partial_read
    if address is None:
        return None
    try:
        body = transfer.read(address)
        found = None if body is None else Partial.model_validate_json(unpacked(body))
    except (transfer.TransferError, OSError, ValidationError, ValueError):
        return None  # begun again from the start: dearer, and right
    if found is None or (found.packing, found.job) != (PACKING, request.job):
        return None
    return found if found.model_revision == request.model_revision else None
