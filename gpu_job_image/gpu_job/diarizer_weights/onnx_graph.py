"""Writes ONNX files: the part of the format that the two networks need.

The fields are those of onnx.proto3 (ONNX 1.14, IR version 8, operator set 17), written as protocol
buffers: a key of field number and wire type, then a number or a length and its bytes. The package
`onnx` would add 18 MB to every installation.
"""

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

IR_VERSION = 8
OPERATOR_SET = 17
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_STRING, _ATTRIBUTE_INTS = 1, 2, 3, 7

Attribute = float | int | str | tuple[int, ...]


class Graph:
    """A network built node by node; `bytes(graph)` is the ONNX file."""

    def __init__(self, name: str, metadata: dict[str, str]) -> None:
        self._name, self._metadata = name, metadata
        self._nodes: list[bytes] = []
        self._constants: dict[str, bytes] = {}
        self._ends: list[bytes] = []
        self._count = 0

    def add(self, kind: str, inputs: Iterable[str], **attributes: Attribute) -> str:
        """Add a node with one output; returns the output's name."""
        self._count += 1
        output = f"{kind}_{self._count}"
        self._nodes.append(
            b"".join(_text(1, each) for each in inputs)
            + _text(2, output)
            + _text(3, output)
            + _text(4, kind)
            + b"".join(_part(5, _attribute(k, v)) for k, v in attributes.items())
        )
        return output

    def constant(self, name: str, values: npt.ArrayLike) -> str:
        """Add weights, or integers such as a shape; returns the name."""
        array = np.asarray(values)
        kind, dtype = (_INT64, "<i8") if array.dtype.kind in "iu" else (_FLOAT, "<f4")
        self._constants[name] = (
            b"".join(_number(1, size) for size in array.shape)
            + _number(2, kind)
            + _text(8, name)
            + _part(9, np.ascontiguousarray(array, dtype).tobytes())
        )
        return name

    def input(self, name: str, shape: tuple[int | str, ...]) -> str:
        """Add a float32 input; a string as a size means any size."""
        self._ends.append(_part(11, _value(name, shape)))
        return name

    def output(self, node: str, name: str, shape: tuple[int | str, ...]) -> None:
        """Make the output of a node an output of the graph with this name."""
        self._nodes.append(_text(1, node) + _text(2, name) + _text(4, "Identity"))
        self._ends.append(_part(12, _value(name, shape)))

    def __bytes__(self) -> bytes:
        graph = (
            b"".join(_part(1, node) for node in self._nodes)
            + _text(2, self._name)
            + b"".join(_part(5, constant) for constant in self._constants.values())
            + b"".join(self._ends)
        )
        pairs = (_text(1, k) + _text(2, v) for k, v in self._metadata.items())
        return (
            _number(1, IR_VERSION)
            + _text(2, "escriba")
            + _part(7, graph)
            + _part(8, _number(2, OPERATOR_SET))
            + b"".join(_part(14, pair) for pair in pairs)
        )


def _attribute(name: str, value: Attribute) -> bytes:
    match value:
        case bool() | int():
            body, kind = _number(3, int(value)), _ATTRIBUTE_INT
        case float():
            body, kind = _varint(2 << 3 | 5) + struct.pack("<f", value), _ATTRIBUTE_FLOAT
        case str():
            body, kind = _text(4, value), _ATTRIBUTE_STRING
        case _:
            body, kind = b"".join(_number(8, each) for each in value), _ATTRIBUTE_INTS
    return _text(1, name) + body + _number(20, kind)


def _value(name: str, shape: tuple[int | str, ...]) -> bytes:
    sizes = (_number(1, s) if isinstance(s, int) else _text(2, s) for s in shape)
    dimensions = b"".join(_part(1, size) for size in sizes)
    tensor = _number(1, _FLOAT) + _part(2, dimensions)
    return _text(1, name) + _part(2, _part(1, tensor))


def _part(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _text(field: int, text: str) -> bytes:
    return _part(field, text.encode())


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value % (1 << 64))


def _varint(value: Any) -> bytes:  # noqa: ANN401  # int or a NumPy integer
    value, out = int(value), bytearray()
    while value > 127:  # noqa: PLR2004  # seven bits a byte
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
