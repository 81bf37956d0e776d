"""The rule of the house, read from the import statements: app -> {cli, ui} -> {storage, training} -> clipcore, and inside
each package an import goes down a floor or stays in its room."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What the code of each package must not import, anywhere in its files.
FORBIDDEN = {
    "clipcore": {"storage", "training", "cli", "ui", "app", "gradio", "fastapi", "sqlalchemy", "faiss"},
    "storage": {"training", "cli", "ui", "app", "gradio", "fastapi", "torch", "open_clip"},
    "training": {"storage", "cli", "ui", "app", "gradio", "fastapi", "sqlalchemy", "faiss"},
    "cli": {"app", "ui", "gradio", "fastapi", "sqlalchemy", "faiss"},
    "ui": {"app", "cli", "torch", "open_clip", "sqlalchemy", "faiss"},
}

# The floors of each package, the lowest first; rooms of one floor do not know each other. What stands beside the rooms of a
# package is its ground floor, whose modules may know each other, or is named here. `__init__` is the face, above all floors.
FLOORS = {
    "clipcore": ["*", "pictures", "encoding", "models classify", "advice measure"],
    "storage": [
        "*",
        "people vectors",
        "pictures",
        "classifiers",
        "search",
        "export",
        "labels",
        "library",
        "jobs care",
        "pieces telling",
    ],
    "training": ["*", "data", "heads", "towers", "runs"],
    "ui": ["*", "guard", "library", "measure", "bias models sessions v1", "classify", "page work", "api", "server"],
    "cli": ["common", "sets", "*"],
}


def imported(file: Path, root: Path) -> frozenset[str]:
    """Every name that the file imports, relative ones spelled out: `from .a import b` in clipcore gives clipcore.a.b."""
    return imported_by(file.read_text(), file.relative_to(root).parts)


@cache
def imported_by(code: str, place: tuple[str, ...]) -> frozenset[str]:
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            here = place[: -node.level] if node.level else ()
            base = ".".join([*here, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return frozenset(names)


def violations(root: Path) -> list[str]:
    found = []
    for package, forbidden in FORBIDDEN.items():
        for file in sorted((root / package).rglob("*.py")):
            names = sorted(name for name in imported(file, root) if name.split(".")[0] in forbidden)
            found += [f"{file.relative_to(root).as_posix()} imports {name}" for name in names]
    return found


def test_house_keeps_its_rule():
    assert violations(ROOT) == []


def upward(root: Path) -> list[str]:
    """Imports inside a package that run up, or into another room of the same floor."""
    found = []
    for package, floors in FLOORS.items():
        floor_of = {room: number for number, rooms in enumerate(floors) for room in rooms.split()}
        ground = floor_of.pop("*")
        rooms = {path.stem for path in (root / package).glob("*")} - {"__init__"}
        for file in sorted((root / package).rglob("*.py")):
            room = Path(file.relative_to(root / package).parts[0]).stem
            for name in sorted(imported(file, root)):
                other = name.split(".")[1] if name.startswith(f"{package}.") else room
                if room in rooms and other in rooms - {room}:
                    here, there = floor_of.get(room, ground), floor_of.get(other, ground)
                    if there > here or there == here != ground:
                        found.append(f"{file.relative_to(root).as_posix()} imports {name}")
    return found


def test_arrows_inside_each_package_run_down():
    assert upward(ROOT) == []


def test_every_room_has_its_floor():
    for package, floors in FLOORS.items():
        named = {room for rooms in floors for room in rooms.split()} - {"*"}
        assert named <= {path.stem for path in (ROOT / package).iterdir()}, "a room that is named is there"
        folders = {file.parent.name for file in (ROOT / package).glob("*/__init__.py")}
        assert folders - named <= {"wordnet", "migrations"}, "a folder that is there has a floor"


def circle(root: Path, package: str) -> list[str]:
    """Modules of a folder that import each other in a circle, also late or for types only; none if there is no circle."""
    files = {".".join(file.relative_to(root).with_suffix("").parts): file for file in (root / package).glob("*.py")}
    waits = {
        name: {other for other in files if other != name and other in imported_modules(file, root)}
        for name, file in files.items()
        if file.name != "__init__.py"
    }
    while free := [name for name, others in waits.items() if not others & waits.keys()]:
        for name in free:
            del waits[name]
    return sorted(waits)


def imported_modules(file: Path, root: Path) -> frozenset[str]:
    names = imported(file, root)
    return names | {name.rpartition(".")[0] for name in names}


@pytest.mark.parametrize(
    "room",
    sorted(
        {
            path.parent.relative_to(ROOT).as_posix()
            for package in FLOORS
            for path in (ROOT / package).rglob("*.py")
            if "migrations" not in path.parts
        }
    ),
)
def test_no_module_imports_itself_by_way_of_another(room):
    assert circle(ROOT, room) == []


def test_every_file_says_what_it_is():
    for package in FLOORS:
        for file in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in file.parts:
                assert ast.get_docstring(ast.parse(file.read_text())), f"{file.relative_to(ROOT)} has no sentence at its top"


def test_an_arrow_that_runs_up_is_seen(tmp_path):
    for path, code in {
        "clipcore/errors.py": "from . import space",  # its own floor: allowed
        "clipcore/space.py": "from .pictures.reading import open_image",
        "clipcore/pictures/reading.py": "from ..errors import BadImage\nfrom . import raw",
        "clipcore/pictures/raw.py": "from ..encoding.encoder import Encoder\nfrom clipcore import load",
        "clipcore/models/loading.py": "from ..classify import prompts",
        "clipcore/classify/prompts.py": "",
        "clipcore/encoding/encoder.py": "",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(code)
    assert upward(tmp_path) == [
        "clipcore/models/loading.py imports clipcore.classify.prompts",
        "clipcore/pictures/raw.py imports clipcore.encoding.encoder.Encoder",
        "clipcore/space.py imports clipcore.pictures.reading.open_image",
    ]


def test_a_circle_is_seen(tmp_path):
    for path, code in {
        "a/b.py": "from .c import d",
        "a/c.py": "def late():\n    from . import b",
        "a/e.py": "from . import b",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(code)
    assert circle(tmp_path, "a") == ["a.b", "a.c", "a.e"]
    (tmp_path / "a/c.py").write_text("d = 1")
    assert circle(tmp_path, "a") == []


def test_rule_can_be_broken(tmp_path):
    for path, code in {
        "storage/b.py": "def late():\n    from training.heads.probe import probe",
        "training/c.py": "import storage.library as s, numpy",
        "ui/d/e.py": "import torch.nn\nimport gradio",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(code)

    assert violations(tmp_path) == [
        "storage/b.py imports training.heads.probe.probe",
        "training/c.py imports storage.library",
        "ui/d/e.py imports torch.nn",
    ]
