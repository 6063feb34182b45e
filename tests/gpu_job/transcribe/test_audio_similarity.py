"""What is said again sounds alike; what is only written again does not."""

import numpy as np

from gpu_job.transcribe.audio_similarity import Likeness

RATE = 16_000


def syllable(pitch_hz, low_hz, high_hz, seconds=0.4):
    """A voice that goes from one vowel to another."""
    times = np.arange(int(seconds * RATE)) / RATE
    formant = np.linspace(low_hz, high_hz, len(times))
    parts = [
        np.sin(2 * np.pi * pitch_hz * k * times) * np.exp(-(((pitch_hz * k - formant) / 300) ** 2))
        for k in range(1, int(7_000 / pitch_hz))
    ]
    return sum(parts) * np.hanning(len(times))


def window(*sounds):
    """The sounds, each with half a second of a quiet room behind it; and their times."""
    dice, parts, spans, at = np.random.default_rng(0), [], [], 0
    for sound in sounds:
        parts += [sound, np.zeros(RATE // 2)]
        spans.append((at // 16, (at + len(sound)) // 16))
        at += len(sound) + RATE // 2
    heard = np.concatenate(parts)
    heard += dice.normal(0, 1e-3, len(heard))
    return (heard / np.abs(heard).max() * 20_000).astype(np.int16), spans


def test_the_same_word_by_voices_of_other_pitches_is_alike():
    audio, spans = window(*(syllable(pitch, 500, 2_500) for pitch in (110, 150, 200, 240)))

    assert Likeness(audio).alike(spans) > 0.7


def test_other_words_are_not():
    vowels = [(500, 2_500), (3_500, 600), (900, 900), (2_500, 5_000), (5_000, 400)]
    audio, spans = window(*(syllable(150, *vowel) for vowel in vowels))

    assert Likeness(audio).alike(spans) < 0.5


def test_times_that_are_a_tenth_of_a_second_wrong_do_not_matter():
    audio, spans = window(*(syllable(pitch, 500, 2_500) for pitch in (110, 150, 200, 240)))
    wrong = [
        (start + (-60, 60)[i % 2], end + (-60, 60)[i % 2]) for i, (start, end) in enumerate(spans)
    ]

    assert Likeness(audio).alike(wrong) > 0.6


def test_one_alone_is_like_itself():
    audio, _ = window(syllable(150, 500, 900))

    assert Likeness(audio).alike([(0, 400)]) == 1.0
