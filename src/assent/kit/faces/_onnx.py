"""Write a small network down in ONNX's format, which is Protocol Buffers.

>>> graph = Graph()
>>> name = graph.add("Relu", "x", output="y")
>>> len(graph.model(("x", np.float32, (4,)), ("y", np.float32, (4,))))
65

The package `onnx` is large and needed for training only. Field numbers are those of
onnx/onnx.proto3 (https://github.com/onnx/onnx), the encoding that of
https://protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Graph", "Tensor"]

Tensor = tuple[str, type[np.generic], tuple[int, ...]]
"""Name, type and shape of an input or output."""

_IR_VERSION, _OPSET = 8, 13
_TYPES: dict[Any, int] = {
    np.dtype(np.float32): 1,
    np.dtype(np.uint8): 2,
    np.dtype(np.int64): 7,
}
_INTEGER, _INTEGERS = 2, 7


class Graph:
    """A network as it grows: nodes in order of computation, and constants."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._count = 0

    def add(
        self, kind: str, *inputs: str, output: str = "", **attributes: int | Sequence[int]
    ) -> str:
        """Add a node with one output; returns that output's name."""
        output = output or self._name()
        node = b"".join(_field(1, name.encode()) for name in inputs)
        node += _field(2, output.encode()) + _field(4, kind.encode())
        node += b"".join(_field(5, _attribute(name, of)) for name, of in attributes.items())
        self._parts.append(_field(1, node))
        return output

    def constant(self, values: NDArray[Any]) -> str:
        """Add a constant float32 or int64 array; returns its name."""
        name = self._name()
        tensor = b"".join(_field(1, size) for size in values.shape)
        tensor += _field(2, _TYPES[values.dtype]) + _field(8, name.encode())
        little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        self._parts.append(_field(5, tensor + _field(9, little.tobytes())))
        return name

    def model(self, takes: Tensor, gives: Tensor) -> bytes:
        """The whole file of a network with one input and one output."""
        graph = b"".join(self._parts) + _field(2, b"network")
        graph += _field(11, _value(takes)) + _field(12, _value(gives))
        return _field(1, _IR_VERSION) + _field(7, graph) + _field(8, _field(2, _OPSET))

    def _name(self) -> str:
        self._count += 1
        return f"x{self._count}"


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    start = _field(1, name.encode())
    if isinstance(value, int):
        return start + _field(3, value) + _field(20, _INTEGER)
    return start + b"".join(_field(8, one) for one in value) + _field(20, _INTEGERS)


def _value(tensor: Tensor) -> bytes:
    name, kind, shape = tensor
    sizes = b"".join(_field(1, _field(1, size)) for size in shape)
    of = _field(1, _TYPES[np.dtype(kind)]) + _field(2, sizes)
    return _field(1, name.encode()) + _field(2, _field(1, of))


def _field(number: int, value: int | bytes) -> bytes:
    """A field of the message: an integer from 0 on, or bytes, a message among them."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the highest bit says that more follow."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
