"""The sample photographs: all there, kept once, and mostly sorted rightly by the starter."""

import pytest

import clipcore
from clipcore import parse_labels, zero_shot_classifier
from clipcore.classify.answers import NONE, decide, generic_bank
from clipcore.models import is_here
from ui.samples import LABELS, sample_files, sample_folder

TRUTH = {
    "astronaut.png": "person",
    "man with camera.png": "person",
    "woman in uniform.jpg": "person",
    "cat.png": "cat",
    "flower.jpg": "flowers",
    "motorcycle.png": "motorcycle",
    "rocket.jpg": "rocket",
    "temple.jpg": "building",
    "coffee.png": "coffee",
    **dict.fromkeys(("coins.png", "galaxies.jpg", "moon.png", "page.png")),
}


def test_the_folder_is_made_once_and_what_a_person_changed_there_stays(tmp_path):
    folder = sample_folder(tmp_path)
    assert {file.name for file in folder.iterdir()} == set(TRUTH)
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
    right = [name for name, truth in TRUTH.items() if said[name] == ((truth,) if truth else NONE)]
    assert len(right) == 12, said
    assert sum(place != NONE for place in said.values()) == 10
    assert all(TRUTH[name] is None for name, place in said.items() if place == NONE), said
