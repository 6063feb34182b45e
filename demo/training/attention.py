"""The transformer layer of Whisper; names follow the transformers library's Whisper."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH, HEADS = 96, 4
HEAD_WIDTH = WIDTH // HEADS


def sinusoids(positions: int, width: int) -> Tensor:
    """Whisper's position table, (positions, width): sines, then cosines."""
    slowest = -math.log(10_000) / (width // 2 - 1)
    rates = torch.exp(slowest * torch.arange(width // 2).float())
    angles = torch.arange(positions).float()[:, None] * rates[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


class Attention(nn.Module):
    """Multi-head attention, within one sequence or from one to another."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj, self.k_proj = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH, bias=False)
        self.v_proj, self.out_proj = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], -1, HEADS, HEAD_WIDTH).transpose(1, 2)

    def _project(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.q_proj(x), self.k_proj(memory), self.v_proj(memory)
        return self._heads(q), self._heads(k), self._heads(v)

    def _join(self, heads: Tensor) -> Tensor:
        return self.out_proj(heads.transpose(1, 2).flatten(2))

    def within(self, x: Tensor, *, causal: bool) -> Tensor:
        """Self-attention over x (batch, length, WIDTH)."""
        q, k, v = self._project(x, x)
        return self._join(functional.scaled_dot_product_attention(q, k, v, is_causal=causal))

    def across(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """From x to memory; also the weights, (batch, heads, length of x, length of memory)."""
        q, k, v = self._project(x, memory)
        weights = functional.softmax(q @ k.transpose(-1, -2) / math.sqrt(HEAD_WIDTH), -1)
        return self._join(weights @ v), weights


class _Layer(nn.Module):
    """What both kinds of layer have; made in this order, since the weights are seeded."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn, self.self_attn_layer_norm = Attention(), nn.LayerNorm(WIDTH)

    def _add_feed_forward(self) -> None:
        self.fc1, self.fc2 = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.final_layer_norm = nn.LayerNorm(WIDTH)

    def _attend(self, x: Tensor, *, causal: bool) -> Tensor:
        return x + self.self_attn.within(self.self_attn_layer_norm(x), causal=causal)

    def _feed(self, x: Tensor) -> Tensor:
        return x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))


class EncoderLayer(_Layer):
    """Self-attention and a feed-forward part, normalised before each."""

    def __init__(self) -> None:
        super().__init__()
        self._add_feed_forward()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, length, WIDTH) to the same."""
        return self._feed(self._attend(x, causal=False))


class DecoderLayer(_Layer):
    """Causal self-attention, attention to the encoder, and a feed-forward part."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder_attn, self.encoder_attn_layer_norm = Attention(), nn.LayerNorm(WIDTH)
        self._add_feed_forward()

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, length, WIDTH) to the same, and the cross-attention weights."""
        x = self._attend(x, causal=True)
        heard, weights = self.encoder_attn.across(self.encoder_attn_layer_norm(x), memory)
        return self._feed(x + heard), weights


def start_local(attention: Attention, offsets: list[int], gain: float = 1.9) -> None:
    """Let head h look `offsets[h]` positions of 20 ms away before any training.

    The phase of a sinusoid position turns by a fixed angle for each offset, so a rotation in the
    keys is a shift in time. It saves some thousand steps in which attention would find that out.
    """
    pairs, half = HEAD_WIDTH // 2, WIDTH // 2
    rates = torch.exp(-math.log(10_000) / (half - 1) * torch.arange(pairs).float())
    query, key = attention.q_proj.weight.data, attention.k_proj.weight.data
    query *= 0.2
    key *= 0.2
    for head, offset in enumerate(offsets):
        cosines, sines = (rates * offset).cos(), (rates * offset).sin()
        first = head * HEAD_WIDTH
        for k in range(pairs):
            sine_row, cosine_row = first + k, first + pairs + k
            query[sine_row, k] += gain
            query[cosine_row, half + k] += gain
            key[sine_row, k] += gain * cosines[k]
            key[sine_row, half + k] -= gain * sines[k]
            key[cosine_row, half + k] += gain * cosines[k]
            key[cosine_row, k] += gain * sines[k]
