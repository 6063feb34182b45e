"""The light diarizer on the demo's recordings, where its weights stand (`make setup`)."""

import shutil

import av
import numpy as np
import pytest

from escriba.settings import HOUSE
from gpu_job.common.errors import ModelMissingError
from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import JobOptions, Speakers, SpeechRegion
from gpu_job.diarize.light import LightDiarizer
from gpu_job.diarize.light.networks import Networks
from gpu_job.models import load_models
from resources.demo_models import unpack_demo_models
from resources.diarizer_weights import voices_revision
from tests.conftest import RECORDINGS

VOICES = HOUSE / ".cache" / "models" / "voices"
real = pytest.mark.skipif(
    not voices_revision(VOICES.parent), reason="the light diarizer's weights: `make setup`"
)


@pytest.fixture(scope="module")
def diarizer():
    return LightDiarizer.load(VOICES)


def heard(name):
    with av.open(str(RECORDINGS / name)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        blocks = [
            block.to_ndarray()
            for frame in container.decode(audio=0)
            for block in resampler.resample(frame)
        ]
    return np.concatenate(blocks, axis=1)


def everywhere(samples):
    return (SpeechRegion(start_ms=0, end_ms=samples.shape[1] // 16),)


def found(diarizer, samples, speakers=None):
    turns = diarizer.diarize(samples, everywhere(samples), speakers or Speakers(), lambda: None)
    return turns, {turn.speaker for turn in turns.turns}


@real
@pytest.mark.parametrize(
    ("name", "speakers"),
    [("english-2-voices.mp3", 2), ("english-3-voices.mp4", 3), ("portuguese-2-voices.m4a", 2)],
)
def test_the_demo_has_its_speakers(diarizer, name, speakers):
    diarization, names = found(diarizer, heard(name))

    assert len(names) == speakers
    assert diarization.by == "light"
    assert diarization.turns == tuple(sorted(diarization.turns, key=lambda turn: turn.start_ms))
    assert {voice.speaker for voice in diarization.embeddings} == names
    assert all(len(voice.vector) == 192 for voice in diarization.embeddings)


@real
@pytest.mark.parametrize(
    ("known", "number"), [(Speakers(exact=1), 1), (Speakers(maximum=2), 2), (Speakers(exact=3), 3)]
)
def test_the_number_of_speakers_may_be_known(diarizer, known, number):
    assert len(found(diarizer, heard("english-3-voices.mp4"), known)[1]) == number


def said_by_each(diarizer, seconds=4):
    """The first seconds of a turn of each of the two who speak in a recording of the demo."""
    samples = heard("english-2-voices.mp3")
    long = [t for t in found(diarizer, samples)[0].turns if t.end_ms - t.start_ms > 1000 * seconds]
    starts = {turn.speaker: 16 * turn.start_ms for turn in reversed(long)}
    return [samples[:, at : at + 16_000 * seconds] for at in starts.values()]


@real
def test_a_change_of_speakers_without_a_pause_is_heard_where_it_is(diarizer):
    one, other = said_by_each(diarizer)
    turns = found(diarizer, np.concatenate([one, other], axis=1))[0].turns

    assert [turn.speaker for turn in turns] == ["SPEAKER_00", "SPEAKER_01"]
    assert abs(turns[0].end_ms - 4_000) < 300
    assert abs(turns[1].start_ms - 4_000) < 300


@real
def test_two_who_speak_at_once_both_have_a_turn_there(diarizer):
    one, other = said_by_each(diarizer)
    talk = np.zeros((1, 16_000 * 6), np.int16)
    talk[:, : 16_000 * 4] = one // 2
    talk[:, 16_000 * 2 :] += other // 2
    turns, names = found(diarizer, talk)

    assert len(names) == 2
    both = [turn for turn in turns.turns if turn.start_ms < 3_000 < turn.end_ms]
    assert len({turn.speaker for turn in both}) == 2


@real
def test_silence_has_no_speakers(diarizer):
    assert found(diarizer, np.zeros((1, 30 * 16_000), np.int16))[1] in (set(), {"SPEAKER_00"})
    assert diarizer.diarize(np.zeros((1, 16_000), np.int16), (), Speakers(), print).turns == ()


@real
def test_it_stops_between_two_windows(diarizer):
    def check():
        raise TimeoutError

    samples = heard("english-2-voices.mp3")
    with pytest.raises(TimeoutError):
        diarizer.diarize(samples, everywhere(samples), Speakers(), check)


@real
def test_a_damaged_network_is_named_with_what_to_do(tmp_path):
    folder = shutil.copytree(VOICES, tmp_path / "voices")
    with (folder / "segmentation.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"\0" * 64)

    with pytest.raises(ModelMissingError, match=r"are damaged\. Delete that folder"):
        Networks.load(folder)


@real
def test_a_worker_with_voices_refuses_no_job_and_one_with_the_toy_does(tmp_path):
    folder = unpack_demo_models(tmp_path)
    wanted = JobOptions(model="demo", diarization_model=voices_revision(VOICES.parent))
    load_models(WorkerSettings(models=folder, voices=VOICES)).check_options(wanted)

    with pytest.raises(ModelMissingError, match="the toy of the demo"):
        load_models(WorkerSettings(models=folder)).check_options(wanted)


def test_a_worker_without_voices_says_that_its_speakers_are_a_toys(tmp_path):
    models = load_models(WorkerSettings(models=unpack_demo_models(tmp_path)))
    models.check_options(JobOptions(model="demo"))
    diarization, names = found(models.diarizer, heard("english-2-voices.mp3"))

    assert diarization.by == "light-toy"
    assert names
