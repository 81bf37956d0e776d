"""Task packs: complete lists of public sets, found by the names that people's folders have."""

import pytest

from clipcore import PACKS, BadInput
from clipcore.classify.prompts import GENERAL, check_labels
from clipcore.classify.tasks import find_set, find_task, ready_names, tasks
from tests.support.sentences import assert_sentence

SIZES = {
    **{"MNIST": 10, "UCF101": 101, "FGVC-Aircraft": 100, "Stanford Cars": 196, "Country211": 211, "Food-101": 101},
    **{"Oxford Flowers 102": 102, "Oxford-IIIT Pets": 37, "EuroSAT": 10, "RESISC45": 45, "Describable Textures": 47},
    **{"GTSRB, German traffic signs": 43, "FER2013": 7, "CIFAR-100": 100, "Caltech-101": 102, "Pascal VOC 2007": 20},
}


def test_every_task_is_whole():
    sets = [known for one in tasks().values() for known in one.sets]
    for one in tasks().values():
        assert_sentence(one.limit)
        assert one.prompts.name == one.name
        assert one.about == PACKS[one.name]
    for known in sets:
        if known.labels:
            check_labels(known.labels)
            assert set(known.keys.values()) <= set(known.labels), known.name
            assert len(known.labels) == SIZES.get(known.name, len(known.labels))
    assert sum(known.paper is not None for known in sets) == 27  # as many as the paper has
    assert not set(tasks()) & set(GENERAL)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("food-101", "Food-101"),
        ("wds_vtab-eurosat", "EuroSAT"),
        ("cifar100-test-00000.tar.gz", "CIFAR-100"),
        ("fgvc-aircraft-2013b", "FGVC-Aircraft"),
        ("CLEVR_v1.0", "CLEVR counts"),
        ("tiny-imagenet-val", None),
        ("holiday", None),
    ],
)
def test_a_folder_is_known_by_its_name(folder, name):
    found = find_set(folder)
    assert (found and found[1].name) == name


def test_classes_get_their_names_from_folders_codes_and_numbers():
    def named(folder, *classes):
        return find_set(folder)[1].named(classes)

    assert named("eurosat", "AnnualCrop", "SeaLake") == {"AnnualCrop": "annual crop land", "SeaLake": "lake or sea"}
    assert named("country211", "AD", "ZW") == {"AD": "Andorra", "ZW": "Zimbabwe"}
    assert named("gtsrb", "00014", "00000")["00014"] == "stop"
    flowers = named("flowers-102", *map(str, range(1, 103)))
    assert (flowers["1"], flowers["102"]) == ("pink primrose", "blackberry lily")
    assert named("eurosat", "0", "1") == {"0": "0", "1": "1"}  # nobody says in which order: left as it is
    assert named("ucf101", "HandstandPushups", "YoYo") == {"HandstandPushups": "hand stand pushups", "YoYo": "yo yo"}


def test_names_are_had_by_task_or_set():
    assert ready_names("satellite")[1].name == "EuroSAT"
    assert ready_names("RESISC45")[1].name == "RESISC45"
    assert find_task("dtd").name == "textures"
    for wrong, says in (("birds", "no list of names"), ("nonsense", "no task or public set")):
        with pytest.raises(BadInput, match=says) as caught:
            ready_names(wrong)
        assert_sentence(caught.value)
