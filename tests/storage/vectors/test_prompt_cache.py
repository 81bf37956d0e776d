"""Prompts are encoded once, ever."""

import threading

import numpy as np
import pytest
from sqlalchemy import event, text

from clipcore import zero_shot_classifier
from storage import Library
from tests.support.fakes import FakeEncoder


@pytest.fixture
def library(tmp_path, encoder):
    with Library(tmp_path / "home", encoder) as library:
        yield library


def test_prompts_outlive_the_process(library, encoder):
    made = zero_shot_classifier(encoder, ["red", "green"], "seven")
    assert encoder.texts_encoded == 14
    library.close()
    later = FakeEncoder()
    with Library(library.home, later):
        again = zero_shot_classifier(later, ["red", "green"], "seven")
    assert later.texts_encoded == 0
    np.testing.assert_array_equal(again.weight, made.weight)


def test_another_model_encodes_its_own(library, encoder):
    encoder.embed_texts(["red"])
    other = FakeEncoder("other")
    library.encoder = other
    other.embed_texts(["red"])
    assert other.texts_encoded == 1


def test_odd_texts_stay_apart(library, encoder):
    texts = ["red", "Red", "red ", "r\u00e9d", "re\u0301d", "red\0", "\udcff red", "\N{ROCKET}", "", "red " * 10_000]
    vectors = {text: np.full(4, i, np.float32) for i, text in enumerate(texts)}
    encoder.text_cache.put_many(vectors)
    known = encoder.text_cache.get_many([*texts, "unknown"])
    assert known.keys() == vectors.keys()
    for text_, vector in vectors.items():
        np.testing.assert_array_equal(known[text_], vector)
        assert known[text_].dtype == np.float32


def test_more_texts_than_one_query_takes(library, encoder):
    vectors = {f"text {i}": np.full(4, i, np.float32) for i in range(2500)}
    encoder.text_cache.put_many(vectors)
    known = encoder.text_cache.get_many(list(vectors))
    assert len(known) == 2500
    assert known["text 2499"][0] == 2499


def test_two_may_encode_the_same_at_once(library, encoder):
    vectors = {f"text {i}": np.ones(4, np.float32) for i in range(50)}
    threads = [threading.Thread(target=encoder.text_cache.put_many, args=(vectors,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with library.database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM prompts")) == 50


@pytest.mark.sqlite
def test_a_library_that_cannot_keep_them_costs_no_answer(library, encoder, caplog):
    @event.listens_for(library.database.engine, "connect")
    def read_only(connection, _):
        connection.execute("PRAGMA query_only = ON")

    library.database.close()  # so that new connections are made
    assert encoder.embed_texts(["red"]).shape == (1, 4)
    assert "prompts were not kept" in caplog.text
    assert not encoder.text_cache.get_many(["red"])
