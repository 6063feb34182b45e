"""What is to be spoken for the two pools: grammar sentences, and hundreds of invented speakers."""

import random

from demo.training.espeak import Voice
from demo.training.grammar import sentence
from demo.training.pools import Utterance
from demo.training.voices import SPEAKER_BASES, VOICES, training_variants

TRAINING_SENTENCES = {"en": 7000, "pt": 6000}
TRAINING_SEED = 1
CONSONANTS = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch", "sh"]
VOWELS = ["a", "e", "i", "o", "u", "ai", "ou", "ee"]


def _random_voice(rng: random.Random, language: str, variant: str) -> Voice:
    """A voice for the speech pool; a third of them with another vocal-tract length."""
    name = rng.choice(VOICES[language]) + (f"+{variant}" if variant else "")
    pitch, pitch_range = rng.randint(25, 75), rng.randint(30, 70)
    speed = rng.randrange(115, 216, 10)
    warp = rng.choice([1.0, 1.0, rng.uniform(0.9, 1.12)])
    return Voice(name, speed, pitch, pitch_range, warp)


def speech_utterances(sentences: dict[str, int], seed: int) -> list[Utterance]:
    """So many grammar sentences of each language in training voices, shuffled."""
    rng, pool = random.Random(seed), ["", "", "", *training_variants()]
    found = []
    for language, count in sentences.items():
        for _ in range(count):
            text, variant = sentence(language, rng), rng.choice(pool)
            voice = _random_voice(rng, language, variant)
            found.append(Utterance(text, voice, {"lang": language}))
    rng.shuffle(found)
    return found


def training_texts() -> set[str]:
    """All sentences of the training pool, so that the evaluation can avoid them."""
    return {u.text for u in speech_utterances(TRAINING_SENTENCES, TRAINING_SEED)}


def pseudo_sentence(rng: random.Random) -> str:
    """Nonsense: the speaker network should hear more phonemes than the grammars have."""
    syllables = [consonant + vowel for consonant in CONSONANTS for vowel in VOWELS]
    return " ".join(
        "".join(rng.choice(syllables) for _ in range(rng.randint(1, 3)))
        for _ in range(rng.randint(5, 9))
    )


class _Speaker:
    """One invented person: a variant, a pitch, a vocal tract and a pace."""

    def __init__(self, rng: random.Random, pool: list[str]) -> None:
        self.rng, self.base, self.variant = rng, rng.choice(SPEAKER_BASES), rng.choice(pool)
        self.pitch, self.warp = rng.randint(15, 85), rng.uniform(0.82, 1.2)
        self.pitch_range, self.speed = rng.randint(20, 80), rng.randint(130, 190)

    def utterance(self, number: int) -> Utterance:
        """Nonsense (35 %), English (40 %) or Portuguese, at a slightly varied pace and pitch."""
        rng, kind = self.rng, self.rng.random()
        language = "en" if kind < 0.75 else "pt"
        text = pseudo_sentence(rng) if kind < 0.35 else sentence(language, rng)
        base = self.base if language == "en" else "pt-br"
        speed, pitch = self.speed + rng.randint(-15, 15), self.pitch + rng.randint(-4, 4)
        voice = Voice(f"{base}+{self.variant}", speed, pitch, self.pitch_range, self.warp)
        return Utterance(text, voice, {"speaker": number})


def speaker_utterances(speakers: int, each: int, seed: int) -> list[Utterance]:
    """`each` utterances of every invented speaker, speaker by speaker."""
    rng, pool = random.Random(seed), training_variants()
    found = []
    for number in range(speakers):
        speaker = _Speaker(rng, pool)
        found += [speaker.utterance(number) for _ in range(each)]
    return found
