"""The checkout as one package, `sayso`: the same rooms inside it, so that an installation leaves no name but its own.

In a checkout `clipcore`, `storage` and the others stand at the top, and import each other by these names. In the package
they are `sayso.clipcore` and so on: their imports are rewritten, and sentences that name the command say `sayso`.
"""

import ast
import re
import shutil
from pathlib import Path

ROOMS = ("cli", "clipcore", "storage", "training", "ui")
FACE = Path(__file__).with_name("face")  # what the package has beside the rooms
LEFT_OUT = {"__pycache__"}
_COMMANDS = (
    (re.compile(r"\btorchrun app\.py"), "torchrun -m sayso"),
    (re.compile(r"\bpython app\.py"), "sayso"),
    (re.compile(rf"\bpython -m ({'|'.join(ROOMS)})\b"), r"python -m sayso.\1"),
)


def write_package(root: Path, target: Path) -> None:
    """Write the package `sayso` of the checkout at `root` to the folder `target`, which is made."""
    sources = [root / "app.py", *(file for room in ROOMS for file in sorted((root / room).rglob("*")))]
    places = [(source, target / source.relative_to(root)) for source in sources]
    places += [(source, target / source.relative_to(FACE)) for source in sorted(FACE.rglob("*"))]
    for source, place in places:
        if source.is_dir() or LEFT_OUT & set(source.parts) or source.suffix == ".part":
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".py":
            place.write_text(in_package(source.read_text(encoding="utf-8")), encoding="utf-8")
        else:
            shutil.copyfile(source, place)


def in_package(code: str) -> str:
    """A module of the checkout as it stands in the package. Raises ValueError for an import that cannot be rewritten."""
    lines = code.splitlines(keepends=True)
    own = {*ROOMS, "app"}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and not node.level and str(node.module).split(".")[0] in own:
            old, new = f"from {node.module}", f"from sayso.{node.module}"
        elif isinstance(node, ast.Import) and any(alias.name.split(".")[0] in own for alias in node.names):
            (alias, *others) = node.names
            if others or "." in alias.name:
                raise ValueError(f"`{ast.unparse(node)}`: import our own one by one, and parts of them by `from`")
            old, new = f"import {alias.name}", f"from sayso import {alias.name}"
        else:
            continue
        lines[node.lineno - 1] = lines[node.lineno - 1].replace(old, new, 1)
    code = "".join(lines)
    for command, instead in _COMMANDS:
        code = command.sub(instead, code)
    return code
