"""No window goes through the encoder twice on a CPU, and what it hears stays the same."""

from types import SimpleNamespace

import numpy as np
import pytest

from gpu_job.common.audio import as_float
from gpu_job.transcribe.encoder import MOST_CACHED, Encoder, spectrogram_of
from gpu_job.transcribe.language_detection import language_chances


class Counted:
    """A loaded Whisper; how often its encoder ran."""

    def __init__(self, whisper, device="cpu"):
        self._whisper, self.encoded = whisper, 0
        self.model = whisper.model if device == "cpu" else SimpleNamespace(device=device)

    def __getattr__(self, name):
        return getattr(self._whisper, name)

    def encode(self, spectrogram):
        self.encoded += 1
        return self._whisper.encode(spectrogram)


@pytest.fixture
def whisper(real_models):
    return Counted(real_models.transcriber._model)


@pytest.fixture
def sound(samples):
    return as_float(samples[0, : 20 * 16_000])


def test_what_was_heard_for_the_language_is_decoded_without_being_heard_again(whisper, sound):
    encoder = Encoder(whisper)
    spectrogram = spectrogram_of(whisper, sound)
    alone = np.array(Encoder(whisper).encode([spectrogram]))
    whisper.encoded = 0

    language_chances(encoder, sound, is_decoded_later=True)
    kept = np.array(encoder.encode([spectrogram]))

    assert whisper.encoded == 1
    assert np.array_equal(kept, alone)
    encoder.encode([spectrogram])
    assert whisper.encoded == 2


def test_no_more_is_kept_than_vote_and_nothing_of_another_recording(whisper, sound):
    encoder = Encoder(whisper)
    sounds = [sound * (i + 1) / 20 for i in range(MOST_CACHED + 1)]
    for each in sounds:
        language_chances(encoder, each, is_decoded_later=True)
    whisper.encoded = 0

    encoder.encode([spectrogram_of(whisper, each) for each in sounds])
    assert whisper.encoded == 1

    language_chances(encoder, sound, is_decoded_later=True)
    encoder.clear_cache()
    encoder.encode([spectrogram_of(whisper, sound)])
    assert whisper.encoded == 3


def test_a_card_keeps_nothing_and_encodes_a_batch_at_once(whisper, sound):
    on_card = Counted(whisper, device="cuda")
    encoder = Encoder(on_card)
    encoder.for_language(sound, is_decoded_later=True)

    both = np.array(encoder.encode([spectrogram_of(whisper, sound)] * 2))

    assert on_card.encoded == 2
    assert len(both) == 2
