"""Photographs for the first minute: the ones that ship inside scikit-image, so nothing has to be downloaded."""

import shutil
from pathlib import Path

from clipcore.photographs import PHOTOGRAPHS, photograph_file

LABELS = "cat, cup of coffee, rocket, astronaut, motorcycle, coins, moon, brick wall"


def sample_folder(home: Path) -> Path:
    """The folder with the sample photographs, made below `home` on first use."""
    folder = home / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for photograph in PHOTOGRAPHS:
        source, copy = photograph_file(photograph), folder / photograph.name
        if source.is_file() and not copy.exists():
            shutil.copyfile(source, copy)
    return folder
