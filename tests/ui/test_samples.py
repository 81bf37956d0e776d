"""The sample photographs: all there, kept once, and mostly sorted rightly by the starter."""

import importlib

import numpy as np
import pytest
from PIL import Image

import clipcore
from clipcore import parse_labels, zero_shot_classifier
from clipcore.classify.answers import NONE, UNSURE, decide, generic_bank
from clipcore.models import is_here
from ui.samples import DRAWINGS, LABELS, sample_files, sample_folder, sample_photographs

PLACES = {
    "people": "astronaut.png, man with camera.png, woman in uniform.jpg, girl.webp, family.webp",
    "cats": "cat.png, cat on a sill.webp, cat in ink.webp, cat in chalk.webp, cat asleep.webp",
    "flowers": "flower.jpg, tulips.webp, daisies.webp, sunflower.webp, vase.webp",
    "rocket": "rocket.jpg, rocket in space.webp, rocket in crayon.webp, launch.webp",
    "building": "temple.jpg, castle.webp, house.webp, lighthouse.webp, windmill.webp",
    "coffee": "coffee.png, cup.webp, cup from above.webp",
    "ship": "sailing boat.webp, harbour.webp",
}
TRUTH = {name: place for place, names in PLACES.items() for name in names.split(", ")}  # all others: none of these


def test_the_folder_is_made_once_and_what_a_person_changed_there_stays(tmp_path):
    folder = sample_folder(tmp_path)
    kept = {file.name for file in folder.iterdir()}
    assert len(kept) == 60
    assert set(TRUTH) < kept
    (folder / "cat.png").write_bytes(b"mine")
    (folder / "page.png").unlink()
    assert (sample_folder(tmp_path) / "cat.png").read_bytes() == b"mine"
    assert (folder / "page.png").is_file()


@pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")
def test_most_are_in_the_right_place():
    encoder = clipcore.load("starter")
    files = sample_files()
    classifier = zero_shot_classifier(encoder, parse_labels(LABELS)[0])
    answers = decide(classifier, encoder.embed_images(list(files.values())), generic_bank(encoder))
    said = dict(zip(files, answers.verdicts(classifier.labels), strict=True))
    right = {name for name, place in said.items() if place == ((TRUTH[name],) if name in TRUTH else NONE)}
    photographs = sample_photographs()
    assert len(right) == 37, said  # what ui/samples.py tells
    assert len(right & set(photographs)) == 13
    assert len(photographs) == 15
    assert sum(place == UNSURE for place in said.values()) == 5


def test_the_drawings_are_what_their_script_draws_and_weigh_little():
    """One of each way to draw, drawn anew: the files in ui/drawings are not older than docs/drawings."""
    drawings = importlib.import_module("docs.drawings.__main__").DRAWINGS
    assert {f"{name}.webp" for name in drawings} == {file.name for file in DRAWINGS.iterdir()}
    assert sum(file.stat().st_size for file in DRAWINGS.iterdir()) < 1_000_000
    for name in ("cup", "owl", "whale", "duck", "vase"):  # flat, ink, chalk, crayon, wash
        drawn = np.asarray(drawings[name]().finished(), float)
        with Image.open(DRAWINGS / f"{name}.webp") as kept:
            assert np.abs(drawn - np.asarray(kept.convert("RGB"), float)).mean() < 8, name
