"""The graphs of `gpu_job.diarizer_weights` give what torch gives, from the same weights."""

import numpy as np
import onnxruntime
import pytest

from gpu_job.diarize.light.fbank import fbank
from gpu_job.diarizer_weights.embedding_graph import voiceprint_graph
from gpu_job.diarizer_weights.segmentation_graph import segmentation_graph

pytestmark = pytest.mark.torch

CLOSE = 1e-4


def run(graph, **given):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options).run(None, given)[0]


def weights_of(network):
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def lively(network):
    """Norms that have seen something, so that none of them is the identity."""
    import torch

    torch.manual_seed(3)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_mean"):
                tensor.normal_(0, 0.1)
            elif name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("frames", [40, 150, 201, 700])
def test_voiceprints_are_those_of_torch(frames):
    import torch

    from tests.gpu_job.diarizer_weights.campplus import CamPlusPlus

    network = lively(CamPlusPlus())
    mel = torch.randn(2, frames, 80)
    with torch.no_grad():
        expected = network(mel).numpy()
    found = run(voiceprint_graph(weights_of(network)), mel=mel.numpy())

    assert found.shape == (2, 192)
    assert (found < 0).any()  # no ReLU at the end
    assert np.abs(found - expected).max() <= CLOSE * max(1, np.abs(expected).max())


def test_activity_is_that_of_torch():
    import torch

    from gpu_job.diarize.pyannote.load_pipeline import import_pyannote

    import_pyannote()
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(4)
    network = PyanNet(sincnet={"stride": 10}, lstm={"num_layers": 4, "monolithic": True})
    network.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=10.0,
        classes=["a", "b", "c"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    network.build()
    network.eval()
    waveform = 0.1 * torch.randn(2, 1, 160_000)
    with torch.no_grad():
        expected = network(waveform).numpy()
    found = run(segmentation_graph(weights_of(network)), waveform=waveform.numpy())

    assert found.shape == expected.shape == (2, 589, 7)
    assert np.abs(found - expected).max() <= CLOSE


def test_the_filter_bank_is_that_of_kaldi():
    import torch

    from gpu_job.diarize.pyannote.load_pipeline import import_pyannote

    import_pyannote()
    kaldi = pytest.importorskip("torchaudio.compliance.kaldi")
    audio = (0.1 * np.random.default_rng(5).normal(size=24_000)).astype(np.float32)
    expected = kaldi.fbank(torch.from_numpy(audio)[None], num_mel_bins=80, dither=0.0).numpy()

    assert np.abs(fbank(audio) - expected).max() <= 1e-3  # of a natural logarithm
