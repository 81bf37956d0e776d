"""Photographs for the first minute: ones that ship inside packages that Sayso needs, so nothing has to be downloaded.

With the starter and `LABELS`, 12 of the 13 get into the right place, three of them into "none of these", where no other
goes. Most are in the public domain or CC0; temple.jpg is by danielbuechele and flower.jpg by vultilion, both from Flickr
(CC BY 2.0).
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

from clipcore.pictures.photographs import PHOTOGRAPHS, photograph_file

LABELS = "person, cat, flowers, motorcycle, rocket, building, coffee"
TEXTURES = ("brick wall.png", "clock.png", "grass.png", "gravel.png")  # nobody sorts such pictures by what is on them
MORE = {
    "flower.jpg": ("sklearn", "datasets/images/flower.jpg"),
    "temple.jpg": ("sklearn", "datasets/images/china.jpg"),
    "woman in uniform.jpg": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
}


def sample_files() -> dict[str, Path]:
    """Where the photographs lie on this computer, by their plain names; what a package has left out is not among them."""
    files = {known.name: photograph_file(known) for known in PHOTOGRAPHS if known.name not in TEXTURES}
    for name, (package, rest) in MORE.items():
        spec = find_spec(package)  # asked and not imported: matplotlib takes its time
        if spec and spec.origin:
            files[name] = Path(spec.origin).parent / rest
    return {name: file for name, file in files.items() if file.is_file()}


def sample_folder(home: Path) -> Path:
    """The folder with the sample photographs, made below `home` on first use."""
    folder = home / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sample_files().items():
        if not (folder / name).exists():
            shutil.copyfile(source, folder / name)
    return folder
