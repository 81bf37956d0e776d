"""The date in a file's name, as phones, chat programs and screenshots write it, for pictures whose camera wrote none.

    IMG-20230405-WA0007.jpg                     PXL_20230405_123456789.jpg      IMG_20230405_123456.jpg
    WhatsApp Image 2023-04-05 at 12.34.56.jpeg  Screenshot_20230405-123456.png  signal-2023-04-05-123456.jpg
    Bildschirmfoto 2023-04-05 um 12.34.56.png   photo_2023-04-05_12-34-56.jpg   2023-04-05 12.34.56.jpg

A day without a time is its noon. A date that is none, or lies before 1980 or in the future, is just a number.
"""

import os
import re
from datetime import datetime, timedelta

_DAY = r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)"
_TIME = r"(?:[-_ .T]|\s?(?:at|um|à|alle|kl\.?|a las|om|в)\s)*(\d{1,2})([-_.:h]?)([0-5]\d)\6([0-5]\d)(?:\d{3})?(?!\d)"
_FOUND = re.compile(rf"{_DAY}(?:(?!\d){_TIME}(?:\s?([AP])M)?)?(?!\d)", re.IGNORECASE)


def named_date(path: str | os.PathLike[str]) -> datetime | None:
    """The date in a file's name, or None."""
    for found in _FOUND.finditer(os.path.splitext(os.path.basename(os.fspath(path)))[0]):
        year, _, month, day, hour, _, minute, second, half = found.groups()
        try:
            date = datetime(int(year), int(month), int(day), 12)
            if hour is not None:
                hours = int(hour) % 12 + 12 * (half in "pP") if half else int(hour)
                date = date.replace(hour=hours, minute=int(minute), second=int(second))
        except ValueError:
            continue
        if datetime(1980, 1, 1) <= date <= datetime.now() + timedelta(days=1):
            return date
    return None
