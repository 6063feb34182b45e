"""Asking the model once more may take a while, so that the work may stop before."""

from types import SimpleNamespace

import numpy as np
import pytest

from gpu_job.common.errors import OutOfMemoryError
from gpu_job.transcribe.raw_segments import RawSegment, RawWord
from gpu_job.transcribe.second_decode import SecondDecode
from gpu_job.transcribe.silence_prior import SilencePrior

SAID = RawSegment((RawWord(0, 400, "ah", 0.9),))


def stop():
    raise KeyboardInterrupt


@pytest.fixture(params=["sound_adds", "language_certainty"])
def ask(request):
    """Each of the two things that the model is asked."""
    given = ([SAID],) if request.param == "sound_adds" else ()
    return lambda asked: getattr(asked, request.param)(*given)


def test_work_that_must_stop_asks_the_model_nothing_more(real_models, ask):
    model = real_models.transcriber._model
    audio = np.zeros(16_000, np.int16)

    with pytest.raises(KeyboardInterrupt):
        ask(SecondDecode(model, SilencePrior(model), audio, "en", "transcribe", stop))


@pytest.mark.parametrize(
    ("said", "kind"),
    [("CUDA failed with error out of memory", OutOfMemoryError), ("broken", RuntimeError)],
)
def test_want_of_memory_is_told_by_its_name(ask, said, kind):
    def full(*_):
        raise RuntimeError(said)

    model = SimpleNamespace(
        model=SimpleNamespace(is_multilingual=True), detect_language=full, encode=full
    )
    unheard = SimpleNamespace(sound_adds=full)
    audio = np.zeros(16_000, np.int16)

    with pytest.raises(kind):
        ask(SecondDecode(model, unheard, audio, "en", "transcribe", lambda: None))
