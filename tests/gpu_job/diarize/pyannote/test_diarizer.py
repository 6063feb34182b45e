"""What comes out of the pyannote diarizer, on models that hear tones."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from bench import tones
from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import Speakers, SpeechRegion
from gpu_job.diarize.base import Diarization
from gpu_job.diarize.pyannote import PyannoteDiarizer
from gpu_job.stop_request import Stop, StoppedError

pytestmark = pytest.mark.torch


@pytest.fixture
def pyannote(models, kind):
    """The same pipeline called as pyannote's manual says."""
    import torch
    from pyannote.audio import Pipeline

    from gpu_job.diarize.pyannote.load_pipeline import config_of

    settings = WorkerSettings(models, diarization_model=kind)
    pipeline = Pipeline.from_pretrained(config_of(settings, None))

    def run(samples, join_seconds=0.0, **count):
        thresholds = pipeline.parameters(instantiated=True)
        thresholds["segmentation"]["min_duration_off"] = join_seconds
        pipeline.instantiate(thresholds)
        waveform = torch.from_numpy(samples.astype(np.float32) / 32768)
        return pipeline({"waveform": waveform, "sample_rate": 16_000}, **count)

    return run


def times_by_speaker(turns):
    """Sets of times, whatever the speakers are called."""
    of = {}
    for start_ms, end_ms, speaker in turns:
        of.setdefault(speaker, []).append((start_ms, end_ms))
    return sorted(sorted(times) for times in of.values())


def of_ours(turns):
    return times_by_speaker((turn.start_ms, turn.end_ms, turn.speaker) for turn in turns)


def of_stock(annotation):
    return times_by_speaker(
        (segment.start * 1000, segment.end * 1000, label)
        for segment, _, label in annotation.itertracks(yield_label=True)
    )


def assert_same(ours, theirs):
    """To the millisecond, of which the half may be rounded either way."""
    assert [len(times) for times in ours] == [len(times) for times in theirs]
    np.testing.assert_allclose(np.concatenate(ours), np.concatenate(theirs), rtol=0, atol=0.51)


@pytest.mark.parametrize(
    "count", [{}, {"num_speakers": 2}, {"min_speakers": 6}, {"max_speakers": 3}]
)
def test_turns_and_voices_are_those_that_pyannote_finds(pyannote, diarizer, talk, count, diarize):
    names = {"num_speakers": "exact", "min_speakers": "minimum", "max_speakers": "maximum"}
    speakers = Speakers(**{names[name]: number for name, number in count.items()})

    ours = diarize(diarizer, talk.samples, speakers=speakers)
    theirs = pyannote(talk.samples, **count)

    assert_same(of_ours(ours.turns), of_stock(theirs.speaker_diarization))
    assert_same(of_ours(ours.exclusive), of_stock(theirs.exclusive_speaker_diarization))
    mine = np.array(sorted(voice.vector for voice in ours.embeddings))
    known = theirs.speaker_embeddings[np.any(theirs.speaker_embeddings, axis=1)]
    np.testing.assert_allclose(mine, np.array(sorted(known.tolist())), atol=1e-4)


def test_pauses_that_a_pipeline_joins_are_joined(pyannote, diarizer, talk, diarize):
    joining = PyannoteDiarizer(replace(diarizer._parts, join_seconds=2.0))

    ours = diarize(joining, talk.samples)
    theirs = pyannote(talk.samples, join_seconds=2.0)

    assert_same(of_ours(ours.turns), of_stock(theirs.speaker_diarization))
    assert len(ours.turns) < len(ours.exclusive)
    assert all(later.start_ms >= earlier.end_ms for earlier, later in pairwise(ours.exclusive))


def test_turns_are_in_order_and_speakers_named_as_they_appear(diarizer, talk, diarize):
    found = diarize(diarizer, talk.samples)

    starts = [turn.start_ms for turn in found.turns]
    assert starts == sorted(starts)
    assert list(dict.fromkeys(turn.speaker for turn in found.turns)) == [
        f"SPEAKER_{i:02d}" for i in range(4)
    ]
    assert [voice.speaker for voice in found.embeddings] == [f"SPEAKER_{i:02d}" for i in range(4)]


def test_the_speakers_are_those_of_the_conversation(diarizer, talk, diarize):
    found = diarize(diarizer, talk.samples)

    said = tones.plan(90, 4)
    order = list(dict.fromkeys(one.voice for one in said))
    for one in said:
        middle_ms = (one.start + one.end) / 2 / 16
        speaking = {t.speaker for t in found.turns if t.start_ms <= middle_ms < t.end_ms}
        assert f"SPEAKER_{order.index(one.voice):02d}" in speaking


def test_overlapping_speech_is_kept_and_exclusive_turns_never_overlap(diarizer, talk, diarize):
    found = diarize(diarizer, talk.samples)

    assert any(later.start_ms < earlier.end_ms for earlier, later in pairwise(found.turns))
    assert all(later.start_ms >= earlier.end_ms for earlier, later in pairwise(found.exclusive))


def test_as_many_speakers_as_are_asked_for(diarizer, talk, diarize):
    found = diarize(diarizer, talk.samples, speakers=Speakers(exact=3))

    assert {turn.speaker for turn in found.turns} == {f"SPEAKER_{i:02d}" for i in range(3)}


def test_more_speakers_than_there_are_embeddings_is_no_error(diarizer, diarize):
    samples = tones.conversation(11, 2)

    assert diarize(diarizer, samples, speakers=Speakers(exact=40)).turns


def test_a_recording_without_speech_costs_no_computing(diarizer, talk, diarize):
    def no_work():
        raise AssertionError

    assert diarize(diarizer, talk.samples, (), check=no_work) == Diarization(by="pyannote")


def test_silence_that_counts_as_speech_has_no_turns(diarizer, diarize):
    samples = np.zeros((1, 16_000 * 15), np.int16)

    assert diarize(diarizer, samples) == Diarization(by="pyannote")


@pytest.mark.parametrize("seconds", [0.2, 3.7, 10.0, 12.3])
def test_a_short_recording_ends_no_turn_behind_its_end(diarizer, diarize, seconds):
    samples = tones.conversation(30, 2)[:, 16_000 : round(16_000 * (1 + seconds))]

    found = diarize(diarizer, samples)

    assert found.turns
    assert max(turn.end_ms for turn in found.turns) <= seconds * 1000


def test_a_region_behind_the_end_is_silence(diarizer, diarize):
    samples = tones.conversation(30, 2)
    late = (SpeechRegion(start_ms=31_000, end_ms=32_000),)

    assert diarize(diarizer, samples, late) == Diarization(by="pyannote")


def test_windows_without_speech_are_skipped_and_change_nothing_within_it(
    diarizer, talk, diarize, monkeypatch
):
    silence = np.zeros((1, 16_000 * 300), np.int16)
    samples = np.concatenate([talk.samples, silence, talk.samples], axis=1)
    regions = (
        SpeechRegion(start_ms=0, end_ms=90_000),
        SpeechRegion(start_ms=390_000, end_ms=480_000),
    )
    heard = []
    model = diarizer._parts.segmentation
    real = model.infer
    monkeypatch.setattr(model, "infer", lambda batch: heard.append(len(batch)) or real(batch))

    whole = diarize(diarizer, samples)
    all_windows = sum(heard)
    heard.clear()
    skipping = diarize(diarizer, samples, regions)

    assert skipping.turns == whole.turns
    assert (all_windows, sum(heard)) == (471, 180)


def test_samples_may_be_a_mapped_file_of_several_channels(diarizer, talk, diarize, tmp_path):
    stereo = np.concatenate([talk.samples, np.zeros_like(talk.samples)])
    np.save(tmp_path / "samples.npy", stereo)
    mapped = np.load(tmp_path / "samples.npy", mmap_mode="r")

    found = diarize(diarizer, mapped)

    assert found == diarize(diarizer, talk.samples)


def test_work_is_the_same_in_slices_of_any_size(diarizer, talk, diarize, monkeypatch):
    whole = diarize(diarizer, talk.samples)
    for name, size in (("turns.FRAMES_AT_ONCE", 100), ("vbx.ROWS_AT_ONCE", 7)):
        monkeypatch.setattr(f"gpu_job.diarize.pyannote.{name}", size)
    monkeypatch.setattr("gpu_job.diarize.pyannote.clusters._ROWS_AT_ONCE", 5)

    sliced = PyannoteDiarizer(diarizer._parts, segmentation_batch=3, embedding_batch=5)

    found = diarize(sliced, talk.samples)
    assert (found.turns, found.exclusive) == (whole.turns, whole.exclusive)


def test_a_recording_with_more_embeddings_than_are_clustered_has_the_same_turns(
    diarizer, talk, diarize
):
    bounded = PyannoteDiarizer(diarizer._parts, most_clustered=60)

    found, whole = diarize(bounded, talk.samples), diarize(diarizer, talk.samples)

    assert (found.turns, found.exclusive) == (whole.turns, whole.exclusive)


@pytest.mark.parametrize("after", [0, 1, 4, 8, 11])
def test_a_stop_is_let_through_wherever_the_work_is(parts, kind, talk, diarize, after):
    stop, calls = Stop(), iter(range(1000))

    def check():
        if next(calls) == after:
            stop.request("cancelled")
        stop.check()

    small = PyannoteDiarizer(parts[kind], segmentation_batch=20, embedding_batch=20)

    with pytest.raises(StoppedError, match="cancelled"):
        diarize(small, talk.samples, check=check)
