"""What comes out of the pyannote diarizer, on models that hear tones."""

from itertools import pairwise

import numpy as np
import pytest

from bench import tones
from gpu_job.contract import Speakers, SpeechRegion
from gpu_job.diarize.base import Diarization
from gpu_job.diarize.pyannote import PyannoteDiarizer
from gpu_job.settings import WorkerSettings
from gpu_job.stop import Stop, StoppedError


def never():
    """Nobody wants the work to stop."""


def stock(models, kind, samples, **count):
    """The same recording by pyannote itself, called as its manual says."""
    import torch
    from pyannote.audio import Pipeline

    from gpu_job.diarize.pyannote.loading import _config

    pipeline = Pipeline.from_pretrained(
        _config(WorkerSettings(models, diarization_model=kind), None)
    )
    waveform = torch.from_numpy(samples.astype(np.float32) / 32768)
    return pipeline({"waveform": waveform, "sample_rate": 16_000}, **count)


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
def test_turns_and_voices_are_those_that_pyannote_finds(models, kind, diarizer, talk, count):
    names = {"num_speakers": "exact", "min_speakers": "minimum", "max_speakers": "maximum"}
    speakers = Speakers(**{names[name]: number for name, number in count.items()})

    ours = diarizer.diarize(talk.samples, talk.regions, speakers, never)
    theirs = stock(models, kind, talk.samples, **count)

    assert_same(of_ours(ours.turns), of_stock(theirs.speaker_diarization))
    assert_same(of_ours(ours.exclusive), of_stock(theirs.exclusive_speaker_diarization))
    mine = np.array(sorted(voice.vector for voice in ours.embeddings))
    known = theirs.speaker_embeddings[np.any(theirs.speaker_embeddings, axis=1)]
    np.testing.assert_allclose(mine, np.array(sorted(known.tolist())), atol=1e-4)


def test_turns_are_in_order_and_speakers_named_as_they_appear(diarizer, talk, nobody_knows):
    found = diarizer.diarize(talk.samples, talk.regions, nobody_knows, never)

    starts = [turn.start_ms for turn in found.turns]
    assert starts == sorted(starts)
    assert list(dict.fromkeys(turn.speaker for turn in found.turns)) == [
        f"SPEAKER_{i:02d}" for i in range(4)
    ]
    assert [voice.speaker for voice in found.embeddings] == [f"SPEAKER_{i:02d}" for i in range(4)]


def test_the_speakers_are_those_of_the_conversation(diarizer, talk, nobody_knows):
    found = diarizer.diarize(talk.samples, talk.regions, nobody_knows, never)

    said = tones.plan(90, 4)
    order = list(dict.fromkeys(one.voice for one in said))
    for one in said:
        middle_ms = (one.start + one.end) / 2 / 16
        speaking = {t.speaker for t in found.turns if t.start_ms <= middle_ms < t.end_ms}
        assert f"SPEAKER_{order.index(one.voice):02d}" in speaking


def test_overlapping_speech_is_kept_and_exclusive_turns_never_overlap(diarizer, talk, nobody_knows):
    found = diarizer.diarize(talk.samples, talk.regions, nobody_knows, never)

    assert any(later.start_ms < earlier.end_ms for earlier, later in pairwise(found.turns))
    assert all(later.start_ms >= earlier.end_ms for earlier, later in pairwise(found.exclusive))


def test_as_many_speakers_as_are_asked_for(diarizer, talk):
    found = diarizer.diarize(talk.samples, talk.regions, Speakers(exact=3), never)

    assert {turn.speaker for turn in found.turns} == {f"SPEAKER_{i:02d}" for i in range(3)}


def test_more_speakers_than_there_are_embeddings_is_no_error(diarizer):
    samples = tones.conversation(11, 2)

    assert diarizer.diarize(samples, tones.all_of(samples), Speakers(exact=40), never).turns


def test_a_recording_without_speech_costs_no_computing(diarizer, talk, nobody_knows):
    def no_work():
        raise AssertionError

    assert diarizer.diarize(talk.samples, (), nobody_knows, no_work) == Diarization()


def test_silence_that_counts_as_speech_has_no_turns(diarizer, nobody_knows):
    samples = np.zeros((1, 16_000 * 15), np.int16)

    assert diarizer.diarize(samples, tones.all_of(samples), nobody_knows, never) == Diarization()


@pytest.mark.parametrize("seconds", [0.2, 3.7, 10.0, 12.3])
def test_a_short_recording_ends_no_turn_behind_its_end(diarizer, nobody_knows, seconds):
    samples = tones.conversation(30, 2)[:, 16_000 : round(16_000 * (1 + seconds))]

    found = diarizer.diarize(samples, tones.all_of(samples), nobody_knows, never)

    assert found.turns
    assert max(turn.end_ms for turn in found.turns) <= seconds * 1000


def test_a_region_behind_the_end_is_silence(diarizer, nobody_knows):
    samples = tones.conversation(30, 2)
    late = (SpeechRegion(start_ms=31_000, end_ms=32_000),)

    assert diarizer.diarize(samples, late, nobody_knows, never) == Diarization()


def test_windows_without_speech_are_skipped_and_change_nothing_within_it(
    parts, diarizer, talk, nobody_knows, monkeypatch
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

    whole = diarizer.diarize(samples, tones.all_of(samples), nobody_knows, never)
    all_windows = sum(heard)
    heard.clear()
    skipping = diarizer.diarize(samples, regions, nobody_knows, never)

    assert skipping.turns == whole.turns
    assert (all_windows, sum(heard)) == (471, 180)


def test_samples_may_be_a_mapped_file_of_several_channels(diarizer, talk, nobody_knows, tmp_path):
    stereo = np.concatenate([talk.samples, np.zeros_like(talk.samples)])
    np.save(tmp_path / "samples.npy", stereo)
    mapped = np.load(tmp_path / "samples.npy", mmap_mode="r")

    found = diarizer.diarize(mapped, talk.regions, nobody_knows, never)

    assert found == diarizer.diarize(talk.samples, talk.regions, nobody_knows, never)


def test_work_is_the_same_in_slices_of_any_size(
    parts, kind, diarizer, talk, nobody_knows, monkeypatch
):
    whole = diarizer.diarize(talk.samples, talk.regions, nobody_knows, never)
    for name, size in (("turns.FRAMES_AT_ONCE", 100), ("vbx.ROWS_AT_ONCE", 7)):
        monkeypatch.setattr(f"gpu_job.diarize.pyannote.{name}", size)
    monkeypatch.setattr("gpu_job.diarize.pyannote.clusters._ROWS_AT_ONCE", 5)

    sliced = PyannoteDiarizer(parts[kind], segmentation_batch=3, embedding_batch=5)

    found = sliced.diarize(talk.samples, talk.regions, nobody_knows, never)
    assert (found.turns, found.exclusive) == (whole.turns, whole.exclusive)


@pytest.mark.parametrize("after", [0, 1, 4, 8, 11])
def test_a_stop_is_let_through_wherever_the_work_is(parts, kind, talk, nobody_knows, after):
    stop, calls = Stop(), iter(range(1000))

    def check():
        if next(calls) == after:
            stop.say("cancelled")
        stop.check()

    with pytest.raises(StoppedError, match="cancelled"):
        PyannoteDiarizer(parts[kind], segmentation_batch=20, embedding_batch=20).diarize(
            talk.samples, talk.regions, nobody_knows, check
        )
