"""CAM++ as an ONNX graph, from its weights: a voice embedding with 192 dimensions.

Wang et al., CAM++ (2023); the network of 3D-Speaker's speech_campplus_sv_zh_en_16k-common_advanced:
a small residual network over time and frequency, then three blocks of densely connected layers,
each weighed by its context, then the mean and the deviation over time.
"""

import numpy as np

from .checkpoint import Tensors
from .onnx_graph import Graph

DIMENSION = 192
MEL_BANDS = 80
_BLOCKS = ((12, 1), (24, 2), (16, 2))  # layers and dilation of each
_CONTEXT_FRAMES = 100  # segment length of the local mean, added to the global mean
_EPSILON = 1e-5  # of torch's batch norm


def voiceprint_graph(weights: Tensors) -> bytes:
    """`mel` (N, frames, 80), mean 0 over time → `voice` (N, 192), not of unit length.

    Raises:
        KeyError: a weight is missing.
    """
    return _CamPlusPlus(weights).build()


class _CamPlusPlus:
    def __init__(self, weights: Tensors) -> None:
        self._weights = weights
        source = "iic/speech_campplus_sv_zh_en_16k-common_advanced"
        self._graph = Graph("CAM++", {"license": "Apache-2.0", "source": source})

    def build(self) -> bytes:
        graph = self._graph
        x = graph.input("mel", ("N", "frames", MEL_BANDS))
        x = self._head(graph.add("Transpose", (x,), perm=(0, 2, 1)))
        x = self._conv(x, "xvector.tdnn.linear", strides=(2,), pads=(2, 2))
        x = self._active(x, "xvector.tdnn.nonlinear.batchnorm")
        for block, (layers, dilation) in enumerate(_BLOCKS, 1):
            for layer in range(1, layers + 1):
                grown = self._layer(x, f"xvector.block{block}.tdnnd{layer}", dilation)
                x = graph.add("Concat", (x, grown), axis=1)
            x = self._active(x, f"xvector.transit{block}.nonlinear.batchnorm")
            x = self._conv(x, f"xvector.transit{block}.linear")
        x = self._statistics(self._active(x, "xvector.out_nonlinear.batchnorm"))
        x = self._conv(x, "xvector.dense.linear")
        x = self._batch_norm(x, "xvector.dense.nonlinear.batchnorm")
        x = graph.add("Squeeze", (x, graph.constant("time", np.array([2]))))
        graph.output(x, "voice", ("N", DIMENSION))
        return bytes(graph)

    def _head(self, x: str) -> str:
        """(N, 80, frames) → (N, 320, frames)."""
        graph = self._graph
        x = graph.add("Unsqueeze", (x, graph.constant("channel", np.array([1]))))
        x = self._conv(x, "head.conv1", pads=(1, 1, 1, 1))
        x = self._active(x, "head.bn1")
        for layer in (1, 2):
            x = self._residual(x, f"head.layer{layer}.0", stride=2)
            x = self._residual(x, f"head.layer{layer}.1", stride=1)
        x = self._conv(x, "head.conv2", pads=(1, 1, 1, 1), strides=(2, 1))
        x = self._active(x, "head.bn2")
        flat = graph.constant("flat", np.array([0, 32 * MEL_BANDS // 8, -1]))
        return graph.add("Reshape", (x, flat))

    def _residual(self, x: str, name: str, stride: int) -> str:
        y = self._conv(x, f"{name}.conv1", pads=(1, 1, 1, 1), strides=(stride, 1))
        y = self._active(y, f"{name}.bn1")
        y = self._batch_norm(self._conv(y, f"{name}.conv2", pads=(1, 1, 1, 1)), f"{name}.bn2")
        if stride > 1:
            x = self._conv(x, f"{name}.shortcut.0", strides=(stride, 1))
            x = self._batch_norm(x, f"{name}.shortcut.1")
        return self._graph.add("Relu", (self._graph.add("Add", (x, y)),))

    def _layer(self, x: str, name: str, dilation: int) -> str:
        """32 new channels, each weighted by its context."""
        graph = self._graph
        x = self._active(x, f"{name}.nonlinear1.batchnorm")
        x = self._active(self._conv(x, f"{name}.linear1"), f"{name}.nonlinear2.batchnorm")
        local = self._conv(
            x,
            f"{name}.cam_layer.linear_local",
            dilations=(dilation,),
            pads=(dilation, dilation),
        )
        mean = graph.add("ReduceMean", (x,), axes=(-1,), keepdims=1)
        context = graph.add("Add", (mean, self._stretches(x)))
        context = graph.add("Relu", (self._conv(context, f"{name}.cam_layer.linear1"),))
        weight = graph.add("Sigmoid", (self._conv(context, f"{name}.cam_layer.linear2"),))
        return graph.add("Mul", (local, weight))

    def _stretches(self, x: str) -> str:
        """The mean of each segment of 100 frames, repeated; the last one may be shorter."""
        graph = self._graph
        means = graph.add(
            "AveragePool",
            (x,),
            kernel_shape=(_CONTEXT_FRAMES,),
            strides=(_CONTEXT_FRAMES,),
            ceil_mode=1,
        )
        means = graph.add("Unsqueeze", (means, graph.constant("last", np.array([3]))))
        room = graph.constant("stretch", np.array([1, 1, 1, _CONTEXT_FRAMES]))
        means = graph.add("Expand", (means, room))
        means = graph.add("Reshape", (means, graph.constant("joined", np.array([0, 0, -1]))))
        shape = graph.add("Shape", (x,), start=2, end=3)
        start = graph.constant("zero", np.array([0]))
        return graph.add("Slice", (means, start, shape, graph.constant("axis", np.array([2]))))

    def _statistics(self, x: str) -> str:
        """Mean and unbiased deviation over time, (N, 2 x channels, 1)."""
        graph = self._graph
        mean = graph.add("ReduceMean", (x,), axes=(-1,), keepdims=1)
        apart = graph.add("Sub", (x, mean))
        squares = graph.add("ReduceSumSquare", (apart,), axes=(-1,), keepdims=1)
        frames = graph.add("Cast", (graph.add("Shape", (x,), start=2, end=3),), to=1)
        less = graph.add("Sub", (frames, graph.constant("one", np.array([1.0]))))
        deviation = graph.add("Sqrt", (graph.add("Div", (squares, less)),))
        return graph.add("Concat", (mean, deviation), axis=1)

    def _conv(self, x: str, name: str, **how: tuple[int, ...]) -> str:
        names = [
            f"{name}.{part}" for part in ("weight", "bias") if f"{name}.{part}" in self._weights
        ]
        parts = [self._graph.constant(each, self._weights[each]) for each in names]
        return self._graph.add("Conv", (x, *parts), **how)

    def _active(self, x: str, name: str) -> str:
        return self._graph.add("Relu", (self._batch_norm(x, name),))

    def _batch_norm(self, x: str, name: str) -> str:
        mean, variance = (self._weights[f"{name}.running_{part}"] for part in ("mean", "var"))
        scale = self._weights.get(f"{name}.weight", np.ones_like(mean))
        bias = self._weights.get(f"{name}.bias", np.zeros_like(mean))
        parts = {"scale": scale, "bias": bias, "mean": mean, "variance": variance}
        names = [self._graph.constant(f"{name}.{key}", value) for key, value in parts.items()]
        return self._graph.add("BatchNormalization", (x, *names), epsilon=_EPSILON)
