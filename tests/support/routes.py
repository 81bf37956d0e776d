"""What the page's elements ask for, without the page: to build that takes half a second, and each test begins anew."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from fastapi import FastAPI
from fastapi.testclient import TestClient

from ui.api import add_routes
from ui.studio import Studio


@contextmanager
def answering(studio: Studio) -> Iterator[TestClient]:
    """A client of the routes, while the studio works. Guards and page are tested in `ui/test_server.py`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        studio.start()
        yield
        studio.stop()

    app = FastAPI(lifespan=lifespan)
    add_routes(app, studio)
    with TestClient(app, base_url="http://127.0.0.1:7860") as client:
        yield client
