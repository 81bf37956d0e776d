"""Large pictures the quick way: what the model sees stays what open_clip's own transform would have shown it."""

import io
import random

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image, ImageOps

from clipcore import BadImage, models
from clipcore.pictures.reading import open_image
from clipcore.pictures.shrink import shrinker

SIDE = 32
TRANSFORM = open_clip.transform.image_transform(SIDE, is_train=False)
SHRINK = shrinker(TRANSFORM)


def photo_like(size: tuple[int, int], seed: int) -> Image.Image:
    """Colour that changes slowly, with detail of several sizes, as in a photograph."""
    numbers = np.random.default_rng(seed)
    total = np.zeros((size[1], size[0], 3), np.float32)
    for cells, strength in ((5, 110), (20, 50), (80, 25), (300, 12)):
        layer = numbers.uniform(-1, 1, (cells, cells, 3)).astype(np.float32)
        layers = [Image.fromarray(layer[..., channel]).resize(size, Image.Resampling.BICUBIC) for channel in range(3)]
        total += strength * np.stack([np.asarray(one) for one in layers], axis=-1)
    return Image.fromarray(np.clip(total + 128, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image, orientation: int = 1, **options) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, exif=exif, **options)
    return buffer.getvalue()


def exact(data: bytes, transform=TRANSFORM) -> torch.Tensor:
    return transform(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))


def drift(data: bytes) -> float:
    """Relative difference of the tensor the model is given to the exact one."""
    expected = exact(data)
    return float((TRANSFORM(open_image(data, SIDE, SHRINK)) - expected).norm() / expected.norm())


# 1023 x 683 is decoded at 1/4, which gives 256 x 171 and covers more than the picture; 1.5 % is a third of what rounding
# the long side another way costs
@pytest.mark.parametrize("size", [(1600, 1200), (1023, 683), (683, 1023), (815, 811), (797, 130), (769, 101)])
@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_the_model_sees_the_same(size, orientation):
    assert drift(jpeg(photo_like(size, sum(size)), orientation)) < 0.015


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
def test_every_kind_of_jpeg(options):
    assert drift(jpeg(photo_like((900, 700), 1), **options)) < 0.015


def test_grey_and_cmyk():
    picture = photo_like((900, 700), 2)
    assert drift(jpeg(picture.convert("L"))) < 0.015
    assert drift(jpeg(picture.convert("CMYK"))) < 0.015


def test_the_bound_would_notice_a_squashed_picture():
    """The test of the test: scaling the centre square straight to the model's size is off by a fraction of a pixel only."""
    data = jpeg(photo_like((1023, 683), 1706))
    square = ImageOps.fit(Image.open(io.BytesIO(data)), (SIDE, SIDE), Image.Resampling.BICUBIC, centering=(0.49, 0.5))
    assert (TRANSFORM(square) - exact(data)).norm() / exact(data).norm() > 0.015


def test_small_pictures_are_exact_to_the_last_bit():
    for size in ((63, 50), (200, 63), (32, 32)):
        picture = photo_like(size, 3)
        assert torch.equal(TRANSFORM(open_image(picture, SIDE, SHRINK)), TRANSFORM(picture))


def test_transforms_that_begin_otherwise_are_left_to_themselves():
    make = open_clip.transform.image_transform
    assert shrinker(make(SIDE, is_train=False, resize_mode="squash")) is None
    assert shrinker(make(SIDE, is_train=False, resize_mode="longest")) is None
    assert shrinker(make((SIDE, 2 * SIDE), is_train=False)) is None
    assert shrinker(lambda image: image) is None
    assert shrinker(make(SIDE, is_train=False, interpolation="bilinear")) is not None


def test_cut_files_are_refused_and_damaged_ones_never_crash():
    data = jpeg(photo_like((640, 480), 4))
    for cut in (len(data) // 10, len(data) // 2, 3 * len(data) // 4):
        with pytest.raises(BadImage, match="damaged"):
            open_image(data[:cut], SIDE, SHRINK)
    assert open_image(data[:-300], SIDE, SHRINK).mode == "RGB"  # nearly all of it is there
    chance = random.Random(0)
    for _ in range(60):
        mutated = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            mutated[chance.randrange(len(data) if chance.random() < 0.5 else 700)] = chance.randrange(256)
        try:
            image = open_image(bytes(mutated), SIDE, SHRINK)
        except BadImage:
            continue
        assert image.mode == "RGB"
        assert min(image.size) <= 2 * SIDE or min(image.size) == SIDE


@pytest.mark.skipif(not models.is_here(models.STARTER), reason="the starter's weights are not in this checkout")
def test_vectors_of_a_trained_model():
    clip = models.load(precision="fp32")
    files = [jpeg(photo_like((1400 - 7 * seed, 1000 - 3 * seed), seed)) for seed in range(6)]
    exact_tensors = [exact(data, clip._preprocess) for data in files]
    cosines = (clip.embed_images(files) * clip.embed_prepared(exact_tensors)).sum(1)
    assert cosines.min() > 0.999
