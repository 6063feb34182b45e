"""The light diarizer on the real telephone talk that pyannote's wheel ships."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.diarization_error import der, read_rttm
from bench.worker_bucket import decoded
from escriba.settings import HOUSE
from gpu_job.contract import Speakers, SpeechRegion
from gpu_job.diarize.light import LightDiarizer
from resources.diarizer_weights import voices_revision

VOICES = HOUSE / ".cache" / "models" / "voices"
pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(
        not voices_revision(VOICES.parent), reason="the light diarizer's weights: `make setup`"
    ),
]


@pytest.fixture(scope="module")
def sample():
    """Its sound, and its turns."""
    spec = find_spec("pyannote.audio")
    folder = Path(spec.origin).parent / "sample"
    return decoded(folder / "sample.wav"), read_rttm(folder / "sample.rttm")


def turns_of(sound):
    everywhere = (SpeechRegion(start_ms=0, end_ms=sound.shape[1] // 16),)
    found = LightDiarizer.load(VOICES).diarize(sound, everywhere, Speakers(), lambda: None)
    return found.turns


def test_two_talk_and_hardly_a_moment_is_given_to_the_wrong_one(sample):
    sound, truth = sample
    turns = turns_of(sound)
    rate = der(truth, turns)

    assert len({turn.speaker for turn in turns}) == 2
    assert rate.der < 0.09  # 6.4 % on 30 November 2026
    assert rate.confusion < 0.01


def test_one_of_them_alone_is_one(sample):
    sound, _ = sample

    assert len({turn.speaker for turn in turns_of(sound[:, 16_000 * 22 : 16_000 * 28])}) == 1
