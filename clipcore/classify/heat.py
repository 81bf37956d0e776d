"""Where in a picture a label is: a map of how much each place speaks for the label and against the others.

What is explained is the log-odds of the label, against the others or, where several can be true, on its own: their
gradient with respect to the picture's vector is a direction in the embedding space, `direction`. How it is followed back
into the picture depends on the tower:

    open_clip's ViT       each patch's own vector against the direction. The vector is that of the value path of the last
                          attention, as in MaskCLIP (Zhou et al., 2022, section 3.2): there a patch has not been mixed with
                          the others yet, and lies in the same space as the texts
    convolutions          gradient times activation on the last feature map (HiResCAM, Draelos and Carin, 2020): where a
                          mean and a linear layer follow, it is exactly the part that each place has in the score, and
                          the same as Grad-CAM
    anything else         occlusion (Zeiler and Fergus, 2014, section 4.2): how much the score falls with a place hidden
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ..errors import BadInput
from ..pictures.reading import ImageSource, open_image
from .answers import stand_alone
from .classifier import Classifier

if TYPE_CHECKING:
    import torch

    from ..encoding.encoder import Encoder

FINE = 6  # places along a side; a coarser map is made again from a larger picture
CELLS = 7  # of the occlusion map, along each side
PROBE = 512  # side of the picture that finds out what the model sees


@dataclass(frozen=True, eq=False)
class Heat:
    """values [h, w]: what each place says, above 0 for the label, below 0 against it; the scale differs between pictures.

    `box` (left, top, right, bottom) is the part of the picture that the map covers, in shares of its width and height: most
    models cut the edges of a long picture off. `method` is patches, gradient or occlusion.
    """

    values: np.ndarray
    box: tuple[float, float, float, float]
    method: str


def heat(
    encoder: "Encoder",
    classifier: Classifier,
    image: ImageSource,
    label: str | None = None,
) -> Heat:
    """The map for a label, or for the classifier's best one. Raises BadImage, BadInput, SpaceMismatch."""
    encoder.space.require(classifier.space, "This classifier")
    picture = open_image(image, near=encoder.image_size)
    prepared = encoder.prepare(picture)
    pixels, vector = encoder.normalised(prepared), encoder.embed_prepared([prepared])[0]
    place = int(classifier.logits(vector)[0].argmax()) if label is None else _place(classifier, label)
    towards = direction(classifier, vector, place)
    box = seen(encoder, picture.size)
    with encoder.open_clip_model() as model:
        values, method = _values(model.visual, pixels.to(encoder.device, encoder.dtype), towards)
    if values is None:
        values, method = _occluded(encoder, pixels, vector, towards), "occlusion"
    return Heat(values.astype(np.float32), box, method)


def direction(classifier: Classifier, vector: np.ndarray, place: int) -> np.ndarray:
    """The gradient of a label's log-odds at a vector [dim], of unit length.

    Where labels exclude each other: the label's weights minus those of the others, each as far as it competes here. For
    several labels, or one alone, and for a sigmoid model: the label's own weights alone.
    """
    weight = classifier.weight
    towards = weight[place].astype(np.float64)
    if classifier.activation == "softmax" and not stand_alone(classifier):
        logits = classifier.logits(vector)[0].astype(np.float64) / classifier.decision.temperature
        logits[place] = -np.inf
        towards = towards - _softmax(logits) @ weight
    return (towards / max(float(np.linalg.norm(towards)), 1e-12)).astype(np.float32)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def seen(encoder: "Encoder", size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The part of a picture of this size (width, height) that the model sees, in shares of width and height.

    Found by asking: pictures that grow brighter to the right and to the bottom go through the model's own preprocessing, and
    the brightness in the middle of what comes out says where each pixel came from. Parts beyond 0 and 1 are padding.
    """
    scale = PROBE / max(size)
    width, height = (max(2, round(side * scale)) for side in size)
    ramps = np.zeros((height, width, 3), np.uint8)
    ramps[..., 0] = np.linspace(0, 255, width)[None]
    ramps[..., 1] = np.linspace(0, 255, height)[:, None]
    black, white, out = (
        np.asarray(encoder.prepare(Image.fromarray(array)).float())
        for array in (np.zeros_like(ramps), np.full_like(ramps, 255), ramps)
    )
    rows, columns = out.shape[1:]
    middle = out[:, rows // 2, columns // 2]
    span = white[:, rows // 2, columns // 2] - (dark := black[:, rows // 2, columns // 2])
    if not np.isfinite(middle).all() or (np.abs(span[:2]) < 1e-6).any():
        return (0.0, 0.0, 1.0, 1.0)
    shares = (out - dark[:, None, None]) / span[:, None, None]
    left, right = _ends(shares[0, rows // 2])
    top, bottom = _ends(shares[1, :, columns // 2])
    return (left, top, right, bottom)


def _ends(shares: np.ndarray) -> tuple[float, float]:
    """Where a line of pixels begins and ends, from the shares that its middle half comes from."""
    n = len(shares)
    inner = slice(n // 4, n - n // 4)
    slope, start = np.polyfit(np.arange(n)[inner] + 0.5, shares[inner], 1)
    return round(float(start), 2), round(float(start + slope * n), 2)


def _place(classifier: Classifier, label: str) -> int:
    if label not in classifier.labels:
        raise BadInput(f"There is no class “{label}” in this classifier; choose one of its own.")
    return classifier.labels.index(label)


# the three ways


def _values(visual: Any, pixels: "torch.Tensor", towards: np.ndarray) -> tuple[np.ndarray | None, str]:
    """The map by patches or by gradient, for pixels [3, h, w]; None where the tower allows neither."""
    patches = _patch_vectors(visual, pixels)
    if patches is not None:
        return patches @ towards, "patches"
    return _gradient(visual, pixels, towards), "gradient"


def _patch_vectors(visual: Any, pixels: "torch.Tensor") -> np.ndarray | None:
    """Unit vectors [h, w, dim] of a ViT's patches; None for another tower."""
    import torch
    from open_clip.transformer import ResidualAttentionBlock, VisionTransformer

    if not isinstance(visual, VisionTransformer) or visual.proj is None:
        return None
    last = visual.transformer.resblocks[-1]
    if not isinstance(last, ResidualAttentionBlock) or last.attn.in_proj_weight is None:
        return None
    height, width = visual.grid_size
    with torch.no_grad(), _outputs([last.ln_1]) as kept:
        visual(pixels[None])
        tokens = kept[0][1]
        tokens = tokens[0] if tokens.shape[0] == 1 else tokens[:, 0]  # batch first, or second
        attention = last.attn
        weight, bias = attention.in_proj_weight.chunk(3)[2], attention.in_proj_bias
        values = tokens.to(weight) @ weight.T + (bias.chunk(3)[2] if bias is not None else 0)
        vectors = visual.ln_post(last.ls_1(attention.out_proj(values))) @ visual.proj
        vectors = torch.nn.functional.normalize(vectors[-height * width :].float(), dim=-1)
    return vectors.cpu().numpy().reshape(height, width, -1)


def _gradient(visual: Any, pixels: "torch.Tensor", towards: np.ndarray) -> np.ndarray | None:
    """Gradient times activation on the tower's last feature map; None for a tower whose later half has none.

    A map of very few places is made again from the picture at twice its size, where the tower takes that. On mosaics of
    four pictures, the starter's mean heat is then highest in the right quarter for 75 % instead of 61 % (150 of
    Caltech-101, chance 25 %).
    """
    from torch.nn.functional import interpolate

    values = _gradient_at(visual, pixels[None], towards)
    if values is None or min(values.shape) >= FINE:
        return values
    with suppress(RuntimeError):  # a tower with a fixed number of positions
        finer = _gradient_at(visual, interpolate(pixels[None], scale_factor=2, mode="bicubic"), towards)
        return values if finer is None else finer
    return values


def _gradient_at(visual: Any, pixels: "torch.Tensor", towards: np.ndarray) -> np.ndarray | None:
    import torch

    modules = [module for module in visual.modules() if module is not visual]
    with torch.enable_grad(), _outputs(modules) as kept:
        vector = torch.nn.functional.normalize(visual(pixels.detach().requires_grad_())[0].float(), dim=-1)
        maps = [number for number, (_, out) in enumerate(kept) if out.ndim == 4 and out.shape[-1] * out.shape[-2] > 1]
        if not maps or maps[-1] < len(kept) / 2 or not kept[maps[-1]][1].requires_grad:
            return None
        features = kept[maps[-1]][1]
        score = vector @ torch.from_numpy(towards).to(vector)
        (slope,) = torch.autograd.grad(score, features, allow_unused=True)
    return None if slope is None else (slope * features).detach()[0].sum(0).float().cpu().numpy()


def _occluded(encoder: "Encoder", pixels: "torch.Tensor", vector: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """How much the score falls when a cell and half of its neighbours are hidden behind the picture's mean colour."""
    height, width = pixels.shape[1:]
    hidden = []
    for row in range(CELLS):
        for column in range(CELLS):
            copy = pixels.clone()
            top, bottom = (row - 0.5) * height / CELLS, (row + 1.5) * height / CELLS
            left, right = (column - 0.5) * width / CELLS, (column + 1.5) * width / CELLS
            copy[:, max(0, round(top)) : round(bottom), max(0, round(left)) : round(right)] = pixels.mean((1, 2))[
                :, None, None
            ]
            hidden.append(copy)
    size = encoder.batch_size
    vectors = np.concatenate([encoder.embed_prepared(hidden[i : i + size]) for i in range(0, len(hidden), size)])
    return ((vector - vectors) @ towards).reshape(CELLS, CELLS)


@contextmanager
def _outputs(modules: list[Any]) -> Iterator[list[tuple[Any, Any]]]:
    """The tensors that these modules give inside the block, with their modules, in the order in which they are done."""
    import torch

    kept: list[tuple[Any, Any]] = []

    def keep(module: Any, _: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor):
            kept.append((module, output))

    hooks = [module.register_forward_hook(keep) for module in modules]
    try:
        yield kept
    finally:
        for hook in hooks:
            hook.remove()
