"""Measures the speaker embedding within the light diarizer, as the diarization error rate."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from faster_whisper.audio import decode_audio
from faster_whisper.vad import VadOptions, get_speech_timestamps
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from demo.training.conversations import Said
from demo.training.scripts import SpeakerTurn, read_rttm
from demo.training.spectrogram import Floats
from demo.training.unseen import Plan, Recording, recordings
from gpu_job import contract
from gpu_job.diarize.toy import ToyDiarizer

SAMPLES_PER_MS = 16
COLLAR_SECONDS = 0.25
SHORT_PAUSES = VadOptions(min_silence_duration_ms=120, speech_pad_ms=30, min_speech_duration_ms=100)
HEADER = "| speakers | known count | DER (collar 0.25) | right count |\n|---|---|---|---|"


def speech_regions(audio: Floats) -> tuple[contract.SpeechRegion, ...]:
    """Where Silero (bundled with faster-whisper) hears speech; pauses of 120 ms separate."""
    found = get_speech_timestamps(audio, SHORT_PAUSES)
    return tuple(
        contract.SpeechRegion(
            start_ms=speech["start"] // SAMPLES_PER_MS, end_ms=speech["end"] // SAMPLES_PER_MS
        )
        for speech in found
    )


class Speakers:
    """The light diarizer on plain mono 16 kHz audio."""

    def __init__(self, model: Path) -> None:
        self._diarizer = ToyDiarizer(model)

    def turns(self, audio: Floats, known: int | None = None) -> list[SpeakerTurn]:
        """Who speaks when; `known` is the number of speakers, if anybody knows."""
        samples = (np.clip(audio, -1, 1) * 32767).astype(np.int16)[None]
        count = contract.Speakers(exact=known)
        found = self._diarizer.diarize(samples, speech_regions(audio), count, lambda: None)
        return [(turn.start_ms / 1000, turn.end_ms / 1000, turn.speaker) for turn in found.turns]


def spoken_turns(said: list[Said]) -> list[SpeakerTurn]:
    """The truth, in the same form."""
    return [(one.start_seconds, one.end_seconds, one.speaker) for one in said]


def annotation(turns: Iterable[SpeakerTurn], name: str) -> Annotation:
    """Turns as pyannote.metrics wants them."""
    made = Annotation(uri=name)
    for i, (start, end, who) in enumerate(turns):
        made[Segment(start, end), i] = who
    return made


def _row(speakers: Speakers, made: list[Recording], count: int, *, known: bool) -> str:
    """One row over conversations of `count` speakers."""
    metric, right, rates = DiarizationErrorRate(collar=COLLAR_SECONDS), 0, []
    for i, recording in enumerate(made):
        found = speakers.turns(recording.audio, count if known else None)
        truth = spoken_turns(recording.said)
        rates.append(metric(annotation(truth, str(i)), annotation(found, str(i))))
        right += len({who for _, _, who in found}) == len({who for _, _, who in truth})
    overall = f"{abs(metric):.3f} (worst {max(rates):.2f})"
    return f"| {count} | {'yes' if known else 'no'} | {overall} | {right} of {len(made)} |"


def print_speakers(model: Path, *, count: int, seed: int, held_out: bool) -> None:
    """Print a table over conversations of one, two and three speakers, `count` per language."""
    speakers = Speakers(model)
    print(HEADER)
    for voices in (1, 2, 3):
        plan = Plan(
            count, 16, seed + voices, (voices,), new_sentences=False, held_out_voices=held_out
        )
        made = recordings(plan)
        for known in (False, True):
            print(_row(speakers, made, voices, known=known), flush=True)


def print_recording(model: Path, audio_path: Path, reference: Path) -> None:
    """Print the error rates on one real recording, with and without overlapping speech."""
    speakers, audio, truth = Speakers(model), decode_audio(str(audio_path)), read_rttm(reference)
    whole = Timeline([Segment(0, len(audio) / 16_000)])
    for known in (None, len({who for _, _, who in truth})):
        found = annotation(speakers.turns(audio, known), "recording")
        for skip in (False, True):
            metric = DiarizationErrorRate(collar=COLLAR_SECONDS, skip_overlap=skip)
            rate = metric(annotation(truth, "recording"), found, uem=whole)
            print(f"speakers given: {known}; overlap skipped: {skip}; DER {rate:.3f}")
