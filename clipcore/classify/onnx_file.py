"""A model's image tower and a classifier as one ONNX file, which runs without Sayso, torch and open_clip.

Input `pixels` float32 [n, 3, h, w], prepared as the metadata says; with `pictures` instead `picture`, uint8 [h, w, 3] of any
size, upright and RGB, one at a time, and what prepares it is in the file. Outputs as `decide` has them: `shares` [n, labels]
(after temperature, and softmax or sigmoid), `vectors` [n, dim] of unit length, `figures` [n, labels], `none` [n], `chosen`
bool [n, labels], and `places` int64 [n], the label's, or -1 for unsure, -2 for none of these. The file's metadata `sayso` is
JSON: labels, the preprocessing (size, mean, std, interpolation, resize_mode), decision, activation and space. Needs
requirements-extras/onnx.txt.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BadInput, ModelError
from .answers import decide, grounded
from .classifier import Classifier
from .onnx_pictures import before_tower

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

CLOSE = 1e-3  # the most that a share or a vector's number may differ from torch's
ROUNDED = 0.0101  # and a figure, in whole hundredths, from NumPy's
STEPS = 2.5  # of 255, a prepared picture from ours: two ways to round, one step each


def export_onnx(encoder: "Encoder", classifier: Classifier, path: str | os.PathLike[str], pictures: bool = False) -> float:
    """Write the file, run it, and return the largest difference from torch on random pictures.

    pictures    the file prepares pictures by itself

    An encoder loaded with precision fp32 gives the exact weights; one in bf16 has rounded ones.

    Raises BadInput without the packages, SpaceMismatch, and ModelError if the file says something else than torch; then
    there is no file.
    """
    encoder.space.require(classifier.space, "This classifier")
    try:
        import onnx
        import onnxscript  # noqa: F401  # torch exports with it
    except ImportError as error:
        raise BadInput(
            f"ONNX needs more packages ({error.name}): pip install -r requirements-extras/onnx.txt, then export again.",
            page="ONNX files need the extra “onnx”. Whoever installed Sayso can add it.",
        ) from error
    import torch

    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    # with the numbers that it would answer by; one that cannot answer says so here
    classifier = grounded(classifier, np.zeros((0, encoder.dim), np.float32), None)
    decide(classifier, np.zeros((1, encoder.dim), np.float32))
    pixels = torch.rand(3, 3, *_size(encoder), generator=torch.Generator().manual_seed(0)) * 4 - 2
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata, expected = _write_tower(encoder, classifier, pixels, part)
        off = _compared(part, classifier, pixels.numpy(), expected)
        file = onnx.load(str(part))
        if pictures:
            file = _with_pictures(encoder, file, metadata["preprocess"])
        onnx.helper.set_model_props(file, {"sayso": json.dumps(metadata)})
        onnx.save(file, str(part))
        os.replace(part, path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}); choose another place.") from error
    finally:
        part.unlink(missing_ok=True)
    return off


def _write_tower(encoder: "Encoder", classifier: Classifier, pixels: Any, part: Path) -> tuple[dict[str, Any], list[Any]]:
    """The file from prepared pixels on; its metadata, and what torch says of these pixels."""
    import torch

    from ..encoding.image_tower import set_precision
    from .onnx_answer import OUTPUTS, Answering

    with encoder.open_clip_model() as model:
        metadata = _metadata(model, classifier, pixels.shape[2:])
        whole = Answering(model.visual, classifier).eval()
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
                    output_names=list(OUTPUTS),
                    dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
                    dynamo=True,
                    external_data=False,
                    verbose=False,
                )
        finally:
            set_precision(model.visual.to(device), dtype)
    return metadata, expected


def _compared(part: Path, classifier: Classifier, pixels: np.ndarray, expected: list[Any]) -> float:
    """The largest difference of shares and vectors from torch's; the answers must be those of the file's own vectors."""
    session = _session(part)
    found = [session.run(None, {"pixels": pixels[:count]}) for count in (1, 3)]
    off = max(float(np.abs(a - e[: len(a)]).max()) for outs in found for a, e in zip(outs[:2], expected[:2], strict=True))
    answers = decide(classifier, found[-1][1])
    figures = np.abs(found[-1][2].max(1) - answers.figure).max()
    if not (off <= CLOSE and figures <= ROUNDED):
        raise ModelError(f"The ONNX file differs from the model by {off:.2g}; update onnx and onnxruntime, or torch.")
    return off


def _with_pictures(encoder: "Encoder", file: Any, preprocess: dict[str, Any]) -> Any:
    """The file with what prepares pictures before it, held against how they are prepared here."""
    from onnx import compose

    opset = next(each.version for each in file.opset_import if each.domain in ("", "ai.onnx"))
    before = before_tower(preprocess, preprocess["size"], file.ir_version, opset)
    session = _session(before)
    for shape in ((70, 90), (500, 333)):
        picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
        off = session.run(None, {"picture": picture})[0][0] - encoder.normalised(encoder.prepare(picture)).numpy()
        steps = 255 * np.abs(off * np.reshape(preprocess["std"], (-1, 1, 1))).max()
        if not steps <= STEPS:
            raise ModelError(f"The ONNX file prepares pictures otherwise, by {steps:.0f} of 255; update onnxruntime.")
    before = compose.add_prefix(before, "pictures/", rename_inputs=False, rename_outputs=False)  # the tower has names, too
    return compose.merge_models(before, file, [("pixels", "pixels")])


def _session(model: Any) -> Any:
    """ONNX Runtime on a file's path or a model in memory."""
    import onnxruntime

    said = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(said, providers=["CPUExecutionProvider"])


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
