"""With a real Whisper: nothing is written over a crowd or reversed talk, what was said stays."""

from pathlib import Path

import numpy as np
import pytest

from bench.speech_sets import decoded
from bench.speechless import at_level, crowd, reversed_talk
from escriba.audio.speech_regions import RegionFinder
from gpu_job.contract import JobOptions
from gpu_job.transcribe.progress import TranscriptionProgress
from gpu_job.transcribe.transcriber import Transcriber
from resources.silero_vad import SileroDetector

RECORDINGS = Path(__file__).resolve().parents[3] / "demo" / "recordings"
SECONDS = 25


@pytest.fixture(scope="module")
def heard(real_whisper):
    from faster_whisper import WhisperModel

    model = WhisperModel(str(real_whisper), device="cpu", compute_type="int8", cpu_threads=1)

    def hear(sound, language=None):
        samples = (np.clip(sound, -1, 1) * 32_767).astype(np.int16)[None]
        speech, options = TranscriptionProgress(), JobOptions(model="base", language=language)
        regions = regions_of(samples[0])
        Transcriber(model, 8).transcribe(samples, regions, options, speech, lambda _: None)
        return speech

    return hear


def regions_of(samples):
    """Where the pipeline's detector hears somebody, before a worker is asked."""
    stream, finder = SileroDetector().stream(), RegionFinder()
    finder.feed(stream.feed(samples).tolist())
    finder.feed(stream.finish().tolist())
    return finder.finish(len(samples) // 16)


@pytest.fixture(scope="module")
def voices():
    return [decoded(path) / 32_768 for path in sorted(RECORDINGS.glob("*voices.m*"))]


def words_of(speech):
    return [word for segment in speech.segments for word in segment.words]


@pytest.mark.parametrize("language", [None, "en"])
def test_nothing_is_written_over_the_murmur_of_a_crowd(heard, voices, language):
    murmur = at_level(crowd(SECONDS, voices, 20, np.random.default_rng(2)), -30)

    assert [segment.text for segment in heard(murmur, language).segments] == []


def test_nothing_is_written_over_talk_that_runs_backwards(heard, voices):
    backwards = at_level(reversed_talk(SECONDS, voices[:1], np.random.default_rng(2)), -23)

    speech = heard(backwards)

    assert [segment.text for segment in speech.segments] == []
    gone = [warning for warning in speech.warnings if warning.text]
    assert all(warning.words and warning.evidence for warning in gone)


def test_of_what_was_said_nothing_is_taken_out_and_every_time_can_be_true(heard, voices):
    said = voices[0][: SECONDS * 16_000]

    speech = heard(said, "en")

    words = words_of(speech)
    assert len(words) > 40
    assert [warning.text for warning in speech.warnings if warning.text] == []
    assert all(0 <= word.start_ms < word.end_ms <= SECONDS * 1000 for word in words)
    assert [word.start_ms for word in words] == sorted(word.start_ms for word in words)
