"""A video as its frames: one every so many seconds, upright RGB. Needs the extra `video` (PyAV)."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ..errors import BadImage, BadInput
from ..plain import open_plain
from .finding import display_path

MOST = 20_000  # frames of a video that are looked at
MISSING = "Videos need the extra “video”: python install.py --extra video, or pip install av."


def frames(path: Path, every: float = 1.0) -> Iterator[tuple[float, Image.Image]]:
    """The time in seconds and the picture of the first frame of each `every` seconds.

    A damaged end gives what comes before it. Raises BadInput for an `every` that is no time or a missing extra, BadImage for
    a file without a video.
    """
    try:
        import av
    except ImportError:
        raise BadInput(MISSING, page="Videos need the extra “video”. Whoever installed Sayso can add it.") from None
    if not every > 0:
        raise BadInput("Say after how many seconds to look again, such as 1.")
    shown = 0
    try:
        with open_plain(path) as file, av.open(file, "r") as container:
            if not container.streams.video:
                raise BadImage(f"{display_path(path)} has no video in it.")
            container.streams.video[0].thread_type = "AUTO"
            wanted = 0.0
            for frame in container.decode(video=0):
                time = float(frame.time or 0.0)
                if time + 1e-6 < wanted:
                    continue
                yield time, _upright(frame)
                shown += 1
                if shown == MOST:
                    return
                wanted = (time // every + 1) * every
    except (av.error.FFmpegError, OSError) as error:
        if not shown:
            raise BadImage(f"{display_path(path)} cannot be read as a video ({error}).") from None


def _upright(frame: object) -> Image.Image:
    picture: Image.Image = frame.to_image()  # type: ignore[attr-defined]  # av has no stubs where it is not installed
    turn = getattr(frame, "rotation", 0)
    return picture.rotate(turn, expand=True) if turn else picture
