"""The models of bench/tone_models.py at the price of the real ones.

Each runs pyannote's own network too (community-1's sizes, weights left to chance) and adds
nothing of what that says: so the voices are still told apart, and clustering has what it has in
a conversation.
"""

from pathlib import Path

import torch
from pyannote.audio.models.embedding import WeSpeakerResNet34
from pyannote.audio.models.segmentation import PyanNet

from bench.tone_models import ToneEmbedding, ToneSegmentation, write_pipeline
from bench.tones import RATE_HZ

_LAYERS = 4  # of the LSTM; PyanNet's default is 2


class HeavySegmentation(ToneSegmentation):
    """With SincNet and the LSTM; of the last layers' 0.1 % of the work, none."""

    def __init__(
        self, sample_rate: int = RATE_HZ, num_channels: int = 1, task: object = None
    ) -> None:
        super().__init__(sample_rate, num_channels, task)
        network = PyanNet(lstm={"num_layers": _LAYERS})
        self.sincnet, self.lstm = network.sincnet, network.lstm

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """As ToneSegmentation."""
        heard, _ = self.lstm(self.sincnet(waveforms).transpose(1, 2))
        return super().forward(waveforms) + 0 * heard.mean()


class HeavyEmbedding(ToneEmbedding):
    """With the ResNet34."""

    def __init__(
        self, sample_rate: int = RATE_HZ, num_channels: int = 1, task: object = None
    ) -> None:
        super().__init__(sample_rate, num_channels, task)
        self.network = WeSpeakerResNet34()

    def forward(self, waveforms: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
        """As ToneEmbedding."""
        heard = self.network.resnet(self.network.compute_fbank(waveforms), weights=weights)[1]
        return super().forward(waveforms, weights) + 0 * torch.nan_to_num(heard).mean()


def write_speakers(folder: Path) -> None:
    """A pipeline's folder, as `write_pipeline` makes it."""
    torch.manual_seed(0)
    write_pipeline(folder, "community-1", HeavySegmentation(), HeavyEmbedding())
