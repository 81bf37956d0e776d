"""The board's routes without a browser: places, moves of two clients, the dial, teaching, versions."""

import struct
import time
import zlib
from pathlib import Path

import pytest

from clipcore import NONE, UNSURE, drain, pack, zero_shot_classifier
from storage import Library, SkippedRecord
from tests.support.fakes import FakeEncoder, photo
from tests.support.routes import answering
from ui.studio import Studio

HOSTILE = "<script>alert(1)</script>"
BOARD = ["red", "green", HOSTILE]


@pytest.fixture
def studio(tmp_path):
    for index in range(12):
        photo(tmp_path / "photos" / f"{index}.png", ("red", "green", "blue")[index % 3], (30 + index, 20))
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture
def client(studio):
    with answering(studio) as client:
        yield client


@pytest.fixture
def run(studio):
    classifier = zero_shot_classifier(FakeEncoder(), BOARD)
    skipped = [SkippedRecord("a.jpg", "It is damaged.")]
    return f"/api/runs/{studio.library.runs.start(classifier, skipped=skipped).id}"


@pytest.fixture
def ids(studio):
    return [image.id for image in studio.library.images()]


def load(client, run, who="me"):
    return client.get(run, params={"client": who}).json()


def move(client, run, to, held, who="me", op=None, since=0):
    body = {"op": op or f"{who}{time.monotonic_ns()}", "client": who, "since": since, "to": to, "held": held}
    return client.post(f"{run}/move", json=body)


def test_a_board_stays_when_another_program_writes_into_a_file(client, run, ids, studio):
    image = studio.library.image(ids[0])
    move(client, run, 1, [[None, [ids[0]]]])
    before = load(client, run)
    data = Path(image.path).read_bytes()
    chunk = b"tEXtRating\\0005"
    extra = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    Path(image.path).write_bytes(data[:33] + extra + data[33:])
    studio.library.add(Path(image.path).parent)
    assert studio.library.image(ids[0]).content_hash != image.content_hash
    after = load(client, run)
    assert after["changes"] == before["changes"] == [[ids[0], 1]]
    assert after["undo"] == 1
    answer = client.post(f"{run}/step/undo", json={"op": "u", "client": "me", "since": after["step"]}).json()
    assert answer["changes"] == [[ids[0], None]]


def test_a_move_of_more_images_than_one_request_may_name(client, run, ids, studio, monkeypatch):
    monkeypatch.setattr("ui.library.search.MOST_AT_ONCE", 3)
    answer = move(client, run, 1, [[None, ids[:2]], [0, ids[2:4]]])
    assert (answer.status_code, studio.library.labels.of()) == (413, {})


def test_a_board_says_where_everything_is(client, run):
    board = load(client, run)
    assert board["labels"] == BOARD
    assert board["skipped"] == [["a.jpg", "It is damaged."]]
    assert (board["undo"], board["redo"], board["changes"], board["lesson"]) == (0, 0, [], None)
    assert len(board["images"]) == 12
    by_name = {name: (place, share) for _, _, name, place, share, _ in board["images"]}
    assert by_name["0.png"][0] in (0, UNSURE)
    assert by_name["0.png"][1] == max(share for _, share in by_name.values())


def test_moves_undo_and_what_others_did(client, run, ids):
    answer = move(client, run, 1, [[None, ids[:2]]]).json()
    assert sorted(answer["changes"]) == [[ids[0], 1], [ids[1], 1]]
    assert (answer["skipped"], answer["undo"]) == (0, 1)
    other = move(client, run, NONE, [[None, ids[:3]]], who="other").json()  # had not heard of it
    assert other["skipped"] == 2
    assert sorted(other["changes"]) == [[ids[0], 1], [ids[1], 1], [ids[2], NONE]]
    news = client.get(f"{run}/changes", params={"client": "me", "since": answer["step"]}).json()
    assert news["changes"] == [[ids[2], NONE]]
    body = {"op": "u", "client": "me", "since": news["step"]}
    undone = client.post(f"{run}/step/undo", json=body).json()
    assert sorted(undone["changes"]) == [[ids[0], None], [ids[1], None]]
    assert (undone["undo"], undone["redo"], undone["nothing"]) == (0, 1, False)
    assert client.post(f"{run}/step/undo", json={**body, "op": "v"}).json()["nothing"]
    assert load(client, run)["changes"] == [[ids[2], NONE]]


def test_steps_on_a_board_of_other_classes_are_not_undone_from_here(client, run, ids, studio):
    move(client, run, 0, [[None, ids[:1]]])
    second = studio.library.runs.start(zero_shot_classifier(FakeEncoder(), ["cat", "dog"])).id
    assert load(client, f"/api/runs/{second}")["undo"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"to": 7}, 400),
        ({"to": -3}, 400),
        ({"held": [[None, [999]]]}, 404),
        ({"op": "x" * 65}, 400),
        ({"client": "x" * 65}, 400),
        ({"to": "red"}, 422),
        ({"held": "red"}, 422),
    ],
)
def test_a_bad_step_changes_nothing(client, run, ids, body, status):
    good = {"op": "a", "client": "me", "since": 0, "to": 0, "held": [[None, ids[:1]]]}
    assert client.post(f"{run}/move", json={**good, **body}).status_code == status
    assert load(client, run)["changes"] == []


def test_the_dial_counts_what_has_no_label_and_is_kept_in_the_classifier(client, run, ids, studio):
    move(client, run, 0, [[None, ids[:2]]])
    answer = client.get(f"{run}/dial").json()
    assert all(sum(row) == 10 for row in answer["counts"])
    silent = [row[-2] + row[-1] for row in answer["counts"]]
    assert silent == sorted(silent)
    assert silent[0] == 0
    epoch = load(client, run)["epoch"]
    assert client.post(f"{run}/dial", json={"sure": 0.9}).status_code == 200
    board = load(client, run)
    assert board["sure"] == 0.9
    assert board["epoch"] != epoch
    assert sum(place < 0 for _, _, _, place, _, _ in board["images"]) >= silent[90] - 2
    for _, _, _, place, figure, why in board[
        "images"
    ]:  # the dial is compared with the figure that is shown, and nothing else
        assert (place >= 0) == (round(100 * figure) >= 90) == (not why)
    assert client.post(f"{run}/dial", json={"sure": 2}).status_code == 400
    run_id = run.split("/")[-1]
    studio.library.save(studio.library.runs.get(run_id).classifier, "dialled")
    assert studio.library.classifier("dialled").decision.sure == 0.9


def test_one_picture_is_explained(client, run, ids):
    answer = client.get(f"{run}/images/{ids[0]}").json()
    assert answer["top"][0][0] == "red"
    assert client.get(f"{run}/images/999").status_code == 404


def taught(client, run, labels):
    """The lesson of so many labels; one of the moves before may come first."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if (lesson := load(client, run)["lesson"]) and lesson["labels"] == labels:
            break
        time.sleep(0.05)
    return lesson


def test_labels_teach_in_the_background_and_the_lesson_can_be_used_and_undone(client, run, ids):
    """A person whose "green" is what the model calls red, and the other way round."""
    red, green = ids[0::3], ids[1::3]
    move(client, run, 1, [[None, red[:3]]])
    move(client, run, 0, [[None, green[:3]]])
    lesson = taught(client, run, 6)
    assert lesson["labels"] == 6
    assert "With your 6 labels" in lesson["sentence"]
    before = {image[0]: image[3] for image in load(client, run)["images"]}
    changes = client.get(f"{run}/lesson").json()
    assert changes["of"] == 6
    moved = {image_id: after for image_id, _, _, _, after in changes["changes"]}
    assert client.post(f"{run}/lesson/use").status_code == 200
    board = load(client, run)
    assert (board["kind"], board["before"], board["lesson"]) == ("few-shot", True, None)
    labelled = dict(board["changes"])
    assert labelled == {**dict.fromkeys(red[:3], 1), **dict.fromkeys(green[:3], 0)}
    places = {image[0]: image[3] for image in board["images"]}
    assert moved == {i: place for i, place in places.items() if place != before[i] and i not in labelled}
    assert client.post(f"{run}/lesson/undo").status_code == 200
    board = load(client, run)
    assert {image[0]: image[3] for image in board["images"]} == before
    assert (board["kind"], board["before"]) == ("zero-shot", False)
    assert board["lesson"]["id"] == lesson["id"]  # still on offer
    assert client.post(f"{run}/lesson/undo").status_code == 404


def of_colour(studio, colour):
    """The ids of the pictures of a colour; the fixture's names are numbers."""
    return [i.id for i in studio.library.images() if ("red", "green", "blue")[int(i.name.split(".")[0]) % 3] == colour]


def test_how_good_it_is_is_told_on_pictures_that_chance_chose(client, run, ids, studio, tmp_path):
    for index in range(30):
        photo(tmp_path / "photos" / f"more {index}.png", ("red", "green")[index % 2], (60 + index, 20))
    studio.library.add(tmp_path / "photos")
    assert load(client, run)["check"] == {
        "of": 20,
        "left": 20,
        "sentence": "Label these 20 at random to know how good it is",
    }
    items = client.get(f"{run}/check").json()["items"]
    assert len(items) == 20
    assert items == client.get(f"{run}/check").json()["items"]  # tomorrow, too
    named = {image.id: image.name.split(".")[0] for image in studio.library.images()}
    colours = {i: name.split()[1:] or [name] for i, name in named.items()}
    colour = {i: ("red", "green", "blue")[int(n[0]) % (2 if "more" in named[i] else 3)] for i, n in colours.items()}
    checked = [item[0] for item in items]
    wrong = next(i for i in checked if colour[i] == "red")
    for name, code in (("red", 0), ("green", 1), ("blue", NONE)):
        there = [i for i in checked if colour[i] == name and i != wrong]
        if there:
            move(client, run, code, [[None, there]])
    assert load(client, run)["check"]["left"] == 1
    move(client, run, 1, [[None, [wrong]]])  # what is red is called green by this person
    board = load(client, run)
    blue = sum(colour[i] == "blue" for i in checked)
    silent = sum(image[3] < 0 for image in board["images"] if image[0] in checked and colour[image[0]] == "blue")
    right = 19 - blue + silent
    assert board["check"]["sentence"].startswith(f"Right on {right} of 20 photos you checked")
    assert board["check"]["left"] == 0
    outside = next(i for i in colour if i not in checked)
    move(client, run, 1, [[None, [outside]]])  # labels of other pictures, hard ones perhaps, say nothing here
    assert load(client, run)["check"]["sentence"].startswith(f"Right on {right} of 20 photos you checked")


def test_what_was_taught_is_used_with_as_many_answers_as_before(client, run, studio):
    move(client, run, 1, [[None, of_colour(studio, "red")[:3]]])
    move(client, run, 0, [[None, of_colour(studio, "green")[:3]]])
    lesson = taught(client, run, 6)
    assert lesson["main"]  # six of six instead of none is no chance
    board = load(client, run)
    labelled = dict(board["changes"])

    def answered():
        return sum(image[3] >= 0 for image in load(client, run)["images"] if image[0] not in labelled)

    before = answered()
    sure = client.post(f"{run}/lesson/use").json()["sure"]
    assert load(client, run)["sure"] == sure
    assert abs(answered() - before) <= 1


def test_what_is_no_better_is_not_the_main_thing_to_do(client, run, studio):
    """Nor is what chance alone explains: right before and after, or one more of a few."""
    move(client, run, 0, [[None, of_colour(studio, "red")[:3]]])
    move(client, run, 1, [[None, of_colour(studio, "green")[:3]]])
    lesson = taught(client, run, 6)
    assert (lesson["adopt"], lesson["main"]) == (True, False)
    assert "That may be chance" in lesson["sentence"]


def change(client, run, names, renamed=None, op=None, synonyms=None):
    body = {"op": op or f"c{time.monotonic_ns()}", "client": "me", "names": names, "renamed": renamed or {}}
    body["synonyms"] = synonyms
    return client.post(f"{run}/classes", json=body)


def test_classes_change_and_labels_and_what_they_taught_stay(client, run, studio):
    """The person whose "green" is what the model calls red adds a class, renames one, merges two, and takes it all back."""
    red, green = of_colour(studio, "red"), of_colour(studio, "green")
    move(client, run, 1, [[None, red[:3]]])
    move(client, run, 0, [[None, green[:3]]])
    taught(client, run, 6)
    client.post(f"{run}/lesson/use")
    places = {image[0]: image[3] for image in load(client, run)["images"]}

    def named():
        board = load(client, run)
        guesses = {image[0]: board["labels"][image[3]] for image in board["images"] if image[3] >= 0}
        return board, {i: board["labels"][place] for i, place in board["changes"]}, guesses

    _, said, guessed = named()
    assert change(client, run, [*BOARD, "blue"]).status_code == 200
    board, after, guesses = named()
    assert board["labels"] == [*BOARD, "blue"]
    assert (board["kind"], after) == ("few-shot", said)
    assert guesses[red[3]] == guessed[red[3]] == "green"  # as it was taught, not as the words say
    assert change(client, run, ["red", "lawn", HOSTILE, "blue"], {"green": "lawn"}).status_code == 200
    board, after, guesses = named()
    assert after == {i: "lawn" if label == "green" else label for i, label in said.items()}
    assert (board["kind"], guesses[red[3]]) == ("few-shot", "lawn")
    assert change(client, run, ["lawn", HOSTILE, "blue"], {"red": "lawn"}).status_code == 200
    board, after, _ = named()
    assert set(after.values()) == {"lawn"}
    assert len(after) == 6
    for _ in range(3):
        assert client.post(f"{run}/lesson/undo").status_code == 200
    board, after, _ = named()
    assert (board["labels"], after) == (BOARD, said)
    assert {image[0]: image[3] for image in board["images"]} == places
    assert change(client, run, ["red", "green"], synonyms={"red": ["crimson", "red", "scarlet"]}).status_code == 200
    prompts = studio.library.runs.get(run.split("/")[-1]).classifier.prompts
    assert prompts.synonyms == {"red": ("crimson", "scarlet")}
    assert change(client, run, ["red", "lawn"], {"green": "lawn"}).status_code == 200  # without word of them they stay
    assert studio.library.runs.get(run.split("/")[-1]).classifier.prompts.synonyms == prompts.synonyms
    assert change(client, run, ["red", "red"]).status_code == 400
    assert change(client, run, ["red"], {"yellow": "red"}).status_code == 400


def test_one_picture_is_tried_and_nothing_is_kept(client, run, studio, tmp_path):
    before = studio.library.count()
    for colour in ("red", "green"):
        data = photo(tmp_path / "one.png", colour, (70, 50)).read_bytes()
        asked = client.post("/api/pictures", content=data, headers={"Content-Type": "image/png"}).json()
        answer = client.post(f"{run}/try", json=asked).json()
        assert (answer["labels"], answer["top"][0][0]) == ([colour], colour)
        assert answer["figure"] >= load(client, run)["sure"]
    assert studio.library.count() == before
    gone = client.post(f"{run}/try", json={"picture": "0" * 16})
    assert (gone.status_code, gone.json()["error"]) == (404, "The picture is not here any more. Choose it again.")


def test_classifying_again_with_another_name_keeps_what_was_taught(client, run, studio):
    red, green = of_colour(studio, "red"), of_colour(studio, "green")
    move(client, run, 1, [[None, red[:3]]])
    move(client, run, 0, [[None, green[:3]]])
    taught(client, run, 6)
    client.post(f"{run}/lesson/use")
    again = {"labels": [*BOARD, "blue"], "prompts": pack("seven").to_json()}
    for after, kind, guess in ((run.split("/")[-1], "few-shot", 1), ("", "zero-shot", 0)):
        found = drain(studio._classify({**again, "after": after}))["run"]
        board = load(client, f"/api/runs/{found}")
        assert (board["kind"], len(board["changes"])) == (kind, 6)
        assert next(image[3] for image in board["images"] if image[0] == red[3]) == guess


def test_too_few_labels_teach_nothing(client, run, ids):
    move(client, run, 1, [[None, ids[:1]]])
    assert client.post(f"{run}/lesson/use").json()["error"].startswith("There are too few labels")
    assert client.get(f"{run}/doubts").json()["items"] == []


def test_what_to_label_next_and_wrong_labels(client, run, ids, studio):
    red, green = of_colour(studio, "red"), of_colour(studio, "green")
    move(client, run, 0, [[None, red]])
    move(client, run, 1, [[None, green[:3]]])
    items = client.get(f"{run}/next").json()["items"]
    assert {item[0] for item in items} == set(ids) - set(red) - set(green[:3])
    move(client, run, 0, [[None, green[3:]]])  # one green picture called red
    doubts = client.get(f"{run}/doubts").json()["items"]
    assert [(doubt[0], doubt[3]) for doubt in doubts] == [(green[3], 0)]
    assert doubts[0][6][0] == ["green", doubts[0][5]]  # its figure is that of its bars


def test_versions_are_compared_on_the_board(client, run, studio):
    encoder = FakeEncoder()
    studio.library.save(zero_shot_classifier(encoder, ["red", "green", "blue"]), "colours")
    studio.library.save(zero_shot_classifier(encoder, ["red", "green"]), "colours")
    answer = client.get(f"{run}/compare", params={"name": "colours", "version": 1, "other": 2}).json()
    assert answer["labels"] == ["red", "green", "blue"]
    blue = [change for change in answer["changes"] if change[3] == 2]
    assert len(blue) == answer["total"] == 4
    assert client.get(f"{run}/compare", params={"name": "colours", "version": 2, "other": 2}).json()["total"] == 0
    assert client.get(f"{run}/compare", params={"name": "shapes", "version": 1}).status_code == 404


def test_pictures_that_come_later_make_a_new_epoch(client, run, studio, tmp_path):
    epoch = load(client, run)["epoch"]
    assert load(client, run)["epoch"] == epoch
    photo(tmp_path / "photos" / "new.png", "green", (99, 20))
    studio.library.add(tmp_path / "photos")
    assert len(load(client, run)["images"]) == 13
    assert load(client, run)["epoch"] != epoch


@pytest.fixture
def many(studio):
    """A board on which a picture can have several labels, and a colour of its own is always enough."""
    from clipcore import Decision

    classifier = zero_shot_classifier(FakeEncoder(), ["red", "green", "bright"])
    return f"/api/runs/{studio.library.runs.start(classifier.with_decision(Decision(many=True, sure=0.2))).id}"


def say(client, run, to, ids, value=1):
    body = {"op": f"me{time.monotonic_ns()}", "client": "me", "since": 0, "to": to, "value": value, "held": [[None, ids]]}
    return client.post(f"{run}/move", json=body).json()


def test_a_picture_can_have_several_labels(client, many, ids, studio):
    board = load(client, many)
    assert board["many"]
    assert not board["exclusive"]
    assert board["thresholds"] == [0.2, 0.2, 0.2]
    guesses = {image[0]: image[3] for image in board["images"]}
    assert 0 in guesses[ids[0]]
    answer = say(client, many, 2, ids[:1])  # a first word says that the other guesses are right, too
    assert answer["changes"] == [[ids[0], {"0": 1, "2": 1} | {str(code): 1 for code in guesses[ids[0]]}]]
    assert studio.library.labels.of(ids[:1])[ids[0]] == {"red": 1, "bright": 1}
    assert say(client, many, 0, ids[:1], -1)["changes"] == [[ids[0], {"0": -1, "2": 1}]]
    assert client.post(f"{many}/step/undo", json={"op": "u", "client": "me", "since": 0}).json()["changes"] == [
        [ids[0], {"0": 1, "2": 1}]
    ]
    assert say(client, many, NONE, ids[:1])["changes"] == [[ids[0], {"0": -1, "1": -1, "2": -1}]]
    by_id = {answer.image.id: answer for answer in studio.library.exchange.run_answers(many.split("/")[-1])}
    assert by_id[ids[0]].said == NONE


def test_each_label_has_a_threshold_that_is_saved_and_learned(client, many, ids, studio):
    assert client.post(f"{many}/threshold", json={"code": 1, "needed": 0.9}).status_code == 200
    run_id = many.split("/")[-1]
    assert studio.library.runs.get(run_id).classifier.decision.thresholds == (0.2, 0.9, 0.2)
    assert load(client, many)["thresholds"] == [0.2, 0.9, 0.2]
    assert client.post(f"{many}/threshold", json={"code": UNSURE, "needed": 0.9}).status_code == 400
    assert client.post(f"{many}/threshold", json={"code": 1, "needed": 2}).status_code == 400
    say(client, many, 1, [i for n, i in enumerate(ids) if n % 3 == 1])  # four green ones, and eight others
    for n in (0, 2):
        say(client, many, 1, ids[n::3], -1)
    lesson = taught(client, many, 12)
    assert lesson["sentence"].startswith("With your 12 labelled images: F1 ")
    assert client.post(f"{many}/lesson/use").status_code == 200
    decision = studio.library.runs.get(run_id).classifier.decision
    assert (decision.sure, decision.many) == (0.5, True)
    assert 0.02 <= decision.thresholds[1] < 0.9
    assert client.get(f"{many}/doubts").json()["items"] == []
    assert client.get(f"{many}/dial").json()["counts"]


def test_labels_make_probabilities_even_where_the_words_are_kept(client, studio, tmp_path):
    for index in range(24):
        photo(tmp_path / "photos" / f"more {index}.png", ("red", "green")[index % 2], (60 + index, 20))
    studio.library.add(tmp_path / "photos")
    classifier = zero_shot_classifier(FakeEncoder(), ["red", "green"])
    run = f"/api/runs/{studio.library.runs.start(classifier).id}"
    images = [image for image in studio.library.images() if "more" in image.name]
    for code in (0, 1):
        move(client, run, code, [[None, [image.id for image in images[code::2]]]])
    taught(client, run, 24)
    curve = client.get(f"{run}/lesson").json()["curve"]
    assert sum(curve["counts"]) == 24
    assert 0 <= curve["debiased"] <= 1
    assert client.post(f"{run}/lesson/use").status_code == 200
    board = load(client, run)
    assert board["calibrated"] >= 20
    assert board["curve"] == curve
