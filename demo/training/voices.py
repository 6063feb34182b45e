"""Which espeak voices speak in training, and which are kept for measuring."""

import random

from demo.training.espeak import Voice, variants

# A name twice is drawn twice as often; gmw/en is British.
VOICES = {
    "en": [
        "en-us",
        "en-us",
        "gmw/en",
        "gmw/en",
        "en-gb-x-rp",
        "en-gb-scotland",
        "en-gb-x-gbclan",
    ],
    "pt": ["pt-br", "pt-br", "pt-br", "pt"],
}
SPEAKER_BASES = ["en-us", "gmw/en", "en-gb-scotland", "en-gb-x-rp"]
# Never heard in training, by either network: the "unseen voices" of every reported number.
HELD_OUT = [
    "m6",
    "m8",
    "f3",
    "f5",
    "michael",
    "Annie",
    "belinda",
    "Henrique",
    "pablo",
    "norbert",
]
# Effects, robots and whispers: not used at all.
SKIPPED = {
    "whisper",
    "whisperf",
    "croak",
    "Demonic",
    "announcer",
    "fast",
    "AnxiousAndy",
    "Mr",
    "Tweaky",
    "Storm",
    "UniRobot",
    "anikaRobot",
    "klatt4",
    "klatt5",
    "klatt6",
    "robosoft",
    *(f"robosoft{i}" for i in range(2, 9)),
}


def _is_held_out(variant: str) -> bool:
    return variant.lower() in {name.lower() for name in HELD_OUT}


def training_variants() -> list[str]:
    """Variants that training may use, sorted."""
    return [v for v in variants() if v not in SKIPPED and not _is_held_out(v)]


def held_out_variants() -> list[str]:
    """Variants that only the evaluation uses, sorted."""
    return [v for v in variants() if v not in SKIPPED and _is_held_out(v)]


def random_voices(
    rng: random.Random, count: int, language: str, *, held_out: bool = True
) -> list[Voice]:
    """Voices of different variants, held out from training or (to choose thresholds) not."""
    pool = held_out_variants() if held_out else training_variants()
    return [
        Voice(
            name=f"{rng.choice(VOICES[language])}+{variant}",
            pitch=rng.randint(20, 80),
            pitch_range=rng.randint(30, 70),
            speed=rng.randrange(120, 201, 10),
        )
        for variant in rng.sample(pool, count)
    ]
