"""pyannote's segmentation-3.0 as an ONNX graph, from its weights.

PyanNet (Bredin, pyannote.audio 3): SincNet filters, three convolutions, four bidirectional LSTM
layers, two linear layers, seven classes: no speaker, each of three speakers, each pair of them.
"""

import numpy as np
import numpy.typing as npt

from .checkpoint import Tensors
from .onnx_graph import Graph

LSTM_LAYERS = 4
CLASSES = 7
_SAMPLE_RATE_HZ = 16_000
_LOWEST_HZ = _NARROWEST_HZ = 50.0  # of SincNet's bands
_SLOPE = 0.01  # of torch's leaky ReLU
_EPSILON = 1e-5  # of torch's instance norm


def segmentation_graph(weights: Tensors) -> bytes:
    """`waveform` (N, 1, samples) at 16 kHz → `activity` (N, frames, 7), log probabilities.

    Raises:
        KeyError: a weight is missing.
    """
    graph = Graph("segmentation-3.0", {"license": "MIT", "source": "pyannote/segmentation-3.0"})
    x = graph.input("waveform", ("N", 1, "samples"))
    x = _normalised(graph, x, "sincnet.wav_norm1d", weights)
    x = graph.add("Conv", (x, graph.constant("sinc", sinc_filters(weights))), strides=(10,))
    x = _pooled(graph, graph.add("Abs", (x,)), 0, weights)
    for layer in (1, 2):
        names = [f"sincnet.conv1d.{layer}.{part}" for part in ("weight", "bias")]
        parts = (graph.constant(name, weights[name]) for name in names)
        x = _pooled(graph, graph.add("Conv", (x, *parts)), layer, weights)
    x = graph.add("Transpose", (x,), perm=(2, 0, 1))  # frames, N, features
    for layer in range(LSTM_LAYERS):
        x = _lstm(graph, x, layer, weights)
    x = graph.add("Transpose", (x,), perm=(1, 0, 2))
    for name in ("linear.0", "linear.1"):
        x = graph.add("LeakyRelu", (_linear(graph, x, name, weights),), alpha=_SLOPE)
    x = graph.add("LogSoftmax", (_linear(graph, x, "classifier", weights),), axis=-1)
    graph.output(x, "activity", ("N", "frames", CLASSES))
    return bytes(graph)


def sinc_filters(weights: Tensors) -> npt.NDArray[np.float32]:
    """SincNet's band-pass filters (80, 1, 251): 40 even and 40 odd ones for the same bands.

    Computed as in `asteroid_filterbanks.ParamSincFB` 0.4 from two learned numbers per band.
    """
    low_hz, band_hz, window, n = (
        weights[f"sincnet.conv1d.0.filterbank.{name}"].astype(np.float64)
        for name in ("low_hz_", "band_hz_", "window_", "n_")
    )
    low = _LOWEST_HZ + np.abs(low_hz)
    high = np.clip(low + _NARROWEST_HZ + np.abs(band_hz), _LOWEST_HZ, _SAMPLE_RATE_HZ / 2)
    width = (high - low)[:, 0]
    at_low, at_high = low @ n, high @ n
    even = (np.sin(at_high) - np.sin(at_low)) / (n / 2) * window
    odd = (np.cos(at_low) - np.cos(at_high)) / (n / 2) * window
    middle = 2 * width[:, None]
    cosines = np.concatenate([even, middle, even[:, ::-1]], 1)
    sines = np.concatenate([odd, np.zeros_like(middle), -odd[:, ::-1]], 1)
    filters = np.concatenate([cosines, sines]) / (2 * np.tile(width, 2)[:, None])
    return filters[:, None].astype(np.float32)


def _pooled(graph: Graph, x: str, layer: int, weights: Tensors) -> str:
    x = graph.add("MaxPool", (x,), kernel_shape=(3,), strides=(3,))
    x = _normalised(graph, x, f"sincnet.norm1d.{layer}", weights)
    return graph.add("LeakyRelu", (x,), alpha=_SLOPE)


def _normalised(graph: Graph, x: str, name: str, weights: Tensors) -> str:
    parts = (graph.constant(f"{name}.{p}", weights[f"{name}.{p}"]) for p in ("weight", "bias"))
    return graph.add("InstanceNormalization", (x, *parts), epsilon=_EPSILON)


def _linear(graph: Graph, x: str, name: str, weights: Tensors) -> str:
    matrix = graph.constant(f"{name}.weight", weights[f"{name}.weight"].T)
    x = graph.add("MatMul", (x, matrix))
    return graph.add("Add", (x, graph.constant(f"{name}.bias", weights[f"{name}.bias"])))


def _lstm(graph: Graph, x: str, layer: int, weights: Tensors) -> str:
    """One bidirectional layer, (frames, N, features) → (frames, N, 2 x hidden)."""

    def both_ways(*names: str) -> npt.NDArray[np.float32]:
        ways = ("", "_reverse")
        return np.stack(
            [
                np.concatenate([_gates(weights[f"lstm.{n}_l{layer}{way}"]) for n in names])
                for way in ways
            ]
        )

    inputs = (
        x,
        graph.constant(f"lstm.{layer}.input", both_ways("weight_ih")),
        graph.constant(f"lstm.{layer}.recurrent", both_ways("weight_hh")),
        graph.constant(f"lstm.{layer}.bias", both_ways("bias_ih", "bias_hh")),
    )
    hidden = weights["lstm.weight_hh_l0"].shape[1]
    x = graph.add("LSTM", inputs, direction="bidirectional", hidden_size=hidden)
    x = graph.add("Transpose", (x,), perm=(0, 2, 1, 3))  # frames, N, ways, hidden
    return graph.add("Reshape", (x, graph.constant("joined", np.array([0, 0, -1]))))


def _gates(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Reorder gates: torch has input, forget, cell, output; ONNX input, output, forget, cell."""
    entry, forget, cell, out = np.split(weights, 4)
    return np.concatenate([entry, out, forget, cell])
