"""The package that a checkout becomes: one name, which works without the checkout; and its parts agree with each other."""

import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import install
from cli import __version__
from clipcore.models import is_here
from release.__main__ import with_release, with_version
from release.package import ROOMS, in_package, write_package
from tests.support.commands import invoke
from tests.support.fakes import photo

ROOT = Path(__file__).parents[1]
WALK = """
import importlib, json, pkgutil, sys
import sayso
alone = sorted(name for name in sys.modules if name.startswith("sayso"))
names = [found.name for found in pkgutil.walk_packages(sayso.__path__, "sayso.") if not found.name.endswith("__main__")]
for name in names:
    if ".migrations" not in name:  # Alembic runs these
        importlib.import_module(name)
from sayso.app import main
own = [name for name in sys.modules if name.split(".")[0] in sys.argv[1].split()]
print(json.dumps({"alone": alone, "names": len(names), "own": own}))
sys.argv[1:] = sys.argv[2:]
main()
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    write_package(ROOT, folder / "sayso")
    return folder


@pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")
def test_package_works_alone_and_leaves_one_name(package, tmp_path):
    """Every module of it can be imported, none by its name in a checkout, and a command classifies with the starter."""
    photo(tmp_path / "rot.png", "red")
    environment = {
        **os.environ,
        "PYTHONPATH": str(package),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SAYSO_HOME": str(tmp_path / "home"),
    }
    words = ["classify", "rot.png", "--labels", "red, green", "--json"]
    done = subprocess.run(
        [sys.executable, "-c", WALK, " ".join((*ROOMS, "app")), *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found, answer = map(json.loads, done.stdout.splitlines())
    assert found["alone"] == ["sayso"], "the library can be had without the command line"
    assert found["own"] == []
    assert found["names"] > 200
    assert answer["label"] == "red"


def test_package_has_what_a_checkout_has(package):
    made = {file.relative_to(package / "sayso").as_posix() for file in package.rglob("*") if file.is_file()}
    assert {"py.typed", "__main__.py", "app.py", "ui/static/shared/parts.css", "storage/migrations/env.py"} <= made
    assert not any("__pycache__" in name or name.startswith("tests") for name in made)
    assert not [file for file in package.rglob("*.py") if "python app.py" in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize(
    ("code", "instead"),
    [
        ("from clipcore import load\n", "from sayso.clipcore import load\n"),
        ("def f():\n    from storage.labels.moves import Place, \\\n        x\n", None),
        ("import clipcore as c  # ours\n", "from sayso import clipcore as c  # ours\n"),
        ("from .storage import x\nimport clipcore_other\n", "from .storage import x\nimport clipcore_other\n"),
        ('"""from storage we go"""\n', '"""from storage we go"""\n'),
        ('say("python app.py restore; torchrun app.py pretrain")\n', 'say("sayso restore; torchrun -m sayso pretrain")\n'),
    ],
)
def test_imports_and_sentences_are_rewritten(code, instead):
    assert in_package(code) == (instead or code.replace("from storage", "from sayso.storage"))


@pytest.mark.parametrize("code", ["import clipcore.models\n", "import clipcore, storage\n"])
def test_what_cannot_be_rewritten_is_refused(code):
    with pytest.raises(ValueError, match="one by one"):
        in_package(code)


def test_version_is_said():
    assert invoke("--version")[0] == f"sayso {__version__}\n"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["version"]["path"] == "cli/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+)?", __version__)


def test_lock_has_every_requirement_within_its_range():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = dict(re.match(r"([\w.-]+)==([\w.]+)", line).groups() for line in lines if line and line[0] not in " #")
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            wanted = Requirement(line.partition("#")[0])
            name = re.sub(r"[._-]+", "-", wanted.name).lower()
            assert wanted.specifier.contains(locked[name]), f"{wanted} is not in requirements.lock as it should be"


def test_every_requirement_has_its_licence_listed():
    text = (ROOT / "LICENSES.md").read_text(encoding="utf-8").lower()
    for file in (ROOT / "requirements.txt", *(ROOT / "requirements-extras").glob("*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                name = re.sub(r"[._-]+", "-", Requirement(line.partition("#")[0]).name).lower()
                assert f"| {name} " in text, f"write it again: python -m release.licences ({name} is not in LICENSES.md)"


def test_release_moves_what_was_unreleased():
    changes = "# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n"
    released = with_release(changes, "1.0.0", date(2026, 2, 3))
    assert released.index("## Unreleased") < released.index("## 1.0.0 (2026-02-03)") < released.index("- A thing.")
    assert with_version('x = 1\n__version__ = "0.9.0.dev0"\n', "1.0.0") == 'x = 1\n__version__ = "1.0.0"\n'
    with pytest.raises(SystemExit, match="nothing under Unreleased"):
        with_release("## Unreleased\n\n## 0.1.0\n- Old.\n", "1.0.0", date(2026, 2, 3))


def test_install_takes_pips_torch_where_the_fitting_one_cannot_be_reached(monkeypatch, capfd):
    asked = []

    def unreachable(*command, **environment):
        asked.append(command)
        raise subprocess.CalledProcessError(2, command)

    monkeypatch.setattr(install, "run", unreachable)
    monkeypatch.setattr("shutil.which", lambda name, path=None: "uv" if path is None else None)
    install.install_torch("auto", ["-c", "requirements.lock"])
    (command,) = asked
    assert command[command.index("--torch-backend") + 1] == "auto"
    assert [word.partition(">")[0] for word in command[-4:-2]] == ["torch", "torchvision"]
    assert "pip's comes instead" in capfd.readouterr().err
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    install.install_torch("auto", [])  # nor can uv be had
    assert "pip's comes instead" in capfd.readouterr().err


def test_install_says_what_a_bare_debian_lacks(monkeypatch, tmp_path):
    def fails(folder, **options):
        folder.mkdir()
        raise subprocess.CalledProcessError(1, "ensurepip")

    monkeypatch.setattr("venv.create", fails)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        install.make_environment(tmp_path / "venv")
    assert not (tmp_path / "venv").exists()


def test_install_names_an_extra_that_is_not_there(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["install.py", "--extra", "heif"])
    with pytest.raises(SystemExit, match=r"no requirements-extras/heif\.txt"):
        install.main()
