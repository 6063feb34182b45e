"""Write trained checkpoints as a CTranslate2 folder that stock faster-whisper loads.

    python -m demo.training.export --checkpoint final.pt final2.pt --out whisper-demo

The folder has Whisper's full multilingual vocabulary (51 865 tokens): the trained tokens get their
embeddings, all others one that yields logit -40, so that they are never written. The vocabulary is
not trimmed, because programs around Whisper rely on the usual token ids.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from ctranslate2.specs import attention_spec, common_spec, transformer_spec, whisper_spec

from demo.training.attention import sinusoids
from demo.training.tokenizer_file import build_tokenizer, token_list
from demo.training.whisper_model import FRAMES, POSITIONS

Floats = npt.NDArray[np.float32]
NEVER = -40.0  # logit of a token that was not trained
PREPROCESSOR = {
    "chunk_length": 30,
    "feature_size": 80,
    "hop_length": 160,
    "n_fft": 400,
    "sampling_rate": 16_000,
}


class Weights:
    """The mean of several checkpoints of one descent, which is better than either."""

    def __init__(self, paths: list[Path]) -> None:
        loaded: list[dict[str, Any]] = [torch.load(path, weights_only=True) for path in paths]
        first = loaded[0]
        self.width, self.heads, self.ids = first["D"], first["heads"], first["ids"]
        self.layers = {"encoder": first["layers"], "decoder": first["decoder_layers"]}
        self._mean = {
            name: np.mean([found["model"][name].float().numpy() for found in loaded], axis=0)
            for name in first["model"]
        }

    def __getitem__(self, name: str) -> Floats:
        return self._mean[name]


@dataclass(frozen=True)
class Projections:
    """The linear parts of one attention that CTranslate2 wants as one matrix."""

    weights: list[Floats]
    biases: list[Floats]

    def fill(self, spec: common_spec.LinearSpec) -> None:
        """Write them into the model's specification, one below the other."""
        spec.weight, spec.bias = np.concatenate(self.weights), np.concatenate(self.biases)


def _fill_linear(spec: common_spec.LinearSpec, weights: Weights, name: str) -> None:
    spec.weight, spec.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _fill_norm(spec: common_spec.LayerNormSpec, weights: Weights, name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _fill_attention(
    spec: attention_spec.MultiHeadAttentionSpec, weights: Weights, name: str, *, cross: bool
) -> None:
    """Self-attention joins q, k and v; cross-attention only k and v. k has no bias in Whisper."""
    q, k, v = (weights[f"{name}.{part}_proj.weight"] for part in "qkv")
    q_bias, v_bias = weights[f"{name}.q_proj.bias"], weights[f"{name}.v_proj.bias"]
    k_bias = np.zeros_like(q_bias)
    if cross:
        Projections([q], [q_bias]).fill(spec.linear[0])
        Projections([k, v], [k_bias, v_bias]).fill(spec.linear[1])
    else:
        Projections([q, k, v], [q_bias, k_bias, v_bias]).fill(spec.linear[0])
    _fill_linear(spec.linear[-1], weights, f"{name}.out_proj")
    _fill_norm(spec.layer_norm, weights, f"{name}_layer_norm")


def _fill_layers(
    spec: transformer_spec.TransformerEncoderSpec | transformer_spec.TransformerDecoderSpec,
    weights: Weights,
    side: str,
) -> None:
    _fill_norm(spec.layer_norm, weights, f"{side}.layer_norm")
    for i, layer in enumerate(spec.layer):
        name = f"{side}.layers.{i}"
        _fill_attention(layer.self_attention, weights, f"{name}.self_attn", cross=False)
        if side == "decoder":
            _fill_attention(layer.attention, weights, f"{name}.encoder_attn", cross=True)
        _fill_linear(layer.ffn.linear_0, weights, f"{name}.fc1")
        _fill_linear(layer.ffn.linear_1, weights, f"{name}.fc2")
        _fill_norm(layer.ffn.layer_norm, weights, f"{name}.final_layer_norm")


def embedding_table(weights: Weights, tokens: list[str]) -> Floats:
    """(tokens, width): trained tokens, timestamps, and NEVER in the channel that is always 1."""
    table = np.zeros((len(tokens), weights.width), np.float32)
    table[:, -1] = NEVER
    table[weights.ids] = weights["tokens"]
    first = tokens.index("<|0.00|>")
    times = POSITIONS.numpy() @ weights["times.weight"].T + weights["times.bias"]
    table[first : first + FRAMES + 1] = times * 0.5
    return table


def _fill(spec: whisper_spec.WhisperSpec, weights: Weights, table: Floats) -> None:
    for name in ("conv1", "conv2"):
        _fill_linear(getattr(spec.encoder, name), weights, f"encoder.{name}")
    positions = sinusoids(FRAMES, weights.width).numpy()
    spec.encoder.position_encodings.encodings = positions
    spec.decoder.position_encodings.encodings = weights["decoder.embed_positions.weight"]
    spec.decoder.embeddings.weight = table
    spec.decoder.projection.weight = table
    _fill_layers(spec.encoder, weights, "encoder")
    _fill_layers(spec.decoder, weights, "decoder")


def _is_language(token: str) -> bool:
    name = token[2:-2]
    return token.startswith("<|") and name.isalpha() and 2 <= len(name) <= 3


def _configure(spec: whisper_spec.WhisperSpec, tokens: list[str]) -> None:
    spec.register_vocabulary(tokens)
    spec.config.lang_ids = [i for i, token in enumerate(tokens) if _is_language(token)]
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [tokens.index("Ġ"), tokens.index("<|endoftext|>")]
    spec.config.alignment_heads = [[len(spec.decoder.layer) - 1, 0]]  # the head that was guided


def export(checkpoints: list[Path], out: Path, quantization: str) -> None:
    """Write the model folder; several checkpoints are averaged."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer, weights = build_tokenizer(), Weights(checkpoints)
    tokenizer.save(str(out / "tokenizer.json"))
    tokens, layers = token_list(tokenizer), weights.layers
    heads = weights.heads
    spec = whisper_spec.WhisperSpec(layers["encoder"], heads, layers["decoder"], heads)
    _fill(spec, weights, embedding_table(weights, tokens))
    _configure(spec, tokens)
    spec.validate()
    spec.optimize(quantization=quantization)
    spec.save(str(out))
    (out / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    size = sum(path.stat().st_size for path in out.iterdir())
    trained = len(weights.ids)
    print(f"{out}: {trained} trained tokens of {len(tokens)}, {size / 1e6:.1f} MB")


def main() -> None:
    """Export the checkpoints that the command line names."""
    parser = argparse.ArgumentParser(description="Write checkpoints as a CTranslate2 folder.")
    parser.add_argument("--checkpoint", type=Path, required=True, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quantization", default="int8")
    options = parser.parse_args()
    export(options.checkpoint, options.out, options.quantization)


if __name__ == "__main__":
    main()
