"""The jobs of a transcript: one for words and speakers, or one for each of them."""

from dataclasses import dataclass

from gpu_job.contract import JobOptions
from resources.gpu.job_identity import job_id

from .job_options import revision_of, turns_alone, wants_turns, words_alone
from .stage_records import TranscriptFacts


@dataclass(frozen=True, slots=True)
class JobPlan:
    """The jobs of one transcript.

    words: the job of the words; empty: there is no speech. speakers: a job for the speakers alone;
    empty: the words' job finds them, or nobody does.
    """

    words: str = ""
    speakers: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """What identifies the transcript."""
        return (self.words, self.speakers) if self.speakers else (self.words,)


@dataclass(frozen=True, slots=True)
class PossiblePlans:
    """Both ways to the same words and turns. apart: None if nobody is to find speakers."""

    together: JobPlan
    apart: JobPlan | None = None


def possible_plans(content_sha256: str, options: JobOptions, *, again: str = "") -> PossiblePlans:
    """The identities of a file's jobs; again: the run that was forced to compute them anew."""

    def job(of: JobOptions) -> str:
        return job_id(content_sha256, of, revision_of(of), again=again)

    together = JobPlan(job(options))
    if not wants_turns(options):
        return PossiblePlans(together)
    return PossiblePlans(together, JobPlan(job(words_alone(options)), job(turns_alone(options))))


def is_made_with(facts: TranscriptFacts, options: JobOptions) -> bool:
    """Whether a transcript has the words and the turns that these options give."""
    plans = possible_plans(facts.content_sha256, options, again=facts.again)
    if not facts.speakers_job:
        return facts.job == plans.together.words
    return plans.apart == JobPlan(facts.words_like, facts.speakers_job)


def same_words(job_options: JobOptions, job_revision: str, options: JobOptions) -> bool:
    """Whether a job with `job_options` gave the words that `options` ask for.

    job_revision: the models of that job, the speech model first.
    """
    words = words_alone(options)
    revision = revision_of(words)
    is_same_model = job_revision == revision or job_revision.startswith(f"{revision}+")
    return is_same_model and words_alone(job_options) == words
