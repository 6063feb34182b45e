"""What a worker gives back."""

from pydantic import Field

from .claim import Usage
from .parts import CONTRACT_VERSION, Contract, Milliseconds


class Word(Contract):
    """One word as the model heard it; `text` has no surrounding blanks."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    text: str
    probability: float
    channel: int = 0


class Segment(Contract):
    """A stretch of speech that the model wrote as one piece, in time order of its words."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    words: tuple[Word, ...]
    channel: int = 0
    language: str = ""  # where it was detected along the way

    @property
    def text(self) -> str:
        """The words, joined by single blanks."""
        return " ".join(word.text for word in self.words)


class Turn(Contract):
    """Somebody speaks; turns of different speakers may overlap."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    speaker: str


class SpeakerEmbedding(Contract):
    """A voice as a vector; comparable only within one diarization model."""

    speaker: str
    vector: tuple[float, ...]


class JobWarning(Contract):
    """Something that a reader of the result may want to know of, such as words taken out.

    `text`: what was taken out; it lies in the result alone, which is the tenant's own.
    """

    code: str
    message: str
    start_ms: Milliseconds = 0
    end_ms: Milliseconds = 0
    text: str = Field("", repr=False)


class JobResult(Contract):
    """What was said, by whom and when.

    `turns` may overlap; `exclusive_turns`, where the diarizer gives them, never do: they are
    for giving each word one speaker.
    model: as the job named it; weights: `owner/name@commit`, where the worker knows it.
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
