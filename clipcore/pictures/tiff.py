"""TIFF files that Pillow cannot open: colours in planes, numbers of 16 bits or floats, more than four channels.

Microscopes, satellites and scanners write them. The first page is read by tifffile, which comes with scikit-image. One
channel is grey, of two the first is, and of more the first three are taken for red, green and blue.
"""

import io
import math
import zlib
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from ..errors import BadImage
from . import decoding

HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF
_DEFLATE = (8, 32946)
_YCBCR = 6  # of the photometric interpretation
_WORDS = 6  # copies of the numbers that are in memory at the most
_TEN_BITS_LESS = 0x4000  # what spreads less than a quarter of 16 bits was measured with fewer


def is_wide(image: Image.Image) -> bool:
    """Whether Pillow reads a TIFF in part: several channels of more than 8 bits, of which it keeps the upper 8, more than
    four channels, or brightness and colour apart that are not packed."""
    tags = image.tag_v2  # type: ignore[attr-defined]  # of a TIFF
    bits = tags.get(ExifTags.Base.BitsPerSample, (8,))
    plain = tags.get(ExifTags.Base.PhotometricInterpretation) == _YCBCR and tags.get(ExifTags.Base.Compression, 1) == 1
    return plain or (isinstance(bits, tuple) and ((len(bits) > 1 and max(bits) > 8) or len(bits) > 4))


def is_planar(image: Image.Image) -> bool:
    """Whether the colours of a TIFF lie in planes; Pillow mixes those of 16 bits up."""
    return image.tag_v2.get(ExifTags.Base.PlanarConfiguration) == 2  # type: ignore[attr-defined]


def open_tiff(data: bytes, most: int) -> Image.Image:
    """The first page as 8-bit grey or RGB, with the file's orientation. Raises BadImage for more than `most` pixels, for
    what does not fit in memory, and, in words that are true, for what cannot be read."""
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            height, width = int(page.imagelength), int(page.imagewidth)
            if height * width > most:
                raise BadImage(f"The picture has more than {most // 1_000_000} megapixels; save a smaller copy.")
            if page.dtype is None or page.dtype.kind not in "buif":
                raise BadImage(_REFUSED.format("its numbers are of a rare kind"))
            with decoding.MEMORY.share(_WORDS * math.prod(page.shape) * page.dtype.itemsize):
                _check_packing(page, data)
                pixels = page.asarray(maxworkers=1)
                image = Image.fromarray(_eight_bits(_channels(pixels, height, width, page.planarconfig == 2)))
                if page.photometric == _YCBCR and image.mode == "RGB":
                    image = Image.frombytes("YCbCr", image.size, image.tobytes()).convert("RGB")
            turned = page.tags.valueof(ExifTags.Base.Orientation, default=1)
    except BadImage:
        raise
    except MemoryError:
        raise
    except Exception as error:  # tifffile raises many kinds, also for packing that needs one more package
        why = " ".join(str(error).split())[:60].rstrip(".") or type(error).__name__
        raise BadImage(_REFUSED.format(why)) from None
    image.getexif()[ExifTags.Base.Orientation] = turned
    return image


def _check_packing(page: Any, data: bytes) -> None:
    """Refuse a page whose parts unpack to more than they should: tifffile would unpack all of it. Raises BadImage."""
    if page.compression == 1:
        return
    if page.compression not in _DEFLATE:
        raise BadImage(_REFUSED.format(f"packed by {getattr(page.compression, 'name', page.compression)}"))
    most = math.prod(page.chunks) * page.dtype.itemsize
    for start, size in zip(page.dataoffsets, page.databytecounts, strict=True):
        if len(zlib.decompressobj().decompress(data[start : start + size], most + 1)) > most:
            raise BadImage("The picture is damaged: it unpacks to more than it should.")


_REFUSED = "This TIFF is of a kind that Sayso does not read ({}); save it as 8-bit RGB."


def _channels(pixels: np.ndarray, height: int, width: int, planar: bool) -> np.ndarray:
    """[h, w] or [h, w, 3] of the page's numbers. Raises BadImage for a page that is no flat picture."""
    pixels = np.squeeze(pixels)
    if pixels.ndim == 3 and planar and pixels.shape[1:] == (height, width):
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.shape[:2] != (height, width) or pixels.ndim > 3:
        raise BadImage(_REFUSED.format("it is no flat picture"))
    if pixels.ndim == 3:
        return pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, 0]
    return pixels


def _eight_bits(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * 255
    if pixels.dtype == np.uint16:
        return sixteen_bits(pixels)
    return stretched(pixels.astype(np.float32))


def sixteen_bits(pixels: np.ndarray) -> np.ndarray:
    """Numbers of 16 bits as 8; of 10, 12 or 14 bits in 16, as sensors give them, by the range that they have."""
    low, high = (int(pixels.min()), int(pixels.max())) if pixels.size else (0, 0)
    if 0 < high - low < _TEN_BITS_LESS:
        return ((pixels.astype(np.uint32) - low) * 255 // (high - low)).astype(np.uint8)
    return (pixels >> 8).astype(np.uint8)


def stretched(values: np.ndarray) -> np.ndarray:
    """Numbers of any range as 8-bit grey, lowest black, highest white."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    # nan_to_num first: NaN is black, and an infinity is as far as the numbers go
    filled = np.nan_to_num(values, nan=low, neginf=low, posinf=high) / 2  # halves, so that the range cannot overflow
    return ((filled - low / 2) / ((high / 2 - low / 2) or 1) * 255).astype(np.uint8)
