"""Recordings made to measure: new sentences, in voices that no training has heard."""

import itertools
import random
from dataclasses import dataclass

from demo.training.conversations import Said, converse, random_script
from demo.training.espeak import SAMPLE_RATE, Espeak
from demo.training.spectrogram import Floats
from demo.training.utterances import training_texts
from demo.training.voices import random_voices

LANGUAGES = ("en", "pt")


@dataclass(frozen=True)
class Recording:
    """Mono 16 kHz audio and what is said in it."""

    language: str
    audio: Floats
    said: list[Said]

    @property
    def seconds(self) -> float:
        """The length of the audio."""
        return len(self.audio) / SAMPLE_RATE


@dataclass(frozen=True)
class Plan:
    """Which recordings to make; `count` of each language, with so many voices in turn."""

    count: int
    sentences: int
    seed: int
    voices: tuple[int, ...] = (2, 3)
    new_sentences: bool = True  # leave out those of the training pool
    held_out_voices: bool = True
    repeats: bool = False  # digits, names and things may repeat: harder


class Studio:
    """espeak-ng, and the sentences that a plan leaves out."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.espeak = plan, Espeak()
        self.known = training_texts() if plan.new_sentences else set()

    def record(self, rng: random.Random, language: str, speakers: int) -> Recording:
        """One recording of so many speakers."""
        plan, wanted = self.plan, self.plan.sentences
        script = random_script(rng, language, speakers, wanted * 3, repeats=plan.repeats)
        script = [line for line in script if line[1] not in self.known][:wanted]
        chosen = random_voices(rng, speakers, language, held_out=plan.held_out_voices)
        voices = {str(i): voice for i, voice in enumerate(chosen)}
        return Recording(language, *converse(self.espeak, script, voices, rng))


def recordings(plan: Plan) -> list[Recording]:
    """The recordings of a plan; the same seed gives the same ones."""
    studio = Studio(plan)
    made: list[Recording] = []
    for language in LANGUAGES:
        rng = random.Random(f"{plan.seed}{language}")
        turns = itertools.islice(itertools.cycle(plan.voices), plan.count)
        made += [studio.record(rng, language, speakers) for speakers in turns]
    return made
