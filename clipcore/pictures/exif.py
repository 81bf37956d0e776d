"""What a camera or a program wrote into a picture: when and where it was taken, with what, which way is up, stars."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

_DATES = (  # the best first: the last one changes when the picture is edited
    (ExifTags.IFD.Exif, ExifTags.Base.DateTimeOriginal),
    (ExifTags.IFD.Exif, ExifTags.Base.DateTimeDigitized),
    (None, ExifTags.Base.DateTime),
)
_LONGEST = 100  # letters of a camera's name
STARS = 5
_RATING = 0x4746  # Windows's own tag
_XMP = 700  # TIFF's tag
_XMP_RATING = re.compile(rb"\b(?:xmp|xap):Rating\s*(?:=\s*[\"']|>)\s*(-?\d)")


@dataclass(frozen=True)
class Facts:
    """What a picture's header says. `width` and `height` are as a viewer shows it; `orientation` is EXIF's, 1 to 8.

    `taken` is the camera's own clock, without a time zone, since few cameras say theirs. `latitude` and `longitude` are
    degrees north and east, both or neither. `rating` is 1 to 5 stars, 0 for none.
    """

    width: int
    height: int
    orientation: int = 1
    taken: datetime | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    rating: int = 0


def read_exif(image: Image.Image) -> Any:
    """A picture's EXIF, from what stands before the pixels; empty where it is broken: such a photo is still a photo.

    Not `image.getexif()`: for a PNG that decodes the whole picture to look behind the pixels, where no viewer looks.
    """
    try:
        return Image.Image.getexif(image)
    except Exception:
        return Image.Exif()


def orientation(image: Image.Image, exif: Any) -> int:
    """Which way is up, 1 to 8, where 1 is as stored."""
    if image.format == "TIFF":  # Pillow turns these itself
        return 1
    try:
        value = int(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1
    return value if value in range(1, 9) else 1


def taken(exif: Any) -> datetime | None:
    """When the shutter was pressed, by the camera's clock. Cameras without one write zeros or blanks."""
    for part, tag in _DATES:
        try:
            value = exif.get_ifd(part).get(tag) if part else exif.get(tag)
            numbers = re.match(r"(\d{4})\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)\D(\d\d)", str(value))
            if numbers:
                return datetime(*map(int, numbers.groups()))  # type: ignore[arg-type]  # six numbers
        except Exception:  # a broken block, or a date that is none
            continue
    return None


def camera(exif: Any) -> str | None:
    """Maker and model in a few words; the maker only once."""
    make, model = (_text(exif, tag) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    if make and model and not model.lower().startswith(make.split()[0].lower()):
        return f"{make} {model}"[:_LONGEST]
    return (model or make)[:_LONGEST] or None


def position(exif: Any) -> tuple[float, float] | None:
    """Degrees north and east by the camera's GPS; None where it says nothing, nonsense, or the 0, 0 of one without a fix."""
    try:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        north = _degrees(gps[ExifTags.GPS.GPSLatitude], str(gps.get(ExifTags.GPS.GPSLatitudeRef, "N")), "S", 90)
        east = _degrees(gps[ExifTags.GPS.GPSLongitude], str(gps.get(ExifTags.GPS.GPSLongitudeRef, "E")), "W", 180)
    except Exception:  # no such block, a broken one, or a division by zero
        return None
    return (north, east) if (north, east) != (0.0, 0.0) else None


def rating(image: Image.Image, exif: Any) -> int:
    """The stars that a photo program wrote into a picture, as XMP or as Windows does; 0 for none, and for a rejected one."""
    try:
        packet = image.info.get("xmp") or getattr(image, "tag_v2", {}).get(_XMP) or b""
        stars = xmp_rating(packet if isinstance(packet, bytes) else str(packet).encode())
        return _stars(exif.get(_RATING, 0)) if stars is None else stars
    except Exception:  # a broken block
        return 0


def xmp_rating(packet: bytes) -> int | None:
    """The stars in XMP; None where it does not say."""
    said = _XMP_RATING.search(packet)
    return _stars(said[1]) if said else None


def _stars(value: Any) -> int:
    """Lightroom writes -1 for a rejected picture."""
    number = int(value)
    return number if 0 <= number <= STARS else 0


def _degrees(parts: Any, half: str, below_zero: str, most: int) -> float:
    """Degrees, minutes and seconds as one number. Raises ValueError where that is none on this Earth."""
    degrees, minutes, seconds = map(float, parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not 0 <= value <= most:
        raise ValueError(value)
    return -value if half.strip("\0 ").upper().startswith(below_zero) else value


def _text(exif: Any, tag: int) -> str:
    """A text tag as one line that can be printed and stored."""
    try:
        value = exif.get(tag)
    except Exception:  # the tag points outside of the block
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split()) if isinstance(value, str) else ""
