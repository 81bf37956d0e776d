"""Frames become one moving picture: only what has changed is drawn again, and a pointer shows where somebody clicks."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

ARROW = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (13, 12))  # the usual pointer, its tip at 0, 0


class Film:
    """What a page shows, frame by frame. `width` in pixels is that of the picture, whatever the window's."""

    def __init__(self, page: Any, width: int) -> None:
        self.page, self.width = page, width
        self.frames: list[tuple[Image.Image, int]] = []
        self.at = (620.0, 420.0)

    def show(self, milliseconds: int) -> None:
        """The page as it is now, for so long."""
        frame = Image.open(BytesIO(self.page.screenshot())).convert("RGB")
        draw = ImageDraw.Draw(frame)
        outline = [(self.at[0] + x, self.at[1] + y) for x, y in ARROW]
        draw.polygon(outline, fill="black", outline="white")
        size = (self.width, round(frame.height * self.width / frame.width))
        frame = frame.resize(size, Image.Resampling.LANCZOS)
        if self.frames and self.frames[-1][0].tobytes() == frame.tobytes():
            self.frames[-1] = (frame, self.frames[-1][1] + milliseconds)
        else:
            self.frames.append((frame, milliseconds))

    def go_to(self, node: Any, steps: int = 4) -> None:
        """Lead the pointer to a node of the page."""
        node.scroll_into_view_if_needed()
        box = node.bounding_box()
        end = (box["x"] + min(box["width"] / 2, 60), box["y"] + box["height"] / 2)
        start = self.at
        for step in range(1, steps + 1):
            self.at = tuple(a + (b - a) * step / steps for a, b in zip(start, end, strict=True))
            self.page.mouse.move(*self.at)
            self.show(60)

    def click(self, node: Any) -> None:
        self.go_to(node)
        node.click()

    def type(self, words: str, at_once: int = 2) -> None:
        """Type into what has the focus."""
        for start in range(0, len(words), at_once):
            self.page.keyboard.type(words[start : start + at_once])
            self.show(90)

    def save(self, file: Path, quality: int = 62) -> None:
        first, *rest = [frame for frame, _ in self.frames]
        times = [time for _, time in self.frames]
        first.save(file, save_all=True, append_images=rest, duration=times, loop=0, quality=quality, method=6)


@contextmanager
def chromium_page(width: int, height: int, **options: Any) -> Iterator[Any]:
    """A window of Chromium's that makes no movement of its own."""
    from playwright.sync_api import sync_playwright

    from tests.support.browser import ARGS, CHROMIUM, SETTINGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page = browser.new_page(**{**SETTINGS, "viewport": {"width": width, "height": height}, **options})
        page.set_default_timeout(120_000)
        yield page
        browser.close()
