"""Builds the job result."""

from .common.settings import DEMO_MODEL
from .contract import JobRequest, JobResult, JobWarning, SpeakerEmbedding, Usage
from .diarize.base import TOY
from .lease_ownership import LeaseOwnership
from .parallel_stages import ParallelWork


def result_of(request: JobRequest, owner: LeaseOwnership, work: ParallelWork) -> JobResult:
    """The result of an attempt's work; speaker embeddings only if requested."""
    found = work.diarization
    embeddings: tuple[SpeakerEmbedding, ...] = ()
    if found is not None and request.options.speaker_embeddings:
        embeddings = found.embeddings
    by = found.by if found else ""
    about_speakers = found.warnings if found else ()
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
        usage=_usage(owner, work),
        warnings=(*work.speech.warnings, *about_speakers, *_diarizer_warnings(request, by)),
        model=request.options.model,
        weights=work.models.weights,
        toy=request.options.model == DEMO_MODEL,
        diarizer=by,
        word_times=work.speech.word_times,
    )


def _usage(owner: LeaseOwnership, work: ParallelWork) -> Usage:
    """The usage up to now. Bought turns count with the result, of which there is one."""
    usage = owner.usage_now()
    if usage.bought_ms is None:
        return usage
    return usage.model_copy(update={"bought_ms": work.bought_ms})


def _diarizer_warnings(request: JobRequest, by: str) -> tuple[JobWarning, ...]:
    """A warning that the toy found the speakers, unless the demo model also wrote the words."""
    if by != TOY or request.options.model == DEMO_MODEL:
        return ()
    return (
        JobWarning(
            code="toy_diarizer",
            message="The toy diarizer of the demo found the speakers, and it cannot separate real "
            "voices. Run `make setup` with access to the package index, then transcribe again.",
        ),
    )
