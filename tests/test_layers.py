"""The rule of the house: app -> {cli, ui} -> {storage, training} -> clipcore, read from the import statements."""

import ast
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


def imported(file: Path, root: Path) -> set[str]:
    """Every name that the file imports, relative ones spelled out: `from .a import b` in clipcore gives clipcore.a.b."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            here = file.relative_to(root).parts[: -node.level] if node.level else ()
            base = ".".join([*here, *([node.module] if node.module else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def violations(root: Path) -> list[str]:
    found = []
    for package, forbidden in FORBIDDEN.items():
        for file in sorted((root / package).rglob("*.py")):
            for name in sorted(imported(file, root)):
                measure = package == "clipcore" and "measure" not in file.parts and name.startswith("clipcore.measure")
                if name.split(".")[0] in forbidden or measure:
                    found.append(f"{file.relative_to(root).as_posix()} imports {name}")
    return found


def test_house_keeps_its_rule():
    assert violations(ROOT) == []


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


def imported_modules(file: Path, root: Path) -> set[str]:
    names = imported(file, root)
    return names | {name.rpartition(".")[0] for name in names}


@pytest.mark.parametrize("package", ["clipcore", "training", "cli", "ui"])
def test_no_module_imports_itself_by_way_of_another(package):
    assert circle(ROOT, package) == []


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
        "clipcore/a.py": "from .measure.report import wilson\nfrom . import measure",
        "clipcore/measure/report.py": "from .. import zeroshot\nfrom . import board",  # allowed
        "storage/b.py": "def late():\n    from training.probe import probe",
        "training/c.py": "import storage.library as s, numpy",
        "ui/d/e.py": "import torch.nn\nimport gradio",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(code)

    assert violations(tmp_path) == [
        "clipcore/a.py imports clipcore.measure",
        "clipcore/a.py imports clipcore.measure.report.wilson",
        "storage/b.py imports training.probe.probe",
        "training/c.py imports storage.library",
        "ui/d/e.py imports torch.nn",
    ]
