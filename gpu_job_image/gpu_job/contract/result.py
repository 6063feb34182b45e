"""The result that a worker writes."""

from typing import Literal

from pydantic import Field

from .lease import Usage
from .parts import CONTRACT_VERSION, Contract, Milliseconds
from .word_joins import text_of

# where the times of words come from: measured by what wrote them, by a Whisper of this machine that
# was given the text, or spread over the speech by the lengths of the words
WordTimes = Literal["", "aligned", "estimated"]


class Word(Contract):
    """One word as the model wrote it; `text` has no surrounding spaces.

    joins: no space separates it from the previous word, as in "levá" and "-lo"; for a segment's
        first word: from the previous segment, in scripts without spaces. Results of versions
        without this field have spaces everywhere.
    """

    start_ms: Milliseconds
    end_ms: Milliseconds
    text: str
    probability: float
    channel: int = 0
    joins: bool = False


class Segment(Contract):
    """A stretch of speech that the model wrote as one unit; its words are in time order."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    words: tuple[Word, ...]
    channel: int = 0
    language: str = ""  # only with detect='along'

    @property
    def text(self) -> str:
        """The words, with the spaces that the model wrote."""
        return text_of(self.words)


class Turn(Contract):
    """One speaker's uninterrupted speech; turns of different speakers may overlap."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    speaker: str


class SpeakerEmbedding(Contract):
    """A voice as a vector; comparable only within one diarization model."""

    speaker: str
    vector: tuple[float, ...]


class Evidence(Contract):
    """Measurements behind removed words; None: not measured.

    speech_ms: speech that the detector finds in the words and just around them.
    above_floor_db: level of the loudest part of the words above the window's noise floor.
    logprob: mean natural logarithm of the token probabilities of the segment.
    no_speech: the model's own probability that the window contains no speech.
    sound_adds: how much the sound raises the log probability of the words, in nats per word.
    language_certainty: the probability of the most likely language of the window.
    language_certainty_backwards: the same for the time-reversed sound of the window.
    """

    speech_ms: Milliseconds | None = None
    above_floor_db: float | None = None
    logprob: float | None = None
    no_speech: float | None = None
    sound_adds: float | None = None
    language_certainty: float | None = None
    language_certainty_backwards: float | None = None


class JobWarning(Contract):
    """A note for readers of the result, such as removed words.

    `text`: the removed text; only the result holds it, since it belongs to the tenant.
    `words`: the same with times, so that it can be restored.
    `evidence`: why it was removed; None where nothing was, and in results of earlier workers.
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

    `turns` may overlap; `exclusive_turns`, if the diarizer provides them, never do: they assign
    one speaker to each word.
    model: as named in the request; weights: `owner/name@commit`, if the worker knows it.
    diarizer: what found the turns: light, light-toy (trained on synthetic voices; it cannot
        separate real ones), pyannote or pyannote_ai; empty: none, or a worker of an earlier
        version.
    toy: the demo model wrote the words; it knows about 200, so most of them were never said.
    word_times: empty: measured; otherwise the API that wrote the words gave none.
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
    word_times: WordTimes = ""
