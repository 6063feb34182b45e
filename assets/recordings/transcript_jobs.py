"""The jobs of a transcript: which there are, what was bought already, and how they run."""

import asyncio
from dataclasses import dataclass

from escriba.errors import OverBudgetError, RecordingError
from escriba.recording_warnings import NO_SPEAKERS, RecordingWarning
from escriba.stages import OPTIMIZED_AUDIO, RAW_AUDIO, TRANSCRIPT
from gpu_job.contract import JobOptions
from intake.job_options import options_for_file, revision_of, turns_alone, words_alone
from intake.job_plan import JobPlan, PossiblePlans, is_made_with, possible_plans, same_words
from intake.stage_records import OptimizedAudioFacts, RawAudio, TranscriptFacts, stage_fingerprint
from resources.gpu.job_folder import FrozenRequest, JobFolder, now
from resources.gpu.job_orders import FinishedJob, JobOrder, order_of

from .run_context import RecordingContext


@dataclass(frozen=True)
class DoneJobs:
    """The jobs of a plan that ended. no_speakers: why the words have to do without them."""

    plan: JobPlan
    words: FinishedJob | None = None
    speakers: FinishedJob | None = None
    no_speakers: RecordingError | None = None

    @property
    def warnings(self) -> tuple[RecordingWarning, ...]:
        """A warning if the speakers were not found."""
        if self.no_speakers is None:
            return ()
        message = (
            f"The job for the speakers failed: {self.no_speakers.message.rstrip('.')}. "
            "The words are complete; `escriba run --outdated` tries the speakers again."
        )
        return (RecordingWarning(code=NO_SPEAKERS, message=message),)


def job_folder(context: RecordingContext, job: str) -> JobFolder:
    """The folder of a job of this recording's tenant."""
    return JobFolder(context.run_context.storage, context.recording.tenant, job)


def file_options(context: RecordingContext) -> JobOptions:
    """The options of the words and speakers together, as far as the file allows them."""
    audio = context.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    streams = context.facts(RAW_AUDIO, RawAudio).audio_streams
    return options_for_file(context.options.job, audio.channels, streams)


def fingerprints_now(context: RecordingContext) -> dict[str, JobPlan]:
    """The plan by the fingerprint of its transcript: either way, the words and turns are equal."""
    plans = _plans(context, "")
    both = (plans.together, plans.apart) if plans.apart else (plans.together,)
    return {fingerprint_of(context, plan): plan for plan in both}


def fingerprint_of(context: RecordingContext, plan: JobPlan) -> str:
    """The fingerprint of the transcript of a plan; without speech, that of the file."""
    content = context.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts).content_sha256
    return stage_fingerprint(TRANSCRIPT, *(plan.parts if plan.words else (content,)))


def _plans(context: RecordingContext, again: str) -> PossiblePlans:
    audio = context.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    if not audio.regions:
        return PossiblePlans(JobPlan())
    return possible_plans(audio.content_sha256, file_options(context), again=again)


def matches_options(context: RecordingContext, facts: TranscriptFacts) -> bool:
    """Whether the transcript is the one that the current options give."""
    return not facts.job or is_made_with(facts, file_options(context))


def lacks_only_speakers(context: RecordingContext, facts: TranscriptFacts) -> bool:
    """Whether the words are those of the current options, and speakers are missing."""
    apart = _plans(context, facts.again).apart
    return not facts.speakers_job and apart is not None and facts.words_like == apart.words


def words_identity(context: RecordingContext, again: str) -> str:
    """The identity that a job for these words alone has."""
    apart = _plans(context, again).apart
    return apart.words if apart else ""


def plan_jobs(context: RecordingContext, forced_by: str) -> JobPlan:
    """The jobs to run. Words that were bought are never bought again for the sake of speakers.

    forced_by: a run that computes everything anew.
    """
    plans = _plans(context, forced_by)
    if plans.apart is None or TRANSCRIPT in context.run_context.forced:
        return _by_settings(context, plans)
    known = _words_of_record(context)
    if known is not None and known != plans.together.words:
        return JobPlan(known, plans.apart.speakers)
    preferred = _by_settings(context, plans)
    other = plans.apart if preferred is plans.together else plans.together
    is_other_there = job_folder(context, other.words).has_result()
    if is_other_there and not job_folder(context, preferred.words).has_result():
        return other
    return preferred


def _by_settings(context: RecordingContext, plans: PossiblePlans) -> JobPlan:
    split = context.run_context.settings.speakers_backend
    return plans.apart if split and plans.apart is not None else plans.together


def _words_of_record(context: RecordingContext) -> str | None:
    """The job of the recorded transcript, if its result has the words that are wanted now."""
    record = context.record(TRANSCRIPT)
    if record is None:
        return None
    facts = TranscriptFacts.model_validate(record.facts)
    content = context.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts).content_sha256
    if not facts.job or facts.content_sha256 != content:
        return None
    folder = job_folder(context, facts.job)
    request = folder.find_request()
    if request is None or not same_words(
        request.options, request.model_revision, file_options(context)
    ):
        return None
    return facts.job if folder.has_result() else None


def _gave_up_on_speakers(context: RecordingContext) -> bool:
    """Whether an earlier run did without speakers; a run of the recording then tries again."""
    record = context.record(TRANSCRIPT)
    if record is None:
        return False
    facts = TranscriptFacts.model_validate(record.facts)
    return any(warning.code == NO_SPEAKERS for warning in facts.warnings)


async def run_jobs(context: RecordingContext, plan: JobPlan) -> DoneJobs:
    """Run the jobs of a plan concurrently; what has a result already costs nothing.

    If only the speakers' job fails for good, the words stand without speakers: they are paid for,
    and most of their readers can do with them.

    Raises:
        RecordingError: of the words' job, or of a job that waits for its budget.
        BackendUnavailableError: no backend can run one of them now; the other's result is kept.
    """
    if not plan.words:
        return DoneJobs(plan)
    if not plan.speakers:
        return DoneJobs(plan, await _run(context, plan.words, plan))
    words, speakers = await asyncio.gather(
        _run(context, plan.words, plan),
        _run(context, plan.speakers, plan),
        return_exceptions=True,
    )
    if isinstance(words, BaseException):
        raise words
    if isinstance(speakers, RecordingError) and not isinstance(speakers, OverBudgetError):
        return DoneJobs(plan, words, no_speakers=speakers)
    if isinstance(speakers, BaseException):
        raise speakers
    return DoneJobs(plan, words, speakers)


async def _run(context: RecordingContext, job: str, plan: JobPlan) -> FinishedJob:
    """The order is written in a thread, so that no other recording waits for the bucket."""
    order = await asyncio.to_thread(_order, context, job, plan)
    context.forget_records()  # the job may wait for hours
    return await context.run_context.engine.run(order)


def _options_in(context: RecordingContext, job: str, plan: JobPlan) -> JobOptions:
    options = file_options(context)
    if not plan.speakers:
        return options
    return turns_alone(options) if job == plan.speakers else words_alone(options)


def _order(context: RecordingContext, job: str, plan: JobPlan) -> JobOrder:
    audio = context.facts(OPTIMIZED_AUDIO, OptimizedAudioFacts)
    options = _options_in(context, job, plan)
    request = FrozenRequest(
        job=job,
        content_sha256=audio.content_sha256,
        options=options,
        model_revision=revision_of(options),
        regions=audio.regions,
        audio_ms=audio.audio_ms,
        recording=context.recording.name,
        created_at=now(),
    )
    recording, progress = context.recording, context.run_context.progress
    speakers = options.task == "diarize"

    def report(done_ms: int) -> None:
        if not speakers:  # two jobs would make one bar jump
            progress.working(recording, TRANSCRIPT, done_ms, audio.speech_ms)

    return order_of(
        job_folder(context, job),
        request,
        audio_key=audio.audio_key,
        audio_sha256=audio.audio_sha256,
        audio_channels=audio.channels,
        audio_bytes=audio.size_bytes,
        progress=report,
        permission=context.permission,
        retry=context.run_context.retry or (speakers and _gave_up_on_speakers(context)),
        preferred=context.run_context.settings.speakers_backend if speakers else "",
    )
