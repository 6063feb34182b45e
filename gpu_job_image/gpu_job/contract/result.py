"""What a worker gives back."""

from pydantic import Field

from .claim import Usage
from .joins import text_of
from .parts import CONTRACT_VERSION, Contract, Milliseconds


class Word(Contract):
    """One word as the model heard it; `text` has no surrounding blanks.

    joins: no blank stands between it and the word before, as in "levá" and "-lo"; of a segment's
        first word: between the segments, in scripts without blanks. Results from before it was
        kept have blanks everywhere.
    """

    start_ms: Milliseconds
    end_ms: Milliseconds
    text: str
    probability: float
    channel: int = 0
    joins: bool = False


class Segment(Contract):
    """A stretch of speech that the model wrote as one piece, in time order of its words."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    words: tuple[Word, ...]
    channel: int = 0
    language: str = ""  # where it was detected along the way

    @property
    def text(self) -> str:
        """The words, with the blanks that the model wrote."""
        return text_of(self.words)


class Turn(Contract):
    """Somebody speaks; turns of different speakers may overlap."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    speaker: str


class SpeakerEmbedding(Contract):
    """A voice as a vector; comparable only within one diarization model."""

    speaker: str
    vector: tuple[float, ...]


class Evidence(Contract):
    """What was measured where words were taken out; None: it was not asked for.

    speech_ms: in which the speech detector hears somebody, in the words and just around them.
    above_floor_db: the loudest of the words above the quietest of the window.
    logprob: mean natural logarithm of the tokens' probabilities, of the segment.
    no_speech: the model's own probability that nobody speaks in the window.
    sound_adds: how much likelier the words are for having been heard, in nats for each word.
    language_certainty: the probability of the likeliest of all languages, in the window.
    """

    speech_ms: Milliseconds | None = None
    above_floor_db: float | None = None
    logprob: float | None = None
    no_speech: float | None = None
    sound_adds: float | None = None
    language_certainty: float | None = None


class JobWarning(Contract):
    """Something that a reader of the result may want to know of, such as words taken out.

    `text`: what was taken out; it lies in the result alone, which is the tenant's own.
    `words`: the same with times, so that it can be put back (`pipelines/speech/restoring.py`).
    `evidence`: why it was; None where nothing was taken out, and in results of earlier workers.
    """

    code: str
    message: str
    start_ms: Milliseconds = 0
    end_ms: Milliseconds = 0
    text: str = Field("", repr=False)
    words: tuple[Word, ...] = Field((), repr=False)
    evidence: Evidence | None = None


class JobResult(Contract):
    """What was said, by whom and when.

    `turns` may overlap; `exclusive_turns`, where the diarizer gives them, never do: they are
    for giving each word one speaker.
    model: as the job named it; weights: `owner/name@commit`, where the worker knows it.
    diarizer: who found the turns: light, light-toy (made of synthetic voices: it separates no real
        ones), pyannote; empty: nobody, or a worker of an earlier version.
    toy: the words are of the demo model, which knows some 200: nobody said the most of them.
    """

    version: int = CONTRACT_VERSION
    job: str
    attempt: int
    nonce: str
    language: str
    language_probability: float
    model_revision: str
    segments: tuple[Segment, ...]
    turns: tuple[Turn, ...]
    exclusive_turns: tuple[Turn, ...] = ()
    speaker_embeddings: tuple[SpeakerEmbedding, ...] = ()
    usage: Usage
    warnings: tuple[JobWarning, ...] = ()
    model: str = ""
    weights: str = ""
    toy: bool = False
    diarizer: str = ""
