"""With a real Whisper, few words of a long recording are lost, at ends of windows or leapt over."""

from pathlib import Path

import numpy as np
import pytest

from bench.speech_sets import decoded
from bench.word_errors import normalized, word_errors
from escriba.audio.speech_regions import RegionFinder
from gpu_job.contract import JobOptions
from gpu_job.transcribe.progress import TranscriptionProgress
from gpu_job.transcribe.transcriber import Transcriber
from resources.silero_vad import SileroDetector

RECORDINGS = Path(__file__).resolve().parents[3] / "demo" / "recordings"
NAME = "english-2-voices"
TIMES = 3  # one after the other, so that windows end at other places in each
MOST_LOST = 0.03  # of the words: espeak's voices are hard to understand, even for a Whisper


@pytest.fixture(scope="module")
def whisper(real_whisper):
    from faster_whisper import WhisperModel

    return WhisperModel(str(real_whisper), device="cpu", compute_type="int8", cpu_threads=1)


def script():
    lines = (RECORDINGS / f"{NAME}.txt").read_text(encoding="utf-8").splitlines()
    said = [line.partition(":")[2] for line in lines if line and not line.startswith("#")]
    return " ".join(said * TIMES)


def regions_of(samples):
    stream, finder = SileroDetector().stream(), RegionFinder()
    finder.feed(stream.feed(samples).tolist())
    finder.feed(stream.finish().tolist())
    return finder.finish(len(samples) // 16)


def test_few_words_of_a_long_recording_are_lost(whisper):
    samples = np.tile(decoded(RECORDINGS / f"{NAME}.mp3"), (1, TIMES))
    speech, options = TranscriptionProgress(), JobOptions(model="base", language="en")

    Transcriber(whisper, 8).transcribe(
        samples, regions_of(samples[0]), options, speech, lambda _: None
    )

    said, written = script(), " ".join(segment.text for segment in speech.segments)
    errors = word_errors(normalized(said, "en"), normalized(written, "en"))
    assert errors.deletions <= MOST_LOST * errors.words, errors.told
