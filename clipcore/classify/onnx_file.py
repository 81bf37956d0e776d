"""A model's image tower and a classifier as one ONNX file, which runs without Sayso, torch and open_clip.

Input `pixels` float32 [n, 3, h, w], prepared as the metadata says; outputs `shares` [n, labels] (after temperature, and
softmax or sigmoid) and `vectors` [n, dim] of unit length. The file's metadata `sayso` is JSON: labels, the preprocessing
(size, mean, std, interpolation, resize_mode), decision, activation and space. Needs requirements-extras/onnx.txt.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInput, ModelError
from .classifier import Classifier

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

CLOSE = 1e-3  # the most that a share or a vector's number may differ from torch's


def export_onnx(encoder: "Encoder", classifier: Classifier, path: str | os.PathLike[str]) -> float:
    """Write the file, run it, and return the largest difference from torch on random pictures.

    An encoder loaded with precision fp32 gives the exact weights; one in bf16 has rounded ones.

    Raises BadInput without the packages, SpaceMismatch, and ModelError if the file says something else than torch; then
    there is no file.
    """
    encoder.space.require(classifier.space, "This classifier")
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401  # torch exports with it
    except ImportError as error:
        raise BadInput(
            f"ONNX needs more packages ({error.name}): pip install -r requirements-extras/onnx.txt, then export again.",
            page="ONNX files need the extra “onnx”. Whoever installed Sayso can add it.",
        ) from error
    import torch

    from ..encoding.image_tower import set_precision

    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    pixels = torch.rand(3, 3, *_size(encoder), generator=torch.Generator().manual_seed(0)) * 4 - 2
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with encoder.open_clip_model() as model:
            metadata = _metadata(model, classifier, pixels.shape[2:])
            whole = _whole(model.visual, classifier).eval()
            device, dtype = encoder.device, encoder.dtype
            try:
                whole.float().cpu()
                with torch.no_grad():
                    expected = [out.numpy() for out in whole(pixels)]
                    torch.onnx.export(
                        whole,
                        (pixels[:2],),
                        str(part),
                        input_names=["pixels"],
                        output_names=["shares", "vectors"],
                        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
                        dynamo=True,
                        external_data=False,
                        verbose=False,
                    )
            finally:
                set_precision(model.visual.to(device), dtype)
        file = onnx.load(str(part))
        onnx.helper.set_model_props(file, {"sayso": json.dumps(metadata)})
        onnx.save(file, str(part))
        session = onnxruntime.InferenceSession(str(part), providers=["CPUExecutionProvider"])
        found = [session.run(None, {"pixels": pixels[:count].numpy()}) for count in (1, 3)]
        off = max(float(np.abs(a - e[: len(a)]).max()) for outs in found for a, e in zip(outs, expected, strict=True))
        if not off <= CLOSE:
            raise ModelError(f"The ONNX file differs from the model by {off:.2g}; update onnx and onnxruntime, or torch.")
        os.replace(part, path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}); choose another place.") from error
    finally:
        part.unlink(missing_ok=True)
    return off


def _whole(visual: Any, classifier: Classifier) -> Any:
    """Tower, unit length, head and activation as one module."""
    import torch

    class Whole(torch.nn.Module):
        weight: torch.Tensor
        bias: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.visual = visual
            temperature = classifier.decision.temperature
            self.register_buffer("weight", torch.from_numpy(classifier.weight.T * classifier.scale / temperature).float())
            self.register_buffer("bias", torch.from_numpy(classifier.bias / temperature).float())

        def forward(self, pixels: Any) -> Any:
            vectors = torch.nn.functional.normalize(self.visual(pixels), dim=-1)
            logits = vectors @ self.weight + self.bias
            return logits.softmax(-1) if classifier.activation == "softmax" else logits.sigmoid(), vectors

    return Whole()


def _size(encoder: "Encoder") -> tuple[int, int]:
    """Height and width of the model's input."""
    height, width = encoder.prepare(np.zeros((8, 8, 3), np.uint8)).shape[1:]
    return int(height), int(width)


def _metadata(model: Any, classifier: Classifier, size: tuple[int, ...]) -> dict[str, Any]:
    from open_clip.model import get_model_preprocess_cfg

    return {
        "labels": list(classifier.labels),
        "preprocess": {**get_model_preprocess_cfg(model), "size": list(size)},
        "activation": classifier.activation,
        "decision": asdict(classifier.decision),
        "space": asdict(classifier.space),
    }
