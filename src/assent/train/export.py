"""Export: a trained model as one ONNX graph that paints one person.

    onnx_bytes = export_onnx(trainer.network, "ben", coverage=trainer.config.coverage)

Input `face` float32 [N, 3, S, S], 0..1; outputs `face` [N, 3, S, S], 0..1, and `mask`
[N, 1, S, S], 0..1. Metadata: `format`, `version`, `size`, `coverage`.
"""

import io
import warnings
from typing import Final

import onnx
import torch
from torch import Tensor, nn

from assent.train.network import FaceNetwork

__all__ = ["MODEL_FORMAT", "MODEL_VERSION", "export_onnx"]

MODEL_FORMAT: Final = "assent face model"
MODEL_VERSION: Final = "1"


class _Painter(nn.Module):
    """Encoder and one decoder, in float32."""

    def __init__(self, network: FaceNetwork, person: str) -> None:
        super().__init__()
        self.encoder = network.encoder
        self.decoder = network.decoder(person)

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        painted = self.decoder(*self.encoder(faces))
        return painted.faces.sigmoid(), painted.masks.sigmoid()


def export_onnx(network: FaceNetwork, person: str, *, coverage: float) -> bytes:
    """The encoder and `person`'s decoder as ONNX.

    Args:
        network: a trained network; its weights aren't changed.
        person: whom the graph paints.
        coverage: share of a crop's side that the mean face takes up, as trained.

    Returns:
        the model's bytes (opset 17).

    Raises:
        KeyError: the network has no such person.
    """
    size = network.config.size
    painter = _Painter(network, person).eval()
    example = torch.zeros(1, 3, size, size, device=next(network.parameters()).device)
    sink = io.BytesIO()
    with warnings.catch_warnings():
        # The graph-tracing exporter needs `onnx` alone; the newer one needs a compiler stack.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"torch\.onnx")
        warnings.filterwarnings("ignore", message=".*legacy TorchScript-based ONNX export")
        # What isn't folded is computed at run time: the padding of a basis, nothing that counts.
        warnings.filterwarnings("ignore", message="Constant folding", category=UserWarning)
        torch.onnx.export(
            painter,
            (example,),
            sink,  # type: ignore[arg-type] # this exporter takes a stream; the stub knows paths only
            input_names=["face"],
            output_names=["painted", "mask"],
            dynamic_axes={"face": {0: "n"}, "painted": {0: "n"}, "mask": {0: "n"}},
            opset_version=17,
            dynamo=False,
        )
    model = onnx.load_model_from_string(sink.getvalue())
    facts = {
        "format": MODEL_FORMAT,
        "version": MODEL_VERSION,
        "size": str(size),
        "coverage": repr(coverage),
    }
    onnx.helper.set_model_props(model, facts)
    return bytes(model.SerializeToString())
