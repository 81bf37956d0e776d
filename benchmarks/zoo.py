"""Files of all kinds, as they lie on people's disks, added to a library: 20,000 of them (quick: 1,000), time and memory.

Beside it, Pillow alone opening the same files. `python -m benchmarks.zoo` writes the table of docs/files.md.
"""

import resource
import tempfile
import time
from pathlib import Path

from PIL import Image

import clipcore
from storage import Library
from tests.support.fakes import FakeEncoder
from tests.support.zoo import NOTED, NOTHING, READ, SKIPPED, Odd, files, lay_out, scene, sets

from .pairs import Row

OTHER = "Pillow alone"
DOCS = Path(__file__).parents[1] / "docs" / "files.md"


def run(quick: bool) -> list[Row]:
    """A mixture of all files of the zoo, most of them again as other pictures of the same kind."""
    size = 1_000 if quick else 20_000
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "files"
        many(folder, size)
        encoder = clipcore.load()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with Library(Path(place) / "home", encoder) as library:
            began = time.perf_counter()
            added = library.add(folder)
            ours = time.perf_counter() - began
            said = len(added.skipped)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began = time.perf_counter()
            library.add(folder)
            again = time.perf_counter() - began
        began = time.perf_counter()
        opened = sum(map(_opens, folder.rglob("*")))
        theirs = time.perf_counter() - began
    kinds = f"{size:,} files of mixed kinds"
    return [
        Row(f"{kinds} added with the starter, against opening them", round(ours, 1), round(theirs, 1), 0, "seconds", 1),
        Row(f"{kinds} looked at again", round(again, 2), round(theirs, 1), round(theirs / again, 1), "seconds", 1),
        Row("memory at the most, against before", round(peak / 2**20, 2), round(before / 2**20, 2), 0, "GiB", 1),
        Row("pictures that are read", added.new + added.known, opened, 0, "files", 1),
        Row("files that are skipped, each with its reason", said, 0, 0, "files", 1),
    ]


def many(folder: Path, size: int) -> None:
    """So many files: the zoo, and pictures of four sizes and four formats that are like no others."""
    found = files()
    for odd in found[:size]:
        lay_out(folder, odd)
    formats = (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("TIFF", "tif"))
    for number in range(max(0, size - len(found))):
        format, ending = formats[number % 4]
        path = folder / f"more/{number // 1000}/{number}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        side = (160, 320, 640, 960)[number // 4 % 4]
        scene(number, (side, side * 3 // 4)).save(path, format)


def _opens(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
        return True
    except Exception:
        return False


def seen() -> dict[str, str]:
    """What becomes of each file of the zoo, by its situation."""
    with tempfile.TemporaryDirectory() as place:
        places = {str(lay_out(Path(place) / "files", odd)): odd for odd in files()}
        with Library(Path(place) / "home", FakeEncoder(batch_size=16)) as library:  # type: ignore[arg-type]
            added = library.add(Path(place) / "files")
            there = {image.path for image in library.images(limit=10_000)}
        skipped, noted = ({bad.path for bad in some} for some in (added.skipped, added.noted))
    return {odd.situation: _fate(path, there, skipped, noted) for path, odd in places.items()}


def _fate(path: str, there: set[str], skipped: set[str], noted: set[str]) -> str:
    if path in there:
        return NOTED if path in noted else READ
    return SKIPPED if path in skipped else NOTHING


def table() -> str:
    """The tables of docs/files.md."""
    found = seen()
    lines = ["| file | right | seen |", "|---|---|---|"]
    lines += [f"| {cell(odd.situation)} | {odd.right} | {found[odd.situation]} |" for odd in files()]
    lines += ["", "| data set | its classes | learned from | measured on |", "|---|---|---|---|"]
    for odd in sets():
        parts = [_counts(odd.right), *(_counts(part) if part else "all" for part in (odd.learned, odd.measured))]
        lines.append(f"| {cell(odd.situation)} | {' | '.join(parts)} |")
    return "\n".join(lines) + "\n"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def cell(text: str) -> str:
    """Text as a cell of such a table."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    """Write the tables below the first part of docs/files.md."""
    head = DOCS.read_text(encoding="utf-8").split("\n## The zoo")[0]
    kinds = len([odd for odd in files() if isinstance(odd, Odd)])
    told = f"{kinds} files and {len(sets())} data sets, made and walked through by `tests/test_zoo.py`."
    DOCS.write_text(
        f"{head}\n## The zoo\n\n{told} `python -m benchmarks.zoo` writes this part.\n\n{table()}", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
