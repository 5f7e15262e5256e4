"""Turn MediaPipe's Face Mesh with attention from TensorFlow Lite into the ONNX file that ships.

    python -m pip install tflite==2.18.0 onnx==1.23.2 mediapipe==0.10.21
    python tools/convert_face_mesh.py \\
        .../mediapipe/modules/face_landmark/face_landmark_with_attention.tflite \\
        src/assent/kit/faces/weights/face_mesh_attention.onnx

The operators are translated one by one; weights stay in half precision, as they are in the source.
Three operators are MediaPipe's own. What they compute is told in mediapipe/util/tflite/operations
of its sources (version 2 of each), and is said here in standard operators:

- `Landmarks2TransformMatrix`: the rotated box of some points, as a matrix from a 16x16 grid to the
  feature map;
- `TransformTensorBilinear`: the feature map read on that grid, which is GridSample;
- `TransformLandmarks`: points in that box brought back.

Around the network two steps of MediaPipe's graph are taken in: pixels are divided by 255, and
refined lips, eyes and irises are put into the mesh, as told in
mediapipe/modules/face_landmark/tensors_to_face_landmarks_with_attention.pbtxt.

Input `image`: uint8 [1, 192, 192, 3], RGB. Outputs `points`: float32 [478, 3], pixels of the input;
`score`: float32 [1], 0 to 1, how sure it is that there is a face.
"""

# ruff: noqa: ANN401 - neither tflite nor onnx tells its types.
import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from flatbuffers import flexbuffers
from onnx import TensorProto, helper, numpy_helper

SIDE = 192
MESH, IRIS = 468, 5
CONTOUR = 16
"""An eye's own contour: the first points of its refinement. They lend the iris their depth."""

NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}


class Graph:
    """The ONNX graph as it grows. Feature maps are [1, C, H, W] in it, all else keeps its shape."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._count = 0

    def add(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Add a node with one output; returns that output's name."""
        self._count += 1
        output = output or f"x{self._count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """Add a constant; floating ones in half precision, cast back when the file is loaded."""
        array = np.ascontiguousarray(np.asarray(value), dtype)
        self._count += 1
        name = f"c{self._count}"
        half = array.astype(np.float16) if array.dtype == np.float32 else array
        exact = array.dtype == np.float32 and np.array_equal(half.astype(np.float32), array)
        if exact and array.size > 1:
            self.constants.append(numpy_helper.from_array(half, name))
            return self.add("Cast", [name], to=TensorProto.FLOAT)
        self.constants.append(numpy_helper.from_array(array, name))
        return name


class Converter:
    """Walks the TensorFlow Lite graph in its own order, which is one of execution."""

    def __init__(self, data: bytes) -> None:
        self._model = tflite.Model.GetRootAsModel(data, 0)
        self._lite = self._model.Subgraphs(0)
        self.graph = Graph()
        self._names: dict[int, str] = {}
        self._values: dict[int, Any] = {}
        self.subsets: list[list[int]] = []

    def shape(self, tensor: int) -> list[int]:
        """Shape of a tensor in the source."""
        found = self._lite.Tensors(tensor)
        return [int(n) for n in found.ShapeAsNumpy()] if found.ShapeLength() else []

    def value(self, tensor: int) -> Any:
        """A constant of the source as an array; None if the tensor isn't constant."""
        if tensor in self._values:
            return self._values[tensor]
        found = self._lite.Tensors(tensor)
        buffer = self._model.Buffers(found.Buffer())
        if not buffer.DataLength():
            return None
        dtype = {tflite.TensorType.FLOAT16: "<f2", tflite.TensorType.INT32: "<i4"}[found.Type()]
        return buffer.DataAsNumpy().view(dtype).reshape(self.shape(tensor))

    def run(self) -> None:
        """Translate every operator."""
        graph = self.graph
        pixels = graph.add("Cast", ["image"], to=TensorProto.FLOAT)
        pixels = graph.add("Transpose", [pixels], perm=[0, 3, 1, 2])
        pixels = graph.add("Mul", [pixels, graph.constant(np.float32(1 / 255))])
        self._names[int(self._lite.Inputs(0))] = pixels
        for number in range(self._lite.OperatorsLength()):
            operator = self._lite.Operators(number)
            code = self._model.OperatorCodes(operator.OpcodeIndex())
            kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            name = code.CustomCode().decode() if code.CustomCode() else NAMES[kind]
            inputs = [int(i) for i in operator.InputsAsNumpy()]
            output = int(operator.Outputs(0))
            if name == "DEQUANTIZE":
                self._values[output] = self.value(inputs[0]).astype(np.float32)
            else:
                made = getattr(self, f"_{name.lower()}")(operator, inputs, output)
                self._names[output] = made

    def named(self, output: str) -> str:
        """The name in ONNX of an output of the source."""
        for tensor, name in self._names.items():
            if self._lite.Tensors(tensor).Name().decode() == output:
                return name
        raise KeyError(output)

    # One method an operator: inputs are tensor numbers, the name of the result is returned.

    def _conv_2d(self, operator: Any, inputs: list[int], output: int) -> str:
        options = self._options(operator, tflite.Conv2DOptions())
        kernel = self.value(inputs[1]).transpose(0, 3, 1, 2)
        return self._convolve(options, kernel, inputs, output, group=1)

    def _depthwise_conv_2d(self, operator: Any, inputs: list[int], output: int) -> str:
        options = self._options(operator, tflite.DepthwiseConv2DOptions())
        if options.DepthMultiplier() != 1:
            raise ValueError("only one kernel a channel is translated")
        kernel = self.value(inputs[1]).transpose(3, 0, 1, 2)
        return self._convolve(options, kernel, inputs, output, group=len(kernel))

    def _convolve(
        self, options: Any, kernel: Any, inputs: list[int], output: int, *, group: int
    ) -> str:
        if options.FusedActivationFunction() or options.DilationHFactor() != 1:
            raise ValueError("activations and dilation within a convolution aren't translated")
        pads = self._pads(options, kernel.shape[2:], inputs[0], output)
        weights = [self.graph.constant(kernel), self.graph.constant(self.value(inputs[2]))]
        return self.graph.add(
            "Conv",
            [self._names[inputs[0]], *weights],
            group=group,
            kernel_shape=list(kernel.shape[2:]),
            pads=pads,
            strides=[options.StrideH(), options.StrideW()],
        )

    def _max_pool_2d(self, operator: Any, inputs: list[int], output: int) -> str:
        options = self._options(operator, tflite.Pool2DOptions())
        size = (options.FilterHeight(), options.FilterWidth())
        return self.graph.add(
            "MaxPool",
            [self._names[inputs[0]]],
            kernel_shape=list(size),
            pads=self._pads(options, size, inputs[0], output),
            strides=[options.StrideH(), options.StrideW()],
        )

    def _pads(self, options: Any, kernel: Sequence[int], source: int, output: int) -> list[int]:
        """TensorFlow's SAME puts the odd pixel of padding below and to the right."""
        if options.Padding() == tflite.Padding.VALID:
            return [0, 0, 0, 0]
        before, after = [], []
        strides = (options.StrideH(), options.StrideW())
        for axis, (size, stride) in enumerate(zip(kernel, strides, strict=True), start=1):
            here, there = self.shape(source)[axis], self.shape(output)[axis]
            total = max(0, (there - 1) * stride + size - here)
            before.append(total // 2)
            after.append(total - total // 2)
        return before + after

    def _prelu(self, _: Any, inputs: list[int], __: int) -> str:
        # max(x, 0) + slope * min(x, 0), said as slope * x + (1 - slope) * max(x, 0) in convolutions
        # of one pixel: ONNX Runtime's own PRelu would take half the time of the whole network.
        add, constant = self.graph.add, self.graph.constant
        source, slope = self._names[inputs[0]], self.value(inputs[1]).reshape(-1, 1, 1, 1)
        below = constant(slope)
        above = add("Sub", [constant(np.float32(1)), below])
        shape = {"group": len(slope), "kernel_shape": [1, 1]}
        linear = add("Conv", [source, below], **shape)
        positive = add("Conv", [add("Relu", [source]), above], **shape)
        return add("Add", [linear, positive])

    def _add(self, operator: Any, inputs: list[int], _: int) -> str:
        if self._options(operator, tflite.AddOptions()).FusedActivationFunction():
            raise ValueError("activations within a sum aren't translated")
        return self.graph.add("Add", [self._names[i] for i in inputs])

    def _pad(self, _: Any, inputs: list[int], __: int) -> str:
        before, after = self.value(inputs[1])[[0, 3, 1, 2]].T
        pads = self.graph.constant(np.concatenate([before, after]), np.int64)
        return self.graph.add("Pad", [self._names[inputs[0]], pads])

    def _reshape(self, _: Any, inputs: list[int], output: int) -> str:
        # Whatever is reshaped here is [1, C, 1, 1] or smaller: the order of axes doesn't matter.
        shape = self.graph.constant(self.shape(output), np.int64)
        return self.graph.add("Reshape", [self._names[inputs[0]], shape])

    def _strided_slice(self, _: Any, inputs: list[int], output: int) -> str:
        if self.shape(output) != self.shape(inputs[0]):
            raise ValueError("only a slice that keeps everything is translated")
        return self._names[inputs[0]]

    def _mul(self, _: Any, inputs: list[int], __: int) -> str:
        factor = self.graph.constant(self.value(inputs[1]))
        return self.graph.add("Mul", [self._names[inputs[0]], factor])

    def _landmarks2transformmatrix(self, operator: Any, inputs: list[int], _: int) -> str:
        """[1, 4, 4]: grid cells to feature-map pixels."""
        options = flexbuffers.Loads(bytes(operator.CustomOptionsAsNumpy()))
        if options["target_rotation_radians"]:
            raise ValueError("only boxes that are turned level are translated")
        self.subsets.append(options["subset_idxs"])
        add, constant = self.graph.add, self.graph.constant
        flat = add("Reshape", [self._names[inputs[0]], constant([-1, 3], np.int64)])
        ends = [options["left_rotation_idx"], options["right_rotation_idx"]]
        level = self._direction(flat, ends)
        chosen = add("Gather", [flat, constant(options["subset_idxs"], np.int64)])
        chosen = add("Slice", [chosen, *(constant([n], np.int64) for n in (0, 2, 1))])
        # Columns of `level` are the box's own axes, so this gives coordinates along them.
        along = add("MatMul", [chosen, level])
        top = add("ReduceMax", [along, constant([0], np.int64)], keepdims=0)
        bottom = add("ReduceMin", [along, constant([0], np.int64)], keepdims=0)
        half = constant(np.float32(0.5))
        middle = add("Mul", [add("Add", [top, bottom]), half])
        grid = np.array([options["output_width"], options["output_height"]], np.float32)
        zoom = np.array([options["scale_x"], options["scale_y"]], np.float32) / grid
        scale = add("Mul", [add("Sub", [top, bottom]), constant(zoom)])
        turn = add("Mul", [level, scale])
        shift = add("Sub", [middle, add("Mul", [scale, constant(grid / 2)])])
        shift = add("MatMul", [level, add("Unsqueeze", [shift, constant([1], np.int64)])])
        nothing = constant(np.zeros((2, 1), np.float32))
        upper = add("Concat", [turn, nothing, shift], axis=1)
        lower = constant(np.eye(4, dtype=np.float32)[2:])
        matrix = add("Concat", [upper, lower], axis=0)
        return add("Unsqueeze", [matrix, constant([0], np.int64)])

    def _direction(self, points: str, ends: list[int]) -> str:
        """[2, 2]: the unit vector between two points, and beside it the one at right angles."""
        add, constant = self.graph.add, self.graph.constant
        first, second = (add("Gather", [points, constant([n], np.int64)]) for n in ends)
        vector = add("Sub", [second, first])
        vector = add("Slice", [vector, *(constant([n], np.int64) for n in (0, 2, 1))])
        unit = add("LpNormalization", [vector], axis=1, p=2)
        quarter = constant(np.array([[0, 1], [-1, 0]], np.float32))
        rows = add("Concat", [unit, add("MatMul", [unit, quarter])], axis=0)
        return add("Transpose", [rows], perm=[1, 0])

    def _transformtensorbilinear(self, operator: Any, inputs: list[int], _: int) -> str:
        options = flexbuffers.Loads(bytes(operator.CustomOptionsAsNumpy()))
        add, constant = self.graph.add, self.graph.constant
        height, width = self.shape(inputs[0])[1:3]
        rows, columns = np.mgrid[: options["output_height"], : options["output_width"]]
        cells = np.stack([columns + 0.5, rows + 0.5, 0 * rows, 0 * rows + 1], axis=-1)
        cells = cells.reshape(1, -1, 4).astype(np.float32)
        matrix = add("Transpose", [self._names[inputs[1]]], perm=[0, 2, 1])
        places = add("MatMul", [constant(cells), matrix])
        places = add("Slice", [places, *(constant([n], np.int64) for n in (0, 2, 2))])
        # -1 to 1 are the map's outer edges, and a pixel's centre is half a pixel in.
        size = np.array([width, height], np.float32)
        spread = add("Mul", [places, constant(2 / size)])
        spread = add("Sub", [spread, constant(np.ones(2, np.float32))])
        # A cell beyond the centres of the outermost pixels counts as nothing, with no soft edge.
        inner = add("Less", [add("Abs", [spread]), constant(1 - 1 / size + 1e-6)])
        spread = add("Where", [inner, spread, constant(np.full(1, -9, np.float32))])
        shape = constant([1, options["output_height"], options["output_width"], 2], np.int64)
        grid = add("Reshape", [spread, shape])
        return add("GridSample", [self._names[inputs[0]], grid], mode="linear", align_corners=0)

    def _transformlandmarks(self, _: Any, inputs: list[int], __: int) -> str:
        add, constant = self.graph.add, self.graph.constant
        points, matrix = (self._names[i] for i in inputs)
        matrix = add("Transpose", [matrix], perm=[0, 2, 1])
        blank = constant(np.tile(np.float32([0, 1]), (1, self.shape(inputs[0])[1], 1)))
        moved = add("MatMul", [add("Concat", [points, blank], axis=2), matrix])
        return add("Slice", [moved, *(constant([n], np.int64) for n in (0, 2, 2))])

    @staticmethod
    def _options(operator: Any, options: Any) -> Any:
        table = operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options


def refine(converter: Converter) -> None:
    """Put lips, eyes and irises into the mesh; adds the outputs `points` and `score`."""
    graph = converter.graph
    add, constant = graph.add, graph.constant
    parts = ["mesh_identity", "lips", "left_eye", "right_eye", "left_iris", "right_iris"]
    widths = [3, 2, 2, 2, 2, 2]
    flat = [
        add("Reshape", [converter.named(f"output_{part}"), constant([-1, width], np.int64)])
        for part, width in zip(parts, widths, strict=True)
    ]
    mesh_xy, mesh_z = (
        add("Slice", [flat[0], *(constant([n], np.int64) for n in (*cut, 1))])
        for cut in ((0, 2), (2, 3))
    )
    order, first = list(range(MESH)), MESH
    for subset in converter.subsets:
        for place, index in enumerate(subset):
            order[index] = first + place
        first += len(subset)
    order += range(first, first + 2 * IRIS)
    xy = add("Gather", [add("Concat", [mesh_xy, *flat[1:]], axis=0), constant(order, np.int64)])
    depths = [mesh_z]
    for subset in converter.subsets[1:]:
        contour = add("Gather", [mesh_z, constant(subset[:CONTOUR], np.int64)])
        depth = add("ReduceMean", [contour, constant([0], np.int64)], keepdims=1)
        depths.append(add("Expand", [depth, constant([IRIS, 1], np.int64)]))
    add("Concat", [xy, add("Concat", depths, axis=0)], output="points", axis=1)
    flag = add("Reshape", [converter.named("conv_faceflag"), constant([1], np.int64)])
    add("Sigmoid", [flag], output="score")


def convert(data: bytes) -> bytes:
    """The ONNX file made of a TensorFlow Lite file's bytes."""
    converter = Converter(data)
    converter.run()
    refine(converter)
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, SIDE, SIDE, 3])
    count = MESH + 2 * IRIS
    outputs = [
        helper.make_tensor_value_info("points", TensorProto.FLOAT, [count, 3]),
        helper.make_tensor_value_info("score", TensorProto.FLOAT, [1]),
    ]
    graph = helper.make_graph(
        converter.graph.nodes, "face_mesh_attention", [image], outputs, converter.graph.constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    model.doc_string = (
        "MediaPipe Face Mesh with attention, (c) The MediaPipe Authors, Apache-2.0; "
        "converted from face_landmark_with_attention.tflite of mediapipe 0.10.21"
    )
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def main() -> None:
    """Convert the file named first to the file named second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    arguments.target.write_bytes(convert(arguments.source.read_bytes()))


if __name__ == "__main__":
    main()
