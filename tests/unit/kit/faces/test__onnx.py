import numpy as np
import onnx
import onnxruntime

from assent.kit.faces._onnx import Graph


def test_a_written_network_is_valid_and_computes() -> None:
    graph = Graph()
    rng = np.random.default_rng(1)
    kernels = rng.normal(size=(5, 3, 3, 3)).astype(np.float32)
    found = graph.add("Cast", "picture", to=1)
    found = graph.add("Conv", found, graph.constant(kernels), strides=[2, 2], pads=[1, 1, 1, 1])
    graph.add("Reshape", found, graph.constant(np.array([-1])), output="numbers")
    model = graph.model(("picture", np.uint8, (1, 3, 300, 4)), ("numbers", np.float32, (1500,)))
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    picture = rng.integers(0, 255, (1, 3, 300, 4), np.uint8)
    (numbers,) = session.run(None, {"picture": picture})
    around = np.pad(picture[0].astype(np.float64), ((0, 0), (1, 1), (1, 1)))
    expected = np.sum(kernels[4] * around[:, 2 * 149 : 2 * 149 + 3, 2:5])
    assert np.isclose(numbers.reshape(5, 150, 2)[4, 149, 1], expected, rtol=1e-4)
