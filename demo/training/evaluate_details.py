"""Two closer looks at a speech model: its word times, and what it makes of no speech."""

import random
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

from demo.training.espeak import SAMPLE_RATE, Espeak
from demo.training.grammar import sentence
from demo.training.spectrogram import Floats
from demo.training.unseen import LANGUAGES
from demo.training.voices import random_voices

LEAD_SECONDS = 0.5  # silence before and after each sentence


def word_start_errors(model: WhisperModel, seed: int) -> list[float]:
    """Seconds between espeak's word starts and the model's, of sentences written without error."""
    espeak, errors = Espeak(), []
    for language in LANGUAGES:
        rng = random.Random(f"{seed}words{language}")
        for voice in random_voices(rng, 4, language):
            spoken = espeak.say(sentence(language, rng), voice)
            audio = np.pad(spoken.audio, int(LEAD_SECONDS * SAMPLE_RATE))
            found, _ = model.transcribe(
                audio, language=language, temperature=0, word_timestamps=True
            )
            heard = [word for segment in found for word in segment.words]
            if [word.word.strip() for word in heard] == [name for name, _, _ in spoken.words]:
                pairs = zip(heard, spoken.words, strict=True)
                errors += [abs(word.start - LEAD_SECONDS - start) for word, (_, start, _) in pairs]
    return errors


def silences() -> dict[str, Floats]:
    """Recordings without speech."""
    rng = np.random.default_rng(0)
    made = {
        "digital silence": np.zeros(12 * SAMPLE_RATE),
        "faint noise": rng.normal(0, 1e-3, 12 * SAMPLE_RATE),
        "loud noise": rng.normal(0, 0.05, 12 * SAMPLE_RATE),
        "70 s silence": np.zeros(70 * SAMPLE_RATE),
    }
    return {name: audio.astype(np.float32) for name, audio in made.items()}


def print_details(folder: Path, seed: int) -> None:
    """Print both looks."""
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
    errors = np.array(word_start_errors(model, seed))
    if len(errors):
        close = (errors < 0.2).mean()
        print(
            f"{len(errors)} word starts: median {np.median(errors):.2f} s off, {close:.2f} in 0.2 s"
        )
    for name, audio in silences().items():
        texts = [s.text for s in model.transcribe(audio, temperature=0)[0]]
        filtered = [s.text for s in model.transcribe(audio, temperature=0, vad_filter=True)[0]]
        print(f"{name}: {texts}; with vad_filter: {filtered}")
