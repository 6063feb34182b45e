"""Whatever is wished for reaches the models."""

from types import SimpleNamespace

import numpy as np
import pytest

from gpu_job.common.errors import JobFailedError
from gpu_job.contract import JobOptions, Speakers, SpeechRegion
from gpu_job.diarize.agglomerative_clustering import Windows, speaker_of_each
from gpu_job.job import run_job
from gpu_job.transcribe import batched_decoding, transcriber
from gpu_job.transcribe.progress import TranscriptionProgress
from gpu_job.transcribe.raw_segments import RawSegment, RawWord
from gpu_job.transcribe.transcriber import Transcriber

SECONDS = np.zeros((2, 16_000 * 4), np.int16)
REGIONS = (SpeechRegion(start_ms=0, end_ms=1_000),)


@pytest.fixture
def whisper(monkeypatch):
    """What the decoder was asked; it hears one word in each window."""
    asked = []

    class FakeDecoder:
        def __init__(self, _model, language, options, _encoder):
            asked.append((language, options))

        def spectrogram(self, sound, _frames=3_000):
            return sound

        def decode(self, _spectrograms, lengths_ms, _check=None):
            return [[RawSegment((RawWord(0, each, "ah", 1.0),))] for each in lengths_ms]

    monkeypatch.setattr(batched_decoding, "Decoder", FakeDecoder)
    monkeypatch.setattr(transcriber, "language_chances", lambda *_, **__: [("en", 0.9)])
    return asked


def heard(options, regions=REGIONS):
    speech = TranscriptionProgress()
    multilingual = SimpleNamespace(is_multilingual=True)
    tokenizer = SimpleNamespace(
        token_to_id=lambda _token: 1,
        encode=lambda text, **_: SimpleNamespace(ids=text.split()),
    )
    model = SimpleNamespace(model=multilingual, hf_tokenizer=tokenizer)
    Transcriber(model, 8).transcribe(SECONDS, regions, options, speech, lambda _: None)
    return speech


@pytest.mark.parametrize(
    "wish",
    [
        {"hotwords": "Ana, João"},
        {"initial_prompt": "Uma reunião."},
        {"task": "translate"},
        {"beam_size": 5},
        {"word_times": False},
    ],
)
def test_every_wish_is_passed_to_the_decoder(whisper, wish):
    heard(JobOptions(model="demo", language="pt", **wish))

    [(language, options)] = whisper
    assert language == "pt"
    assert {name: getattr(options, name) for name in wish} == wish


def test_the_language_that_was_detected_is_heard(whisper):
    heard(JobOptions(model="demo"))

    assert [language for language, _ in whisper] == ["en"]


def test_a_word_bears_the_channel_on_which_it_was_said(whisper):
    regions = tuple(
        SpeechRegion(start_ms=1_000 * n, end_ms=1_000 * n + 900, channel=n) for n in (0, 1)
    )

    speech = heard(JobOptions(model="demo", channels="separate"), regions)

    assert [segment.channel for segment in speech.segments] == [0, 1]
    assert [word.channel for segment in speech.segments for word in segment.words] == [0, 1]


@pytest.mark.parametrize(
    ("wish", "speakers"),
    [
        ({}, {"SPEAKER_00"}),
        ({"diarizer": "none"}, set()),
        ({"channels": "separate"}, set()),  # the channels are the speakers
    ],
)
def test_speakers_are_looked_for_unless_nobody_wants_them(job, fake_models, wish, speakers):
    run_job(job.request(options=JobOptions(model="demo", **wish)), fake_models(), lambda _: None)

    assert {turn.speaker for turn in job.result().turns} == speakers


def at_angles(*degrees):
    """Windows of a second, each a unit vector in the plane: near angles are one voice."""
    angles = np.radians(degrees)
    vectors = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    return Windows(vectors, np.ones(len(degrees)), np.ones(len(degrees)))


FOUR_SECONDS_EACH = [angle for angle in (0, 90, 200) for _ in range(4)]
TWO_VOICES_ALIKE = [angle for angle in (0, 40) for _ in range(4)]


@pytest.mark.parametrize(
    ("degrees", "wish", "found"),
    [
        (FOUR_SECONDS_EACH, {}, 3),
        (FOUR_SECONDS_EACH, {"maximum": 2}, 2),
        (FOUR_SECONDS_EACH, {"maximum": 5}, 3),
        (FOUR_SECONDS_EACH, {"exact": 1}, 1),
        (TWO_VOICES_ALIKE, {}, 1),
        (TWO_VOICES_ALIKE, {"minimum": 2}, 2),
        (TWO_VOICES_ALIKE, {"exact": 2}, 2),
    ],
)
def test_as_many_speakers_are_found_as_somebody_knows_of(degrees, wish, found):
    labels = speaker_of_each(at_angles(*degrees), Speakers(**wish), least_seconds=1.0)

    assert len(set(labels.tolist())) == found


@pytest.mark.parametrize(
    "wish",
    [
        {"hotwords": "Ana " * 300},
        {"initial_prompt": "Uma reunião. " * 200},
        {"hotwords": "Ana " * 120, "initial_prompt": "reunião " * 120},
    ],
)
def test_what_is_longer_than_a_prompt_may_be_is_refused_for_good(real_models, wish):
    with pytest.raises(JobFailedError, match="223 in both together: shorten them") as failed:
        real_models.transcriber.transcribe(
            SECONDS,
            REGIONS,
            JobOptions(model="demo", **wish),
            TranscriptionProgress(),
            lambda _: None,
        )

    assert failed.value.error.permanent


def test_a_prompt_of_some_sentences_is_borne(real_models):
    wish = {"hotwords": "Ana, João", "initial_prompt": "Uma reunião. " * 10}

    real_models.transcriber.transcribe(
        SECONDS, REGIONS, JobOptions(model="demo", **wish), TranscriptionProgress(), lambda _: None
    )
