"""A card, and a decoder on it, that do as a test says; and half an hour to be heard."""

from types import SimpleNamespace

import numpy as np

from gpu_job.common.audio import SAMPLES_PER_MS
from gpu_job.contract import JobOptions, SpeechRegion
from gpu_job.transcribe.progress import TranscriptionProgress
from gpu_job.transcribe.raw_segments import raw_segment

OPTIONS = JobOptions(model="demo", language="pt")
MINUTES = 30
WINDOW_MS = 25_000
REGIONS = tuple(
    SpeechRegion(start_ms=at, end_ms=at + WINDOW_MS)
    for at in range(0, MINUTES * 60_000 - WINDOW_MS, WINDOW_MS + 2_000)
)
SAMPLES = np.zeros((1, MINUTES * 60_000 * SAMPLES_PER_MS), np.int16)
SURE = {"avg_logprob": -0.2, "no_speech_prob": 0.0, "compression_ratio": 1.0, "words": None}


class FakeDecoder:
    """Writes a word a second in each window, as the device lets it."""

    def __init__(self, device):
        self.device = device

    def spectrogram(self, sound, _frames=3_000):
        return sound

    def decode(self, spectrograms, lengths_ms, _check=None):
        self.device.decode(len(spectrograms))
        return [self._written(length_ms) for length_ms in lengths_ms]

    def _written(self, length_ms):
        end = length_ms / 1000 - self.device.loses_seconds
        text = " ".join(f"w{n}" for n in range(int(end)))
        found = raw_segment(SimpleNamespace(start=0, end=end, text=text, **SURE), 0)
        return [found] if found else []


class Device:
    """A card that bears so many windows at once."""

    def __init__(self, bears=64, loses_seconds=0.0, seconds=0.0):
        self.bears, self.loses_seconds, self.seconds = bears, loses_seconds, seconds
        self.decoded, self.clock = [], 0.0

    def decode(self, windows):
        if windows > self.bears:
            raise RuntimeError("CUDA failed with error out of memory")
        self.decoded.append(windows)
        self.clock += self.seconds


def model(**more):
    """As much of a WhisperModel as is asked of it here."""
    tokenizer = SimpleNamespace(token_to_id=lambda _token: 1)
    whisper = SimpleNamespace(is_multilingual=True)
    return SimpleNamespace(model=whisper, hf_tokenizer=tokenizer, **more)


def heard(worker, regions=REGIONS, options=OPTIONS, speech=None, progress=lambda _: None):
    speech = speech or TranscriptionProgress()
    worker.transcribe(SAMPLES, regions, options, speech, progress)
    return speech


def stop_after(speech, windows):
    def progress(_done_ms):
        if speech.windows_done >= windows:
            raise KeyboardInterrupt

    return progress
