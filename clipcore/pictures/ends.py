"""JPEG files that break off: used where all or nearly all of the picture is there, and a damaged file otherwise.

Cards that are pulled out and downloads that stop leave such files, and many viewers show them. How much is missing is seen
by decoding the file with two different fillings behind it: where the pictures begin to differ, it ended. A progressive JPEG
is a rough picture that is made finer; of it most scans must be there.
"""

import io

import numpy as np
from PIL import Image

CUT_OFF = "The file breaks off before its end; what there is of it, nearly all, is used."
MOST_MISSING = 0.05  # of the rows
ENOUGH_SCANS = 6  # of a progressive JPEG, which mostly has ten
_SCAN, _END = b"\xff\xda", b"\xff\xd9"
_FILLINGS = (b"\x00" * 2000, b"\x5b" * 2000)
_LEAST = 16  # rows that are decoded at once


def breaks_off(data: bytes) -> bool:
    """Whether a JPEG file has no mark of its end behind its pixels."""
    if data.endswith(_END):  # nearly all of them; searching for the last scan reads the file from its end to there
        return False
    return data.startswith(b"\xff\xd8") and _SCAN in data and data.find(_END, data.rfind(_SCAN)) < 0


def mended(data: bytes) -> bytes:
    """A JPEG file with a mark of its end, if nearly all of its picture is there; else the file as it is."""
    whole = data.rstrip(b"\xff") + _END
    with Image.open(io.BytesIO(whole), formats=("JPEG",)) as image:
        if image.info.get("progressive"):
            return whole if data.count(_SCAN) >= ENOUGH_SCANS else data
        rows = image.height
    one, other = (_rows(data.rstrip(b"\xff") + filling + _END) for filling in _FILLINGS)
    differing = np.flatnonzero((one != other).reshape(len(one), -1).any(1))
    missing = (len(one) - int(differing[0])) / len(one) * rows if len(differing) else 0
    return whole if missing <= max(_LEAST, MOST_MISSING * rows) and missing < rows / 2 else data


def _rows(data: bytes) -> np.ndarray:
    """A JPEG at the least scale, uint8 [h, w, ...]."""
    image = Image.open(io.BytesIO(data), formats=("JPEG",))
    image.draft(image.mode, (1, 1))
    return np.asarray(image)
