"""What clipcore offers, and what importing it costs."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import clipcore

ROOT = Path(__file__).parents[1]


def test_all_is_what_is_public():
    public = {
        name
        for name, value in vars(clipcore).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "TYPE_CHECKING"
    }
    assert public == set(clipcore.__all__)


@pytest.mark.parametrize("package", ["clipcore", "clipcore.encoding.stream", "clipcore.pictures.reading", "storage"])
def test_import_is_cheap(package):
    if not (ROOT / package.replace(".", "/")).exists() and not (ROOT / (package.replace(".", "/") + ".py")).exists():
        pytest.skip(f"{package} is not there yet")
    code = f"import sys, {package}; print(*sorted({{'torch', 'open_clip', 'gradio', 'sklearn'}} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_page_answers_before_torch_is_there():
    """What reads pictures is imported by the thread that loads the model; the page is up by then."""
    late = {"torch", "open_clip", "sklearn", "matplotlib"}
    code = f"import sys, ui.server, ui.page; print(*sorted({late} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_errors_are_one_family_drawn_as_it_is():
    """The tree in the docstring of `errors` names every class, children under their parents."""
    from clipcore import errors

    family = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(issubclass(error, clipcore.SaysoError) for error in family)
    assert all(error.__name__ in clipcore.__all__ for error in family)
    for error in family:
        assert f"{error.__name__} " in errors.__doc__ or error is clipcore.SaysoError
