"""Asking the model once more may take a while, so that the work may stop before."""

import numpy as np
import pytest

from gpu_job.speech.raw import RawSegment, RawWord
from gpu_job.speech.second_opinion import AskedAgain
from gpu_job.speech.unheard import Unheard

SAID = RawSegment((RawWord(0, 400, "ah", 0.9),))


def stop():
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "ask", [lambda asked: asked.sound_adds([SAID]), lambda asked: asked.language_certainty()]
)
def test_work_that_must_stop_asks_the_model_nothing_more(real_models, ask):
    model = real_models.transcriber._model
    audio = np.zeros(16_000, np.int16)

    with pytest.raises(KeyboardInterrupt):
        ask(AskedAgain(model, Unheard(model), audio, "en", "transcribe", stop))
