"""Photographs for the first minute: the ones that ship inside scikit-image, so nothing has to be downloaded."""

import shutil
from pathlib import Path

# scikit-image's file -> the name it gets; drawings, X-rays and test patterns are left out
PHOTOGRAPHS = {
    "astronaut.png": "astronaut.png",
    "brick.png": "brick wall.png",
    "camera.png": "man with camera.png",
    "chelsea.png": "cat.png",
    "clock_motion.png": "clock.png",
    "coffee.png": "coffee.png",
    "coins.png": "coins.png",
    "grass.png": "grass.png",
    "gravel.png": "gravel.png",
    "hubble_deep_field.jpg": "galaxies.jpg",
    "moon.png": "moon.png",
    "motorcycle_left.png": "motorcycle.png",
    "page.png": "page.png",
    "rocket.jpg": "rocket.jpg",
}
LABELS = "cat, cup of coffee, rocket, astronaut, motorcycle, coins, moon, brick wall"


def sample_folder(home: Path) -> Path:
    """The folder with the sample photographs, made below `home` on first use."""
    import skimage

    source = Path(skimage.__file__).parent / "data"
    folder = home / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for name, copy in PHOTOGRAPHS.items():
        if (source / name).is_file() and not (folder / copy).exists():
            shutil.copyfile(source / name, folder / copy)
    return folder
