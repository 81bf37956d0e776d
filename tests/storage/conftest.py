"""One contract for both databases: the files named here run on SQLite and on PostgreSQL, test by test the same.

On PostgreSQL each home has a database of its own instead of its sayso.db. What is about SQLite's file is marked `sqlite`.
"""

from contextlib import ExitStack
from pathlib import Path

import pytest

from storage.database import Database
from tests.support.postgres import postgres  # noqa: F401

HERE = Path(__file__).parent
BOTH = (
    *(
        "people/test_people",
        "test_database",
        "test_jobs",
        "test_library",
        "test_webhooks",
        "classifiers/test_reports",
        "classifiers/test_sessions",
    ),
    *("classifiers/test_versions", "labels/test_labels", "labels/test_parts", "search/test_albums", "search/test_handmade"),
    *("search/test_places", "search/test_search", "pictures/test_identity", "pictures/test_ratings", "pictures/test_map"),
    *(
        "vectors/test_index",
        "vectors/test_contract",
        "vectors/test_prompt_cache",
        "export/test_aside",
        "export/test_roundtrip",
    ),
)


def pytest_generate_tests(metafunc):
    file = Path(metafunc.definition.path).relative_to(HERE).with_suffix("").as_posix()
    if file in BOTH and not metafunc.definition.get_closest_marker("sqlite"):
        metafunc.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def database_kind(request, monkeypatch):
    """Which database the libraries of a test are in: with PostgreSQL, whatever asks for a file gets a server's."""
    kind = getattr(request, "param", "sqlite")
    with ExitStack() as lent:
        if kind == "postgresql":
            server = request.getfixturevalue("postgres")
            urls: dict[Path, str] = {}

            def at(path):
                if path not in urls:
                    urls[path] = lent.enter_context(server.database())
                return Database(urls[path])

            monkeypatch.setattr(Database, "at", at)
        yield kind
