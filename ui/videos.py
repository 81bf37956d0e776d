"""Videos that are dropped: each is taken as its frames, a second apart, whose names say when. Needs the extra `video`."""

import io
import os
from collections.abc import Generator
from pathlib import Path

from clipcore import SaysoError, Step
from clipcore.pictures.finding import VIDEOS
from clipcore.pictures.video import frames
from storage import Library

EVERY = 1.0  # seconds
MOST = 3600  # frames of one video: an hour


def iter_frames_of(library: Library, files: list[str]) -> Generator[Step, None, tuple[list[str], list[tuple[str, str]]]]:
    """The files with each video replaced by its frames, kept below the home folder; and the videos that could not be read,
    with a sentence each. `static/classify/film.js` reads the names again."""
    found: list[str] = []
    skipped: list[tuple[str, str]] = []
    for file in files:
        if os.path.splitext(file)[1].lower() not in VIDEOS:
            found.append(file)
            continue
        stem, before = Path(file).stem, len(found)
        try:
            for time, picture in frames(Path(file), EVERY):
                out = io.BytesIO()
                picture.save(out, "JPEG", quality=90)
                found.append(
                    str(library.keep_upload(out.getvalue(), f"{stem} at {int(time) // 60:03}m{int(time) % 60:02}s.jpg"))
                )
                yield Step(len(found) - before, 0, f"taking the frames of {stem}")
                if len(found) - before == MOST:
                    break
        except SaysoError as error:
            skipped.append((file, str(error)))
    return found, skipped
