"""What a worker gives back, of all that it found."""

from .claims import Ownership
from .contract import JobRequest, JobResult, SpeakerEmbedding
from .settings import DEMO_MODEL
from .together import Work


def result_of(request: JobRequest, owner: Ownership, work: Work) -> JobResult:
    """The result of an attempt's work; voices only where somebody wants them."""
    found = work.diarization
    embeddings: tuple[SpeakerEmbedding, ...] = ()
    if found is not None and request.options.speaker_embeddings:
        embeddings = found.embeddings
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
        warnings=tuple(work.speech.warnings),
        model=request.options.model,
        weights=work.models.weights,
        toy=request.options.model == DEMO_MODEL,
    )
