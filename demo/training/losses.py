"""What the tiny Whisper is trained for: five losses; two of them need no decoder."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from demo.training.batches import Batch
from demo.training.whisper_model import FRAMES, TinyWhisper

WEIGHTS = {"phone": 0.5, "word": 0.5, "text": 1.0, "time": 0.4, "look": 0.2}
REACH = torch.arange(-5, 6)  # a timestamp may be off by up to 100 ms, at a falling price
BELL = torch.exp(-0.5 * (REACH.float() / 1.5) ** 2)
BELL /= BELL.sum()


@dataclass(frozen=True)
class Loss:
    """The losses by name, and the share of text tokens that were right."""

    parts: dict[str, Tensor]
    accuracy: float

    def total(self) -> Tensor:
        """The weighted sum, to be descended."""
        return sum(WEIGHTS[name] * part for name, part in self.parts.items())


def guided(weights: Tensor, spans: Tensor) -> Tensor:
    """-log of the attention within the span, over the positions that have one.

    Args:
        weights: (batch, length, positions), each row sums to 1.
        spans: (batch, length, 2).
    """
    position = torch.arange(weights.shape[-1])
    inside = (position >= spans[..., :1]) & (position < spans[..., 1:])
    known = inside.any(-1)
    if not known.any():
        return weights.sum() * 0
    return -(weights * inside).sum(-1)[known].clamp_min(1e-6).log().mean()


def encoder_losses(model: TinyWhisper, memory: Tensor, first: Tensor, batch: Batch) -> Loss:
    """Frame labels: phonemes after the first layer, words after the last."""
    phones, words = model.phone_head(first).flatten(0, 1), model.word_head(memory).flatten(0, 1)
    parts = {
        "phone": functional.cross_entropy(phones, batch.phones.flatten()),
        "word": functional.cross_entropy(words, batch.words.flatten()),
    }
    return Loss(parts, 0.0)


def _time_loss(log_probability: Tensor, targets: Tensor, first_time: int) -> Tensor:
    """A bell of probability around the right timestamp is asked for, not one exact step."""
    near = (targets[:, None] + REACH).clamp(first_time, first_time + FRAMES)
    return -(log_probability.gather(1, near) * BELL).sum(1).mean()


def _look_loss(maps: list[Tensor], spans: Tensor) -> Tensor:
    """Head 0 of the last layer finds the token to write, head 0 of the others the one just read."""
    writing = guided(maps[-1][:, 0], spans[:, 1:])
    return writing + sum(guided(weights[:, 0], spans[:, :-1]) for weights in maps[:-1])


def decoder_losses(model: TinyWhisper, memory: Tensor, batch: Batch) -> Loss:
    """Text tokens, timestamps, and where one head of each layer looks."""
    embeddings, first_time = model.embeddings(), model.tokens.shape[0]
    outputs, maps = model.decoder(embeddings[batch.tokens], memory)
    log_probability = functional.log_softmax(outputs @ embeddings.T, -1)
    targets = batch.targets
    is_text, is_time = (targets >= 0) & (targets < first_time), targets >= first_time
    text, wanted = log_probability[is_text], targets[is_text]
    timed, times = log_probability[is_time], targets[is_time]
    parts = {
        "text": functional.nll_loss(text, wanted),
        "time": _time_loss(timed, times, first_time) if len(times) else text.sum() * 0,
        "look": _look_loss(maps, batch.spans),
    }
    return Loss(parts, (text.argmax(1) == wanted).float().mean().item())


def losses(model: TinyWhisper, batch: Batch, *, encoder_only: bool) -> Loss:
    """All losses of a batch, or those of the encoder alone."""
    memory, states = model.encoder(batch.mel, batch.shift)
    heard = encoder_losses(model, memory, states[0], batch)
    if encoder_only:
        return heard
    written = decoder_losses(model, memory, batch)
    return Loss(heard.parts | written.parts, written.accuracy)
