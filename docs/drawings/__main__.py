"""Draws the drawings of the sample library again: python -m docs.drawings. They lie in ui/drawings, and ship with Sayso."""

from pathlib import Path

from . import animals, living, made, places

FOLDER = Path(__file__).parents[2] / "ui" / "drawings"
DRAWINGS = {**animals.DRAWINGS, **living.DRAWINGS, **made.DRAWINGS, **places.DRAWINGS}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, draw in DRAWINGS.items():
        draw().finished().save(FOLDER / f"{name}.webp", quality=82, method=6)
    print(f"{len(DRAWINGS)} drawings are in {FOLDER}.")


if __name__ == "__main__":
    main()
