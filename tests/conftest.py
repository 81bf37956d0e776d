"""Fixtures for all tests. No test may touch the user's own folders or the network."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from tests.support.browser import browser, open_page, page, url, usual_page  # noqa: F401
from tests.support.fakes import FakeEncoder, photo
from tests.support.tables import written

# The files that take longest (browser, processes, training). `make test` begins with them: of two workers, one that takes
# such a file last leaves the other idle.
LONG = (
    *("browser/test_page", "browser/test_library", "browser/test_board", "browser/test_models", "browser/test_measure"),
    *("browser/test_bias", "browser/test_bench", "clipcore/encoding/test_gpu", "browser/test_export", "browser/test_names"),
    *("browser/test_axe", "training/towers/test_contrastive", "cli/test_commands", "training/towers/test_distributed"),
    *("test_use_classifier", "browser/test_why", "training/runs/test_estimate", "training/towers/test_dictionary"),
    *("cli/test_training", "ui/models/test_finetune_job", "clipcore/classify/test_zeroshot", "clipcore/models/test_models"),
    *("ui/classify/test_board", "ui/library/test_selection", "storage/test_crash", "storage/test_library"),
)


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="the long form of tests/security and tests/faults")


@pytest.fixture(scope="session")
def long(request):
    """Whether the long form was asked for."""
    return request.config.getoption("--long")


def pytest_terminal_summary(terminalreporter, config):
    if config.getoption("--long"):
        every = (one for some in terminalreporter.stats.values() for one in some)
        reports = (one for one in every if hasattr(one, "when"))  # not those that were left out
        for line in ("", *written(reports)):
            terminalreporter.write_line(line)


def pytest_xdist_auto_num_workers():
    """One more than there are cores: a journey waits for its browser or its server half of the time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items):
    rank = {name: i for i, name in enumerate(LONG)}
    here = Path(__file__).parent
    items.sort(key=lambda item: rank.get(item.path.relative_to(here).with_suffix("").as_posix(), len(LONG)))


@pytest.fixture(autouse=True, scope="session")
def _private_folders(tmp_path_factory):
    os.environ["SAYSO_HOME"] = str(tmp_path_factory.mktemp("home"))
    os.environ["SAYSO_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def encoder():
    return FakeEncoder()


@pytest.fixture
def photos(tmp_path):
    """A folder with two red, one green and one blue picture."""
    folder = tmp_path / "photos"
    for name, colour in (("a.png", "red"), ("b.jpg", "red"), ("c.png", "green"), ("sub/d.webp", "blue")):
        # sizes differ so that the two red pictures are not the same file
        photo(folder / name, colour, size=(32, 24) if name != "b.jpg" else (40, 30))
    return folder
