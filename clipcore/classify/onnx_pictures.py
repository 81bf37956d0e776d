"""What is done to a picture before the image tower, as operations of ONNX: any size comes in, the tower's own goes out.

The same as open_clip's `image_transform` on Pillow's pictures: ONNX's Resize with `antialias`, a cubic of -0.5 and what lies
outside left out has Pillow's filter, and ONNX Runtime rounds as Pillow does, to within one step of 255 (of 2,000 numbers one
is off by it). Pictures are upright and in RGB: turning a photo as its EXIF says is left to whoever opens the file.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import BadInput

# the size [height, width] before the cut, from `shape` and `target`, both int64 [2]
SIZES = {
    "squash": "size = Identity(target)",
    # as torchvision's Resize to the shorter side, and open_clip's ResizeKeepRatio where a model's picture is no square
    "square": "side = ReduceMin(target) short = ReduceMin(shape) long = Mul(shape, side) size = Div(long, short)",
    "shortest": "ratio = ReduceMin(ratios) exact = Div(real, ratio) whole = Round(exact) size = Cast<to=7>(whole)",
    "longest": "ratio = ReduceMax(ratios) exact = Div(real, ratio) whole = Round(exact) size = Cast<to=7>(whole)",
}
GRAPH = """
<ir_version: {ir}, opset_import: ["": {opset}]>
pictures (uint8[h, w, 3] picture) => (float[1, 3, {height}, {width}] pixels)
<int64[2] target = {{{height}, {width}}}, int64[2] nothing = {{0, 0}}, int64[2] two = {{2, 2}},
 int64[2] axes = {{2, 3}}, int64[1] first = {{0}}, uint8 fill = {{{fill}}}, float[3, 1, 1] mean = {{{mean}}},
 float[3, 1, 1] std = {{{std}}}, float all = {{255}}>
{{
    planes = Transpose<perm = [2, 0, 1]>(picture)
    batch = Unsqueeze(planes, first)
    shape = Shape<start = 0, end = 2>(picture)
    real = Cast<to = 11>(shape)
    wanted = Cast<to = 11>(target)
    ratios = Div(real, wanted)
    {size}
    sized = Resize<mode = "{mode}", antialias = 1, cubic_coeff_a = -0.5, exclude_outside = 1, axes = [2, 3],
        coordinate_transformation_mode = "half_pixel">(batch, , , size)
    missing = Sub(target, size)
    needed = Max(missing, nothing)
    before = Div(needed, two)
    rest = Sub(needed, before)
    pads = Concat<axis = 0>(before, rest)
    padded = Pad(sized, pads, fill, axes)
    large = Add(size, needed)
    over = Sub(large, target)
    over_real = Cast<to = 11>(over)
    two_real = Cast<to = 11>(two)
    middle = Div(over_real, two_real)
    rounded = Round(middle)
    start = Cast<to = 7>(rounded)
    end = Add(start, target)
    cut = Slice(padded, start, end, axes)
    numbers = Cast<to = 1>(cut)
    shares = Div(numbers, all)
    centred = Sub(shares, mean)
    pixels = Div(centred, std)
}}
"""


def before_tower(preprocess: Mapping[str, Any], size: Sequence[int], ir: int, opset: int) -> Any:
    """An onnx model from `picture`, uint8 [h, w, 3], to `pixels`, float32 [1, 3, height, width].

    preprocess  open_clip's: mean, std, interpolation, resize_mode, fill_color
    size        the tower's height and width
    ir, opset   versions of ONNX, those of the tower that it is put before

    Raises BadInput for a way to resize that is not known here.
    """
    from onnx import parser

    way, interpolation = preprocess.get("resize_mode") or "shortest", preprocess.get("interpolation") or "bicubic"
    if way == "shortest" and size[0] == size[1]:
        way = "square"
    elif way == "shortest":  # there open_clip does not use what is said
        interpolation = "bicubic"
    if way not in SIZES:
        raise BadInput(f"Preparing pictures by “{way}” cannot be part of an ONNX file; leave it out of the file.")
    columns = {name: preprocess[name] for name in ("mean", "std")}
    numbers = {name: ", ".join(map(str, map(float, _three(column)))) for name, column in columns.items()}
    mode = "linear" if interpolation == "bilinear" else "cubic"
    fill = int(preprocess.get("fill_color") or 0)
    filled = {"ir": ir, "opset": opset, "height": size[0], "width": size[1], "mode": mode, "fill": fill, **numbers}
    return parser.parse_model(GRAPH.format(size=SIZES[way], **filled))


def _three(value: Any) -> Sequence[float]:
    return [value] * 3 if isinstance(value, (int, float)) else value
