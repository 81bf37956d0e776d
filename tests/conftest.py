"""Fixtures for all tests. No test may touch the user's own folders or the network."""

import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from tests.browser import browser, open_page, page, url  # noqa: F401
from tests.fakes import FakeEncoder, photo

# The files that take longest (browser, processes, training). `make test` begins with them: of two workers, one that takes
# such a file last leaves the other idle.
LONG = (
    *("test_browser_board", "test_browser", "test_browser_library", "test_browser_measure", "test_browser_bench"),
    *("test_contrastive", "test_browser_models", "test_browser_bias", "test_browser_export", "test_browser_names"),
    *("test_cli_training", "test_cli", "test_distributed", "test_finetune_job", "test_teaching", "test_models"),
    *("test_browser_why", "test_crash", "test_modelling", "test_selftest"),
)


def pytest_collection_modifyitems(items):
    rank = {name: i for i, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONG)))


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
