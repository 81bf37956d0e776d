"""Make a release: python -m release 1.2.0

In a clean checkout: the version and the CHANGELOG get the number and today's date, wheel and source are built into dist/,
the wheel is installed into a bare environment and classifies a picture there; only then there are a commit and a tag.
`--check` does that for the version as it is, and writes no commit and no tag.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import install

ROOT = Path(__file__).parents[1]
VERSION, CHANGES = ROOT / "cli" / "__init__.py", ROOT / "CHANGELOG.md"
ROOM_NAMES = ("app", "benchmarks", "cli", "clipcore", "release", "storage", "tests", "training", "ui")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build, check and tag a release.")
    parser.add_argument("version", nargs="?", help="such as 1.2.0")
    parser.add_argument("--check", action="store_true", help="only build and check what is here")
    asked = parser.parse_args()
    if asked.check:
        build_and_check()
        return
    if not re.fullmatch(r"\d+\.\d+\.\d+", asked.version or ""):
        sys.exit("Say which version, such as 1.2.0.")
    if output("git", "status", "--porcelain"):
        sys.exit("The checkout has changes that are in no commit; commit them first.")
    if output("git", "tag", "--list", f"v{asked.version}"):
        sys.exit(f"There is a v{asked.version} already; choose the next number.")
    before = VERSION.read_text(encoding="utf-8"), CHANGES.read_text(encoding="utf-8")
    VERSION.write_text(with_version(before[0], asked.version), encoding="utf-8")
    try:
        CHANGES.write_text(with_release(before[1], asked.version, date.today()), encoding="utf-8")
        build_and_check()
    except BaseException:
        VERSION.write_text(before[0], encoding="utf-8")
        CHANGES.write_text(before[1], encoding="utf-8")
        raise
    run("git", "commit", "--quiet", "-m", f"Release {asked.version}", str(VERSION), str(CHANGES))
    run("git", "tag", "-a", f"v{asked.version}", "-m", f"Sayso {asked.version}")
    print(f"v{asked.version} is tagged and lies in dist/. Push it with: git push --follow-tags")


def with_version(code: str, version: str) -> str:
    """The module with another number in it."""
    found, count = re.subn(r'(?m)^__version__ = ".*"$', f'__version__ = "{version}"', code)
    assert count == 1
    return found


def with_release(changes: str, version: str, day: date) -> str:
    """The CHANGELOG with what was unreleased under this number. Exits with a sentence if there is nothing."""
    head, mark, rest = changes.partition("## Unreleased\n")
    if not mark or not rest.partition("\n## ")[0].strip():
        sys.exit("The CHANGELOG has nothing under Unreleased; say there what is new.")
    return f"{head}{mark}\n## {version} ({day:%Y-%m-%d})\n{rest}"


def build_and_check() -> None:
    """Build dist/, then use the wheel as someone would who has nothing else of Sayso's."""
    with tempfile.TemporaryDirectory() as folder:
        tools, bare = environment(Path(folder, "tools")), environment(Path(folder, "bare"))
        run(tools, "-m", "pip", "install", "--quiet", "build")
        for old in (ROOT / "dist").glob("sayso-*"):
            old.unlink()
        run(tools, "-m", "build", "--outdir", str(ROOT / "dist"), str(ROOT))
        (wheel,) = (ROOT / "dist").glob("sayso-*.whl")
        if (backend := os.environ.get("SAYSO_TORCH", "auto")) != "pip":
            install.install_torch(backend, [], Path(bare))
        run(bare, "-m", "pip", "install", "--quiet", str(wheel))
        check(bare, Path(folder))
    print(f"{wheel.name} works in a bare environment.")


def check(python: str, folder: Path) -> None:
    """The installed Sayso says its version, sorts a picture, and has left one name. `folder` is for what it writes."""
    sayso = str(next(Path(python).parent.glob("sayso*")))
    picture = output(python, "-c", "import skimage; print(skimage.__path__[0])", where=folder) + "/data/chelsea.png"
    run(sayso, "--version", where=folder)
    run(sayso, "classify", picture, "--labels", "cat, dog", "--home", str(folder / "home"), where=folder)
    names = f"import importlib.util as u; print([n for n in {ROOM_NAMES} if u.find_spec(n)])"
    if (left := output(python, "-c", names, where=folder)) != "[]":
        sys.exit(f"The wheel leaves names in everybody's Python: {left}")


def environment(folder: Path) -> str:
    """A bare virtual environment; its Python."""
    install.make_environment(folder)
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def run(*command: str, where: Path = ROOT) -> None:
    subprocess.run(command, cwd=where, check=True)


def output(*command: str, where: Path = ROOT) -> str:
    return subprocess.run(command, cwd=where, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"This did not work, so nothing is released: {' '.join(map(str, error.cmd))}")
