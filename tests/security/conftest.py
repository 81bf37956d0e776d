"""One server for each file: four pictures, a run, a saved classifier, an album, and a secret beside the home."""

import json
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from clipcore import UnknownModel, zero_shot_classifier
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from ui.server import create_app
from ui.studio import Studio

SECRET = "correct-horse-battery-staple"


def no_other(name):
    """There is no other model: looking for one would load torch."""
    raise UnknownModel("There is no such model here.")


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacked")
    for index, colour in enumerate(("red", "red", "green", "blue")):
        photo(folder / "photos" / f"{colour}{index}.png", colour, (30 + index, 20))
    secret = folder / "secret.json"
    secret.write_text(json.dumps({"password": SECRET}))
    encoder = FakeEncoder()
    with Library(folder / "home", encoder) as library:
        library.add(folder / "photos")
        classifier = zero_shot_classifier(encoder, ["red", "green"])
        library.classifiers.save(classifier, "colours")
        library.albums.save("reds", "red")
        image = library.images()[0]
        studio = Studio(library, lambda: encoder, "fake", load_other=no_other)
        app = create_app(studio)
        with TestClient(app, base_url="http://127.0.0.1:7860", raise_server_exceptions=False) as client:
            yield SimpleNamespace(
                folder=folder,
                secret=secret,
                library=library,
                studio=studio,
                app=app,
                client=client,
                run=library.runs.start(classifier).id,
                image=image.id,
                content=image.content_hash[:16],
            )
            for job in studio.jobs.active():  # that hostile values have started
                studio.jobs.cancel(job.id)
