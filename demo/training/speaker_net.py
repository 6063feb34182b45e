"""The speaker embedding: four convolutions, mean and deviation pooling, 64 dimensions."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gpu_job.diarize.log_mel import N_MELS

DIMENSIONS = 64


def _block(inputs: int, outputs: int, kernel: int, dilation: int) -> nn.Sequential:
    padding = dilation * (kernel // 2)
    conv = nn.Conv1d(inputs, outputs, kernel, dilation=dilation, padding=padding)
    return nn.Sequential(conv, nn.BatchNorm1d(outputs), nn.ReLU())


class SpeakerNet(nn.Module):
    """Normalised log-mel windows (n, N_MELS, frames) to embeddings (n, DIMENSIONS)."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            _block(N_MELS, 96, 5, 1),
            _block(96, 96, 3, 2),
            _block(96, 96, 3, 3),
            _block(96, 192, 1, 1),
        )
        self.out = nn.Linear(384, DIMENSIONS)

    def forward(self, mel: Tensor) -> Tensor:
        """Embed; any number of frames."""
        states = self.net(mel)
        mean = states.mean(2)
        deviation = ((states * states).mean(2) - mean * mean).clamp_min(1e-4).sqrt()
        return self.out(torch.cat([mean, deviation], 1))


def write_onnx(net: SpeakerNet, path: Path) -> None:
    """Write the trained network for onnxruntime: input `mel`, output `embedding`."""
    net.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        net,
        torch.zeros(2, N_MELS, 120),
        str(path),
        input_names=["mel"],
        output_names=["embedding"],
        opset_version=17,
        dynamic_axes={"mel": {0: "n", 2: "frames"}, "embedding": {0: "n"}},
        dynamo=False,
    )


def onnx_difference(net: SpeakerNet, path: Path) -> float:
    """The largest difference between torch and onnxruntime on three random windows."""
    import onnxruntime  # noqa: PLC0415  only after the training

    mel = np.random.default_rng(0).normal(size=(3, N_MELS, 97)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    exported = session.run(None, {"mel": mel})[0]
    with torch.no_grad():
        return float(np.abs(exported - net(torch.from_numpy(mel)).numpy()).max())
