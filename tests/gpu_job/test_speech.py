"""What the worker hears, with the real demo models."""

import itertools
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpu_job.contract import JobOptions, Speakers, SpeechRegion
from gpu_job.diarize.agglomerative_clustering import agglomerate
from gpu_job.transcribe.progress import TranscriptionProgress
from gpu_job.transcribe.windows import GAP_MS, WINDOW_MS, pack

SCRIPT = Path(__file__).resolve().parents[2] / "demo/recordings/english-2-voices.txt"
REGIONS = (SpeechRegion(start_ms=0, end_ms=44_700),)


def go_on():
    pass


def words_of(text):
    return [word.strip(".,?").lower() for word in text.split()]


def word_errors(reference, heard):
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def test_the_demo_dialogue_is_heard_nearly_without_error(real_models, samples):
    progress, speech = [], TranscriptionProgress()
    real_models.transcriber.transcribe(
        samples, REGIONS, JobOptions(model="demo"), speech, progress.append
    )

    lines = [line.split(": ", 1)[1] for line in SCRIPT.read_text().splitlines() if line[0] != "#"]
    reference = words_of(" ".join(lines))
    heard = words_of(" ".join(segment.text for segment in speech.segments))
    assert word_errors(reference, heard) / len(reference) <= 0.05
    assert (speech.language, speech.language_probability > 0.9) == ("en", True)
    assert progress == sorted(progress)
    starts = [word.start_ms for segment in speech.segments for word in segment.words]
    assert starts == sorted(starts)
    assert max(w.end_ms for s in speech.segments for w in s.words) <= 44_800


def test_the_two_voices_are_told_apart(real_models, samples):
    regions = tuple(
        SpeechRegion(start_ms=a, end_ms=b)
        for a, b in ((226, 1630), (2306, 4062), (4578, 6174), (6818, 8638), (9058, 10526))
    )

    turns = real_models.diarizer.diarize(samples, regions, Speakers(), go_on).turns

    assert [turn.speaker for turn in turns] == [
        *("SPEAKER_00", "SPEAKER_00", "SPEAKER_01", "SPEAKER_00", "SPEAKER_01")
    ]


def test_one_speaker_can_be_asked_for(real_models, samples):
    turns = real_models.diarizer.diarize(samples, REGIONS, Speakers(exact=1), go_on).turns

    assert {turn.speaker for turn in turns} == {"SPEAKER_00"}


def test_no_region_gives_no_turn(real_models, samples):
    assert real_models.diarizer.diarize(samples, (), Speakers(), go_on).turns == ()


spans = st.lists(
    st.tuples(st.integers(0, 5_000), st.integers(1, 70_000)), min_size=1, max_size=60
).map(
    lambda gaps: [
        (sum(g + n for g, n in gaps[:i]) + gap, sum(g + n for g, n in gaps[:i]) + gap + length)
        for i, (gap, length) in enumerate(gaps)
    ]
)


@given(spans)
def test_windows_hold_every_region_once_and_never_pass_thirty_seconds(regions):
    audio_ms = regions[-1][1] + 700
    windows = pack([SpeechRegion(start_ms=a, end_ms=b) for a, b in regions], audio_ms)

    pieces = sorted((p.start_ms, p.end_ms) for w in windows for p in w.pieces)
    assert all(window.length_ms <= WINDOW_MS for window in windows)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(pieces))
    covered = np.zeros(audio_ms, bool)
    for start, end in pieces:
        covered[start:end] = True
    assert all(covered[a:b].all() for a, b in regions)
    assert covered.sum() <= sum(b - a + GAP_MS for a, b in regions)


@given(spans, st.integers(0, 29_999), st.integers(1, 5_000))
def test_a_time_in_a_window_maps_into_the_piece_it_lies_in(regions, at, length):
    windows = pack([SpeechRegion(start_ms=a, end_ms=b) for a, b in regions], regions[-1][1])
    window = windows[0]
    at = min(at, window.length_ms - 1)

    low, high = window.recording_span(at, at + length)

    assert low <= high
    assert any(p.start_ms <= low <= high <= p.end_ms for p in window.pieces)


def test_each_channel_has_windows_of_its_own():
    regions = [SpeechRegion(start_ms=0, end_ms=900, channel=c) for c in (0, 1)]

    assert [window.channel for window in pack(regions, 1000)] == [0, 1]


def test_clusters_far_apart_stay_apart_and_equal_vectors_join():
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0]], np.float32)

    assert agglomerate(vectors, threshold=0.5).tolist() == [0, 0, 1, 1, 0]
    assert agglomerate(vectors, clusters=1).tolist() == [0] * 5
