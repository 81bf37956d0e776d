"""Labels: moves on a board, two people at once, undo of one's own, and examples; colours stand for meaning."""

import threading

import numpy as np
import pytest

from clipcore import NONE, UNSURE, BadInput, NotFound
from storage import Library
from storage.labels.moves import place_of, values_at
from tests.support.fakes import FakeEncoder, photo

BOARD = ("red", "green", "blue")


@pytest.fixture
def library(tmp_path, encoder):
    with Library(tmp_path / "home", encoder) as library:
        for index in range(6):
            photo(tmp_path / "photos" / f"{index}.png", ("red", "green", "blue")[index % 3], (30 + index, 20))
        library.add(tmp_path / "photos")
        yield library


@pytest.fixture
def ids(library):
    return [image.id for image in library.images()]


def places(library, ids):
    labels = library.labels.of(ids)
    return [place_of(labels.get(image_id, {}), BOARD) for image_id in ids]


@pytest.mark.parametrize("place", ["red", "blue", UNSURE, NONE, None])
def test_a_place_is_what_its_labels_say(place):
    assert place_of(values_at(place, BOARD), BOARD) == place


def test_places_of_other_labels():
    assert place_of({"indoor": 1, "red": -1}, BOARD) is None
    assert place_of({"indoor": 1, "green": 1, "red": -1}, BOARD) == "green"
    with pytest.raises(BadInput, match="no class “cat” on this board"):
        values_at("cat", BOARD)


def test_a_move_is_a_label_and_leaves_other_boards_alone(library, ids):
    library.label(ids[0], "indoor")
    library.labels.move(ids[:2], "red", BOARD)
    library.labels.move(ids[:1], "green", BOARD)
    library.labels.move(ids[2:3], NONE, BOARD)
    library.labels.move(ids[3:4], UNSURE, BOARD)

    assert (
        library.labels.of(ids)
        == library.labels.of()
        == {
            ids[0]: {"indoor": 1, "green": 1},
            ids[1]: {"red": 1},
            ids[2]: dict.fromkeys(BOARD, -1),
            ids[3]: dict.fromkeys(BOARD, 0),
        }
    )
    assert library.labels.counts() == {"green": 1, "indoor": 1, "red": 1}
    library.labels.move(ids, None, BOARD)
    assert library.labels.of() == {ids[0]: {"indoor": 1}}


def test_a_move_leaves_alone_what_someone_else_moved(library, ids):
    library.labels.move(
        ids[:1], "blue", BOARD, client="other"
    )  # faster than the one below, who still saw it without a label
    answer = library.labels.move(ids[:2], "red", BOARD, client="me", held={ids[0]: None, ids[1]: None})
    assert places(library, ids[:2]) == ["blue", "red"]
    assert (len(answer.changed), len(answer.skipped)) == (1, 1)
    again = library.labels.move(ids[:1], "red", BOARD, client="me", held={ids[0]: "blue"})  # now on purpose
    assert places(library, ids[:2]) == ["red", "red"]
    assert not again.skipped


def test_a_repeated_step_is_answered_and_not_done_twice(library, ids):
    first = library.labels.move(ids[:2], "red", BOARD, client="me", op="a", held=dict.fromkeys(ids[:2]))
    library.labels.move(ids[1:2], "green", BOARD, client="other")
    second = library.labels.move(ids[:2], "red", BOARD, client="me", op="a", held=dict.fromkeys(ids[:2]))
    assert set(second.changed) == set(first.changed)
    assert places(library, ids[:2]) == ["red", "green"]
    assert library.labels.undo_counts("me") == (1, 0)
    undone = library.labels.undo("me", op="b")
    assert library.labels.undo("me", op="b").changed == undone.changed
    assert library.labels.undo_counts("me") == (0, 1)


def test_undo_takes_back_only_what_is_still_where_the_step_put_it(library, ids):
    library.labels.move(ids[:3], "red", BOARD, client="me")
    library.labels.move(ids[1:2], "green", BOARD, client="other")
    library.label(ids[2], "indoor")  # says nothing against red
    answer = library.labels.undo("me")
    assert places(library, ids[:3]) == [None, "green", None]
    assert (len(answer.changed), len(answer.skipped)) == (2, 1)
    assert library.labels.of(ids[2:3]) == {ids[2]: {"indoor": 1}}
    library.labels.redo("me")
    assert places(library, ids[:3]) == ["red", "green", "red"]
    library.labels.undo("other")
    assert places(library, ids[:3]) == ["red", "red", "red"]  # back to where "other" had found it


def test_undo_and_redo_walk_through_the_steps_of_one_client(library, ids):
    for place in ("red", NONE, "blue", UNSURE, None):
        library.labels.move(ids[:1], place, BOARD, client="me")
    library.labels.move(ids[1:2], "green", BOARD, client="other")
    seen = []
    while library.labels.undo("me"):
        seen += places(library, ids[:1])
    assert seen == [UNSURE, "blue", NONE, "red", None]
    assert library.labels.undo_counts("me") == (0, 5)
    seen = []
    while library.labels.redo("me"):
        seen += places(library, ids[:1])
    assert seen == ["red", NONE, "blue", UNSURE, None]
    library.labels.undo("me")
    library.labels.undo("me")
    library.labels.redo("me")
    library.labels.move(ids[:1], "green", BOARD, client="me")  # ends what could be done again
    assert library.labels.undo_counts("me") == (5, 0)
    assert library.labels.redo("me") is None
    assert places(library, ids[:2]) == ["green", "green"]


def test_an_undo_that_finds_everything_moved_is_over_with(library, ids):
    library.labels.move(ids[:1], "red", BOARD, client="me")
    library.labels.move(ids[:1], "green", BOARD, client="other")
    answer = library.labels.undo("me")
    assert (answer.changed, len(answer.skipped)) == ((), 1)
    assert library.labels.undo_counts("me") == (0, 1)
    assert library.labels.undo("me") is None


def test_a_step_that_changes_nothing_is_no_step(library, ids):
    library.labels.move(ids[:1], "red", BOARD, client="me")
    library.labels.move(ids[:1], "red", BOARD, client="me")
    assert library.labels.undo_counts("me") == (1, 0)


def test_a_mistake_changes_nothing(library, ids):
    with pytest.raises(NotFound, match="no picture 999"):
        library.labels.move([*ids, 999], "red", BOARD)
    with pytest.raises(BadInput, match="no class “cat”"):
        library.labels.move(ids, "cat", BOARD)
    with pytest.raises(BadInput, match="1 to 64"):
        library.labels.move(ids, "red", BOARD, op="x" * 65)
    with pytest.raises(BadInput, match="value 1"):
        library.label(ids[0], "red", 2)
    assert library.labels.of() == {}


def test_copies_of_a_picture_share_its_labels(library, ids, tmp_path):
    (tmp_path / "photos" / "copy.png").write_bytes((tmp_path / "photos" / "0.png").read_bytes())
    library.add(tmp_path / "photos")
    library.label(tmp_path / "photos" / "0.png", "red")
    assert len(library.labels.of()) == 2
    assert library.labels.counts() == {"red": 1}
    assert len(library.examples()) == 1
    with pytest.raises(NotFound, match="add its folder"):
        library.label(tmp_path / "elsewhere.png", "red")


def test_changes_since_a_step(library, ids):
    before, changed = library.labels.changes_since(0)
    assert (before, changed) == (0, set())
    first = library.labels.move(ids[:2], "red", BOARD, client="me")
    assert library.labels.changes_since(0) == (first.step, set(first.changed))
    library.labels.undo("me")
    newest, changed = library.labels.changes_since(first.step)
    assert newest > first.step
    assert changed == set(first.changed)


def test_examples_are_pictures_of_exactly_one_class_with_vectors_of_the_model_in_use(library, ids, encoder):
    library.labels.label_many(ids[:2], "red")
    library.label(ids[2], "blue")
    library.label(ids[3], "red")
    library.label(ids[3], "green")  # two at once: no example of a class
    library.label(ids[4], "green", -1)
    library.label(ids[5], "indoor")
    examples = library.examples(BOARD)
    images = {image.content_hash: image.id for image in library.images()}
    assert {images[key]: label for key, label in zip(examples.keys, examples.labels, strict=True)} == {
        ids[0]: "red",
        ids[1]: "red",
        ids[2]: "blue",
    }
    assert examples.space == encoder.space
    vectors = dict(zip(examples.keys, examples.embeddings, strict=True))
    found, expected = library.embeddings(ids[:3])
    assert all(np.array_equal(vectors[image.content_hash], row) for image, row in zip(found, expected, strict=True))
    assert examples.counts == {"blue": 1, "red": 2}
    assert library.examples().counts == {"blue": 1, "indoor": 1, "red": 2}
    library.encoder = FakeEncoder("another")
    assert len(library.examples()) == 0


def test_many_clients_at_once_lose_nothing(library, ids):
    """Each step is whole: replaying the log gives the labels that are there."""
    problems = []

    def work(client):
        random = np.random.default_rng(client)
        try:
            for _ in range(15):
                some = [ids[i] for i in random.permutation(6)[:3]]
                if random.random() < 0.3:
                    library.labels.undo(str(client))
                else:
                    library.labels.move(some, [*BOARD, UNSURE, NONE, None][random.integers(6)], BOARD, client=str(client))
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(client,)) for client in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems

    from sqlalchemy import select

    from storage.labels.moves import all_values
    from storage.tables import LabelStep

    replayed = {}
    with library.database.reading() as connection:
        for groups in connection.scalars(select(LabelStep.changes).order_by(LabelStep.id)):
            for contents, changes in groups:
                for content in contents:
                    values = replayed.setdefault(content, {})
                    for label, before, after in changes:
                        assert values.get(label) == before
                        values.pop(label, None)
                        if after is not None:
                            values[label] = after
        assert {content: values for content, values in replayed.items() if values} == all_values(connection)
