"""The sample library: 60 photographs and drawings for the first minute, so that nothing has to be downloaded.

The photographs ship inside packages that Sayso needs; LICENSES.md has their licences. The drawings are Sayso's own, made
by `docs/drawings`.

With the starter and `LABELS`, 37 of the 60 get into the right place and 5 are left unsure. The starter has learnt from
photographs: 13 of these 15 are right, 24 of the 45 drawings. So there is something to correct, and to teach.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

from clipcore.pictures.photographs import PHOTOGRAPHS, photograph_file

LABELS = "people, cats, flowers, rocket, building, coffee, ship"
DRAWINGS = Path(__file__).with_name("drawings")
TEXTURES = ("brick wall.png", "grass.png")  # nobody sorts such pictures by what is on them
MORE = {
    "flower.jpg": ("sklearn", "datasets/images/flower.jpg"),
    "temple.jpg": ("sklearn", "datasets/images/china.jpg"),
    "woman in uniform.jpg": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
}


def sample_photographs() -> dict[str, Path]:
    """Where the photographs lie on this computer, by their plain names; what a package has left out is not among them."""
    files = {known.name: photograph_file(known) for known in PHOTOGRAPHS if known.name not in TEXTURES}
    for name, (package, rest) in MORE.items():
        spec = find_spec(package)  # asked and not imported: matplotlib takes its time
        if spec and spec.origin:
            files[name] = Path(spec.origin).parent / rest
    return {name: file for name, file in files.items() if file.is_file()}


def sample_files() -> dict[str, Path]:
    """Where the photographs and the drawings lie, by their names."""
    return {**sample_photographs(), **{file.name: file for file in sorted(DRAWINGS.glob("*.webp"))}}


def sample_folder(home: Path) -> Path:
    """The folder with the sample pictures, made below `home` on first use."""
    folder = home / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sample_files().items():
        if not (folder / name).exists():
            shutil.copyfile(source, folder / name)
    return folder
