"""What captions name becomes true of their pictures, with the kinds of it; what one caption names alone, nobody knows."""

import numpy as np

from training.data.captions import Captioner
from training.data.pairs import Pair
from training.towers.join import mentioned, together

TABLE = {
    "man": {"synonyms": ["guy"], "hypernyms": ["person"]},
    "dog": {"synonyms": [], "hypernyms": ["animal"]},
    "poodle": {"synonyms": [], "hypernyms": ["dog", "animal"]},
    "race car": {"synonyms": [], "hypernyms": ["vehicle"]},
}


def test_two_captions_name_it() -> None:
    captioner = Captioner([Pair(name, b"", name=name) for name in TABLE], TABLE)
    told = [
        ("A guy walks his dog.", "A man in a hat.", "Two dogs and an animal."),
        ("Race cars on a road.", "A race car and a man.", "Something red."),
        ("A brick wall.",),
    ]
    found = mentioned([Pair(str(i), b"", captions=captions) for i, captions in enumerate(told)], captioner, 0.5).numpy()
    column = {subject: i for i, subject in enumerate(captioner.subjects)}
    assert set(column) == {"man", "dog", "poodle", "race car", "person", "animal", "vehicle"}
    first, second, third = ({subject: row[i] for subject, i in column.items()} for row in found)
    # a guy and a man are one; so are two dogs and a dog; of which kind the dog is was not said
    assert first == {"man": 1, "person": 0.5, "dog": 1, "animal": 0.5, "poodle": -1, "race car": 0, "vehicle": 0}
    assert second == {"race car": 1, "vehicle": 0.5, "man": -1, "person": 0, "dog": 0, "animal": 0, "poodle": 0}
    assert not np.any(list(third.values()))


def test_two_tables_are_one() -> None:
    both = together(
        TABLE, {"man": {"synonyms": ["guy", "gentleman"], "hypernyms": ["adult"]}, "tree": {"hypernyms": ["plant"]}}
    )
    assert both["man"] == {"synonyms": ["guy", "gentleman"], "hypernyms": ["person", "adult"]}
    assert both["tree"] == {"synonyms": [], "hypernyms": ["plant"]}
    assert both["dog"] == TABLE["dog"]
