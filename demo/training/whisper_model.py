"""The tiny Whisper: 2 encoder and 2 or 3 decoder layers of width 96, 0.8 million weights.

Two things differ from Whisper while training, and are folded into the usual form by the export.
Timestamp embeddings are a linear map of the encoder's position table, so that 1501 of them are
learnt from few examples. One channel of the decoder's output is always 1, so that the export can
give every unused token a constant logit.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from demo.training.attention import WIDTH, DecoderLayer, EncoderLayer, sinusoids, start_local

BANDS = 80
LAYERS = 2  # of the encoder, and of the decoder before `deepen`
FRAMES = 1500  # encoder positions of 20 ms in 30 s
LONGEST_TEXT = 448  # tokens, as in Whisper
POSITIONS = sinusoids(FRAMES + 1, WIDTH)  # one more: <|30.00|>
Weights = dict[str, Tensor]


class Encoder(nn.Module):
    """Two convolutions (10 ms to 20 ms), positions, layers that start as local filters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(BANDS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.layers = nn.ModuleList([EncoderLayer() for _ in range(LAYERS)])
        self.layer_norm = nn.LayerNorm(WIDTH)
        for i, layer in enumerate(self.layers):
            reach = 2 + 4 * i
            start_local(layer.self_attn, [-3 * reach, -reach, reach, 3 * reach])

    def forward(self, mel: Tensor, shift: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Encode windows; also the state after each layer.

        Args:
            mel: (batch, BANDS, frames of 10 ms).
            shift: (batch,), where on the 30 s axis each window starts, in positions of 20 ms.
        """
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + POSITIONS[shift[:, None] + torch.arange(x.shape[1])]
        states = []
        for layer in self.layers:
            x = layer(x)
            states.append(x)
        return self.layer_norm(x), states


class Decoder(nn.Module):
    """Text positions and layers."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.embed_positions = nn.Embedding(LONGEST_TEXT, WIDTH)
        self.embed_positions.weight.data = sinusoids(LONGEST_TEXT, WIDTH) * 0.1
        self.layers = nn.ModuleList([DecoderLayer() for _ in range(layers)])
        self.layer_norm = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Embedded tokens (batch, length, WIDTH) to outputs, and each layer's cross-attention."""
        x = x + self.embed_positions.weight[: x.shape[1]]
        maps = []
        for layer in self.layers:
            x, weights = layer(x, memory)
            maps.append(weights)
        return self.layer_norm(x), maps


class TinyWhisper(nn.Module):
    """Encoder, decoder, embeddings, and two heads that only training uses."""

    def __init__(self, tokens: int, phones: int, words: int, decoder_layers: int = LAYERS) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder(decoder_layers)
        self.tokens = nn.Parameter(torch.randn(tokens, WIDTH) * 0.05)
        self.times = nn.Linear(WIDTH, WIDTH)
        nn.init.eye_(self.times.weight)
        self.times.weight.data *= 0.3
        nn.init.zeros_(self.times.bias)
        self.phone_head, self.word_head = nn.Linear(WIDTH, phones), nn.Linear(WIDTH, words)
        self.hold_constant()

    def hold_constant(self) -> None:
        """Set the last output channel to 1 again; called after every step."""
        self.decoder.layer_norm.weight.data[-1] = 0
        self.decoder.layer_norm.bias.data[-1] = 1

    def embeddings(self) -> Tensor:
        """All compact tokens and then all timestamps, (tokens + FRAMES + 1, WIDTH)."""
        return torch.cat([self.tokens, self.times(POSITIONS) * 0.5], 0)


def is_deep(weights: Weights) -> bool:
    """Whether a checkpoint already has the third decoder layer."""
    return f"decoder.layers.{LAYERS}.fc1.bias" in weights


def deepen(weights: Weights) -> Weights:
    """Insert a decoder layer before the last one: a copy of the first that adds nothing yet.

    With it the decoder tells which of several equal words it has just written, so that it neither
    skips nor repeats ("nine four nine four").
    """
    last, new = "decoder.layers.1.", "decoder.layers.2."
    deep = {name.replace(last, new): weight for name, weight in weights.items()}
    for name, weight in weights.items():
        if name.startswith("decoder.layers.0."):
            silent = "out_proj" in name or "fc2" in name
            copy = torch.zeros_like(weight) if silent else weight.clone()
            deep[name.replace("layers.0", "layers.1")] = copy
    return deep
