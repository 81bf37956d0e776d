"""python -m tests.storage.homes.write: write a small library with something of everything, as SQL named by its revision.

Run it before a new revision is made. Those there are were written by the Sayso of their time.
"""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from PIL import Image

PICTURES = "/pictures"  # stands for the folder that they were in
COLOURS = ("red", "red", "green", "blue", "green")


def fill(home: Path, folder: Path) -> None:
    """Everything that the Sayso of now can keep."""
    from clipcore import zero_shot_classifier
    from storage import Jobs, Library, acting
    from tests.support.fakes import FakeEncoder

    folder.mkdir(parents=True)
    for number, colour in enumerate(COLOURS):
        pixels = {"green": (0, 255, 0)}.get(colour, colour)
        Image.new("RGB", (20 + number, 15), pixels).save(folder / f"{number} {colour}.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    encoder = FakeEncoder()
    with Library(home, encoder) as library:
        library.add(folder)
        classifier = zero_shot_classifier(encoder, ["red", "green"])
        for _ in range(2):
            library.classifiers.save(classifier, "colours")
        run = library.runs.start(classifier)
        library.classifiers.describe("colours", "For the garden.")
        library.sessions.show(library.sessions.start("trip", {"names": "red, green"}).id, run.id)
        Jobs(library).submit("nobody knows", {"folder": "somewhere"})
        images = {image.name: image.id for image in library.images()}
        library.labels.label_many([images["0 red.png"], images["1 red.png"]], "warm", 1)
        library.labels.label_many([images["3 blue.png"]], "warm", -1)
        library.labels.label_many([images["2 green.png"]], "to forget", 1)
        library.labels.undo()
        library.albums.save("reds", "red")
        ana = library.people.add("Ana", "owner", "a long password")
        library.people.tokens.create(ana.id, "script", ["read"])
        with acting(ana.id):
            library.labels.label_many([images["3 blue.png"]], "cool", 1)
        library.reports.save("accuracy", "first", {"accuracy": 0.5}, {"rows": [1, 2]})


def main() -> None:
    """Fill a library in a temporary folder and dump it beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        home, pictures = Path(folder) / "home", Path(folder) / "pictures"
        fill(home, pictures)
        with closing(sqlite3.connect(home / "sayso.db")) as connection:
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            lines = "\n".join(connection.iterdump())
        lines = lines.replace(str(pictures).encode().hex().upper(), PICTURES.encode().hex().upper())
        target = Path(__file__).with_name(f"{revision}.sql")
        target.write_text(lines + "\n")
        print(target)


if __name__ == "__main__":
    main()
