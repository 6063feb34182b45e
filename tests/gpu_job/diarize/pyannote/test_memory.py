"""What happens when memory on the card runs out, and that little of it is asked for."""

import pytest

from gpu_job.common.errors import OutOfMemoryError
from gpu_job.diarize.pyannote import PyannoteDiarizer

pytestmark = pytest.mark.torch


@pytest.fixture
def small_card(parts, kind, monkeypatch):
    """Models that have no memory for more than so many windows, and how many each was given."""
    import torch

    given = {"segmentation": [], "embedding": []}

    def make(room):
        def guarded(name, module):
            real = module.forward

            def forward(waveforms, *arguments, **options):
                given[name].append(len(waveforms))
                if len(waveforms) > room:
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
                return real(waveforms, *arguments, **options)

            monkeypatch.setattr(module, "forward", forward)

        guarded("segmentation", parts[kind].segmentation.model)
        guarded("embedding", parts[kind].embedding.model_)
        return given

    return make


def test_with_less_memory_batches_are_halved_and_the_result_is_the_same(
    diarizer, talk, diarize, small_card
):
    whole = diarize(diarizer, talk.samples)
    given = small_card(room=10)

    found = diarize(diarizer, talk.samples)

    assert (found.turns, found.exclusive) == (whole.turns, whole.exclusive)
    for batches in given.values():
        assert batches[:3] == [32, 16, 8]
        assert set(batches[3:-1]) == {8}


def test_without_memory_for_one_window_the_error_says_so(diarizer, talk, diarize, small_card):
    given = small_card(room=0)

    with pytest.raises(OutOfMemoryError, match="a single window") as caught:
        diarize(diarizer, talk.samples)

    assert caught.value.error.code == "out_of_memory"
    assert given["segmentation"] == [32, 16, 8, 4, 2, 1]


def test_any_other_error_of_a_model_is_let_through(diarizer, talk, diarize, monkeypatch):
    def broken(_):
        raise RuntimeError("cuDNN error")

    monkeypatch.setattr(diarizer._parts.segmentation.model, "forward", broken)

    with pytest.raises(RuntimeError, match="cuDNN"):
        diarize(diarizer, talk.samples)


def test_the_embedding_is_asked_once_for_a_window_not_once_for_each_speaker(
    parts, kind, talk, diarize, small_card
):
    given = small_card(room=100)

    diarize(PyannoteDiarizer(parts[kind]), talk.samples)

    assert sum(given["embedding"]) <= sum(given["segmentation"]) == 81
