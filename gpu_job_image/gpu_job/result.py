"""What a worker gives back, of all that it found."""

from .claims import Ownership
from .contract import JobRequest, JobResult, JobWarning, SpeakerEmbedding
from .diarize.base import TOY
from .settings import DEMO_MODEL
from .together import Work


def result_of(request: JobRequest, owner: Ownership, work: Work) -> JobResult:
    """The result of an attempt's work; voices only where somebody wants them."""
    found = work.diarization
    embeddings: tuple[SpeakerEmbedding, ...] = ()
    if found is not None and request.options.speaker_embeddings:
        embeddings = found.embeddings
    by = found.by if found else ""
    return JobResult(
        job=request.job,
        attempt=request.attempt,
        nonce=owner.nonce,
        language=work.speech.language,
        language_probability=round(work.speech.language_probability, 4),
        model_revision=request.model_revision,
        segments=tuple(work.speech.segments),
        turns=found.turns if found else (),
        exclusive_turns=found.exclusive if found else (),
        speaker_embeddings=embeddings,
        usage=owner.usage_now(),
        warnings=(*work.speech.warnings, *_of_speakers(request, by)),
        model=request.options.model,
        weights=work.models.weights,
        toy=request.options.model == DEMO_MODEL,
        diarizer=by,
    )


def _of_speakers(request: JobRequest, by: str) -> tuple[JobWarning, ...]:
    """Who reads it must know that the speakers are a toy's, unless the words are one's too."""
    if by != TOY or request.options.model == DEMO_MODEL:
        return ()
    return (
        JobWarning(
            code="toy_diarizer",
            message="The speakers were found by the toy of the demo, which separates no real "
            "voices: run `make setup` with the package index in reach, and run it again.",
        ),
    )
