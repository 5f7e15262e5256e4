"""dlib's face recognition ResNet, read from dlib's own file, for ONNX Runtime.

>>> read_network(b"nothing of the kind")
Traceback (most recent call last):
ValueError: there is no con_4 in it

dlib's wheels compute without BLAS; the same network takes a seventeenth of the time here. Its
shape is `anet_type` of dlib's tools/python/src/face_recognition.cpp: 29 convolutions, each with an
affine layer behind it, which is folded in; where a block halves the picture, its input is averaged
down and, like the block's own result, filled with zeros up to the larger of the two (`add_prev` of
dlib/dnn/layers.h). The file holds each layer's name and its numbers, in order of computation
(`serialize` in dlib/dnn/layers.h and tensor.h, version 2: little-endian float32).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assent.kit.faces._onnx import Graph

__all__ = ["SIDE", "read_network"]

SIDE = 150
"""Side in pixels of the face that the network takes."""

_NUMBERS = 128
_FIRST = (32, 3, 7)
_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Filters, blocks, and whether the first block halves the picture."""

# input_rgb_image of dlib/dnn/input.h: the mean colour that is taken off, and the scale.
_MEAN = np.array([122.782, 117.001, 104.298])
_SCALE = 256.0

_Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Map:
    """A feature map in the graph: its name, channels and side."""

    name: str
    channels: int
    side: int


def read_network(data: bytes) -> bytes:
    """The ONNX model of weights in dlib's format; raises ValueError if `data` are something else.

    Input `chip`: uint8 [150, 150, 3], RGB. Output `embedding`: float32 [128].
    """
    weights, graph = _Weights(data), Graph()
    picture = graph.add("Transpose", "chip", perm=[2, 0, 1])
    picture = graph.add("Unsqueeze", picture, graph.constant(np.array([0])))
    found = _Map(graph.add("Cast", picture, to=1), 3, SIDE)
    found = _first(graph, weights, found)
    for filters, blocks, halves in _LEVELS:
        for number in range(blocks):
            found = _block(graph, weights, found, filters, halves and number == 0)
    mean = graph.add("ReduceMean", found.name, axes=[0, 2, 3], keepdims=0)
    matrix = weights.matrix(found.channels, _NUMBERS)
    graph.add("MatMul", mean, graph.constant(matrix), output="embedding")
    return graph.model(("chip", np.uint8, (SIDE, SIDE, 3)), ("embedding", np.float32, (_NUMBERS,)))


class _Weights:
    """Walks through the file from one layer with numbers to the next."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def _next(self, layer: str, count: int) -> _Floats:
        """The `count` numbers of the next layer of that name."""
        self._find(layer)
        return self._tensor(layer, count)

    def _find(self, layer: str) -> None:
        mark = bytes([1, len(layer)]) + layer.encode()
        found = self._data.find(mark, self._place)
        if found < 0:
            raise ValueError(f"there is no {layer} in it")
        self._place = found + len(mark)

    def _tensor(self, layer: str, count: int) -> _Floats:
        version, *shape = (self._integer() for _ in range(5))
        end = self._place + 4 * count
        if version != 2 or int(np.prod(shape)) != count or end > len(self._data):
            raise ValueError(f"{layer} has another shape")
        numbers = np.frombuffer(self._data[self._place : end], "<f4")
        self._place = end
        return numbers

    def matrix(self, channels: int, numbers: int) -> _Floats:
        """What turns `channels` means into `numbers`: [channels, numbers]."""
        self._find("fc_2")
        if [self._integer(), self._integer()] != [numbers, channels]:
            raise ValueError("fc_2 has another shape")
        return self._tensor("fc_2", channels * numbers).reshape(channels, numbers)

    def _integer(self) -> int:
        """A byte that tells the length, and that many bytes, the lowest first."""
        start = self._place + 1
        length = (self._data[self._place : start] or b"\0")[0]
        self._place = start + length
        return int.from_bytes(self._data[start : self._place], "little")

    def convolution(self, filters: int, channels: int, side: int) -> tuple[_Floats, _Floats]:
        """Kernels [filters, channels, side, side] and offsets, with the affine layer behind."""
        size = filters * channels * side * side
        numbers = self._next("con_4", size + filters)
        gain, offset = self._next("affine_", 2 * filters).reshape(2, filters)
        kernels = numbers[:size].reshape(filters, channels, side, side)
        return kernels * gain[:, None, None, None], numbers[size:] * gain + offset


def _first(graph: Graph, weights: _Weights, picture: _Map) -> _Map:
    filters, channels, side = _FIRST
    kernels, offsets = weights.convolution(filters, channels, side)
    kernels = (kernels / _SCALE).astype(np.float32)
    offsets = (offsets - np.einsum("fcyx,c->f", kernels, _MEAN)).astype(np.float32)
    found = _convolve(graph, picture, kernels, offsets, stride=2)
    pooled = graph.add("MaxPool", _relu(graph, found).name, kernel_shape=[3, 3], strides=[2, 2])
    return _Map(pooled, filters, (found.side - 3) // 2 + 1)


def _block(graph: Graph, weights: _Weights, found: _Map, filters: int, halves: bool) -> _Map:
    inner = _convolve(
        graph, found, *weights.convolution(filters, found.channels, 3), stride=1 + halves
    )
    inner = _relu(graph, inner)
    inner = _convolve(graph, inner, *weights.convolution(filters, filters, 3), stride=1)
    past = found
    if halves:
        name = graph.add("AveragePool", found.name, kernel_shape=[2, 2], strides=[2, 2])
        past = _Map(name, found.channels, found.side // 2)
    channels, side = max(inner.channels, past.channels), max(inner.side, past.side)
    names = [_filled(graph, one, channels, side) for one in (inner, past)]
    return _relu(graph, _Map(graph.add("Add", *names), channels, side))


def _convolve(
    graph: Graph, found: _Map, kernels: _Floats, offsets: _Floats, *, stride: int
) -> _Map:
    filters, _, side, _ = kernels.shape
    # dlib's default: only a convolution that keeps the size reaches beyond the edge.
    margin = side // 2 if stride == 1 else 0
    name = graph.add(
        "Conv", found.name, graph.constant(kernels), graph.constant(offsets),
        strides=[stride] * 2, pads=[margin] * 4,
    )  # fmt: skip
    return _Map(name, filters, (found.side + 2 * margin - side) // stride + 1)


def _relu(graph: Graph, found: _Map) -> _Map:
    return _Map(graph.add("Relu", found.name), found.channels, found.side)


def _filled(graph: Graph, found: _Map, channels: int, side: int) -> str:
    more = [0, channels - found.channels, side - found.side, side - found.side]
    if not any(more):
        return found.name
    return graph.add("Pad", found.name, graph.constant(np.array([0, 0, 0, 0, *more])))
