"""Conversations with known speakers and times, to measure the models and to make the recordings."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from demo.training.espeak import SAMPLE_RATE, Espeak, Voice
from demo.training.grammar import sentence
from demo.training.spectrogram import Floats

Line = tuple[str, str]  # speaker, sentence


@dataclass(frozen=True)
class Said:
    """One sentence of a conversation, in seconds."""

    start_seconds: float
    end_seconds: float
    speaker: str
    text: str


@dataclass(frozen=True)
class Room:
    """How a conversation sounds: noise as RMS of full scale, pauses between sentences."""

    noise: float = 0.001
    pause_seconds: tuple[float, float] = (0.25, 0.9)


def random_script(
    rng: random.Random, language: str, speakers: int, sentences: int, *, repeats: bool = False
) -> list[Line]:
    """Turns of one to three sentences of the speakers "0", "1" and so on."""
    script: list[Line] = []
    who = 0
    while len(script) < sentences:
        length = rng.choice([1, 1, 2, 2, 3])
        script += [(str(who), sentence(language, rng, repeats=repeats)) for _ in range(length)]
        who = rng.choice([s for s in range(speakers) if s != who]) if speakers > 1 else 0
    return script[:sentences]


def converse(
    espeak: Espeak,
    script: list[Line],
    voices: Mapping[str, Voice],
    rng: random.Random,
    room: Room | None = None,
) -> tuple[Floats, list[Said]]:
    """Mono 16 kHz audio of the script, and what is said when; speakers differ a little in level."""
    room = room or Room()
    position = SAMPLE_RATE // 4
    pieces, said = [np.zeros(position, np.float32)], []
    levels = {who: 10 ** rng.uniform(-0.25, 0) for who in sorted(voices)}
    for who, text in script:
        speech = espeak.say(text, voices[who]).audio * levels[who]
        end = position + len(speech)
        said.append(Said(position / SAMPLE_RATE, end / SAMPLE_RATE, who, text))
        pause = np.zeros(int(rng.uniform(*room.pause_seconds) * SAMPLE_RATE), np.float32)
        pieces += [speech, pause]
        position = end + len(pause)
    audio = np.concatenate(pieces)
    hiss = np.random.default_rng(rng.randrange(1 << 30)).standard_normal(len(audio))
    return (audio + hiss.astype(np.float32) * room.noise).astype(np.float32), said
