"""What the decoder asks of the model, and what it makes of the tokens that come back."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest

from gpu_job.contract import JobOptions
from gpu_job.transcribe.decode_retry import is_looping
from gpu_job.transcribe.decoder import Decoder
from gpu_job.transcribe.encoder import FRAMES, Encoder

SOUND = np.zeros(16_000 * 6, np.float32)


class Spy:
    """A CTranslate2 Whisper that notes what it is asked, and may be told what to write."""

    def __init__(self, model, tokens):
        self._model, self.tokens, self.asked = model, tokens, []

    def __getattr__(self, name):
        return getattr(self._model, name)

    def generate(self, features, prompts, **asked):
        self.asked.append(asked | {"prompts": prompts})
        if self.tokens is None:
            return self._model.generate(features, prompts, **asked)
        written = SimpleNamespace(sequences_ids=[self.tokens], scores=[-0.2], no_speech_prob=0.01)
        return [written] * len(prompts)


@pytest.fixture
def spied(real_models):
    """A decoder on the embedded model, and what that was asked."""

    def make(write=None, **wishes):
        whisper = copy.copy(real_models.transcriber._model)
        decoder = Decoder(whisper, "en", JobOptions(model="demo", **wishes), Encoder(whisper))
        tokens = None if write is None else write(decoder._tokenizer)
        whisper.model = Spy(whisper.model, tokens)
        return decoder, whisper.model

    return make


def decoded(decoder, sound=SOUND):
    spectrogram = decoder.spectrogram(sound)
    return decoder.decode([spectrogram], [len(sound) // 16])[0]


def test_hotwords_prompt_task_and_beam_reach_the_model(spied):
    decoder, model = spied(hotwords="Ana", initial_prompt="Hello.", task="translate", beam_size=3)

    decoded(decoder)

    [asked] = model.asked
    tokenizer = decoder._tokenizer
    [prompt] = asked["prompts"]
    assert asked["beam_size"] == 3
    assert prompt[0] == tokenizer.sot_prev
    assert tokenizer.decode(prompt[1 : prompt.index(tokenizer.sot)]) == " Ana Hello."
    assert tokenizer.translate in prompt
    assert tokenizer.no_timestamps not in prompt


def spoken(tokenizer, *parts):
    """Tokens of texts and of times in seconds."""
    return [
        token
        for part in parts
        for token in (
            tokenizer.encode(part)
            if isinstance(part, str)
            else [tokenizer.timestamp_begin + round(part * 50)]
        )
    ]


@pytest.mark.parametrize("word_times", [True, False])
@pytest.mark.parametrize(
    "parts",
    [
        (0.0, " the first", 2.0, 2.0, " the second", 4.0),
        (0.0, " the first", 2.0, 2.0, " the second"),  # it did not come to an end
        (0.0, " the first", 2.0, 2.0, " the second", 4.0, 4.0),
        (0.0, " the first the second"),
        (" the first the second",),
    ],
)
def test_every_word_that_the_model_writes_is_kept(spied, parts, word_times):
    decoder, _ = spied(lambda tokenizer: spoken(tokenizer, *parts), word_times=word_times)

    found = decoded(decoder)

    words = [word for segment in found for word in segment.words]
    assert " ".join(word.text.strip() for word in words) == "the first the second"
    assert all(0 <= word.start_ms <= word.end_ms <= 6_000 for word in words)


def test_a_window_in_which_nothing_is_written_has_no_words(spied):
    decoder, _ = spied(lambda _: [])

    assert decoded(decoder) == []


def test_what_is_missing_to_thirty_seconds_is_silence_to_the_model(spied):
    decoder, _ = spied()
    noise = np.random.default_rng(1).normal(0, 0.1, 16_000 * 5).astype(np.float32)
    silence = np.zeros(16_000 * 25, np.float32)

    short = decoder.spectrogram(noise)
    whole = decoder.spectrogram(np.concatenate([noise, silence]))

    assert short.shape == (short.shape[0], FRAMES)
    assert np.abs(short[:, 510:] - whole[:, 510:]).max() < 0.01


def test_silence_has_a_floor_of_its_own_where_the_sound_is_faint(spied):
    decoder, _ = spied()
    faint = np.random.default_rng(1).normal(0, 1e-6, 16_000 * 5).astype(np.float32)

    short = decoder.spectrogram(faint)
    whole = decoder.spectrogram(np.concatenate([faint, np.zeros(16_000 * 25, np.float32)]))

    assert np.abs(short[:, 510:] - whole[:, 510:]).max() < 0.01


LOOP = "that I have a squire" + "'a" * 120


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        (LOOP, True),
        ("a sentence that was said and is long enough for a loop to hide in it, " * 1 + LOOP, True),
        ("nothing of what is said here is said twice, so that all of it is kept as it is. ", False),
        ("yes. " * 4, False),
        ("", False),
    ],
)
def test_a_loop_is_seen_wherever_it_stands(text, loops):
    assert is_looping(text) is loops


def test_a_window_that_loops_is_decoded_with_a_beam(spied):
    texts = {1: LOOP, 5: "that I have a squire now"}
    decoder, model = spied(lambda tokenizer: tokenizer)
    tokenizer, model.tokens = decoder._tokenizer, None

    def written(features, prompts, *, beam_size, **_asked):
        tokens = spoken(tokenizer, 0.0, f" {texts[beam_size]}", 4.0)
        found = SimpleNamespace(sequences_ids=[tokens], scores=[-0.2], no_speech_prob=0.01)
        return [found] * len(prompts)

    model.generate = written

    [segment] = decoded(decoder)

    assert segment.text.strip() == texts[5]


def test_what_loops_in_the_beam_too_is_taken_as_it_is_likelier(spied):
    decoder, model = spied(lambda tokenizer: tokenizer)
    tokenizer, scores = decoder._tokenizer, {1: -0.1, 5: -0.3}

    def written(features, prompts, *, beam_size, **_asked):
        tokens = spoken(tokenizer, 0.0, " yes." * (60 if beam_size == 1 else 50), 4.0)
        score = scores[beam_size]
        found = SimpleNamespace(sequences_ids=[tokens], scores=[score], no_speech_prob=0.01)
        return [found] * len(prompts)

    model.generate = written

    words = [word for segment in decoded(decoder) for word in segment.words]

    assert len(words) == 60


def test_windows_that_fail_together_take_no_more_memory_than_the_batch(spied):
    decoder, model = spied(lambda tokenizer: tokenizer)
    tokenizer, beams = decoder._tokenizer, []

    def written(features, prompts, *, beam_size, **_asked):
        beams.append(beam_size * len(prompts))
        tokens = spoken(tokenizer, 0.0, f" {LOOP}", 4.0)
        found = SimpleNamespace(sequences_ids=[tokens], scores=[-0.2], no_speech_prob=0.01)
        return [found] * len(prompts)

    model.generate = written
    checked = []

    found = decoder.decode(
        [decoder.spectrogram(SOUND)] * 10, [6_000] * 10, lambda: checked.append(len(beams))
    )

    assert len(found) == 10
    assert max(beams) == 10
    assert checked == [1, 2, 3, 4, 5]  # before each that is tried again
