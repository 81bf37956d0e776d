"""A layout: alike vectors lie together, by t-SNE and without it, and what comes later lies where it belongs."""

import numpy as np
import pytest

from clipcore import drain
from storage.vectors import layout


def clusters(count, groups, seed=0, dim=32):
    """Unit vectors in so many groups, and the group of each."""
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(groups, dim))
    group = chance.integers(0, groups, count)
    rows = centres[group] + 0.25 * chance.normal(size=(count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), group


def laid_out(rows, steps=None):
    return drain(layout.iter_layout(len(rows), lambda some: rows[some]), (steps if steps is not None else []).append)


def agreement(places, group, others=None, of=None):
    """The share of points whose nearest other point is of their own group."""
    others, of = (places, group) if others is None else (others, of)
    far = ((places[:, None] - others[None]) ** 2).sum(-1)
    if others is places:
        np.fill_diagonal(far, np.inf)
    return float((of[far.argmin(1)] == group).mean())


@pytest.fixture(scope="module")
def fitted():
    pytest.importorskip("openTSNE")
    rows, group = clusters(200, 8)
    steps = []
    return *laid_out(rows, steps), group, steps


def test_alike_vectors_lie_together(fitted):
    found, places, group, steps = fitted
    assert found.method == "t-SNE"
    assert places.dtype == np.float32
    assert np.abs(places).max() <= 1.0 + 1e-6
    assert agreement(places, group) > 0.97
    laying = [step.done for step in steps if step.message == "laying out the map"]
    assert laying == sorted(set(laying))
    assert len(laying) >= 10  # a stop is heard often


def test_what_comes_later_lies_with_its_own_kind_and_moves_nobody(fitted):
    found, places, group, _ = fitted
    rows, kind = clusters(100, 8, seed=1)
    assert agreement(found.place(rows), kind, places, group) > 0.97
    same, _ = clusters(200, 8)
    again = found.place(same)
    assert np.median(np.linalg.norm(again - places, axis=1)) < 0.05


def test_beyond_what_is_fitted_all_have_their_place(monkeypatch):
    pytest.importorskip("openTSNE")
    monkeypatch.setattr(layout, "FITTED", 150)
    monkeypatch.setattr(layout, "BLOCK", 64)
    rows, group = clusters(400, 6)
    found, places = laid_out(rows)
    assert len(found.marks) == 150
    assert agreement(places, group) > 0.9


def test_without_opentsne_there_is_a_rough_map(monkeypatch):
    monkeypatch.setattr(layout, "has_tsne", lambda: False)
    rows, group = clusters(300, 3)
    found, places = laid_out(rows)
    assert found.method == "PCA"
    assert agreement(places, group) > 0.95  # three groups fit onto a plane
    np.testing.assert_allclose(found.place(rows[:5]), places[:5], atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3, layout.FEWEST])
def test_few_vectors_are_laid_out(count):
    rows, _ = clusters(count, 2)
    _, places = laid_out(rows)
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()


def test_the_same_picture_many_times():
    rows = np.repeat(clusters(1, 1)[0], 60, axis=0)
    found, places = laid_out(rows)
    assert np.isfinite(places).all()
    assert np.isfinite(found.place(rows[:2])).all()


def test_vectors_of_four_numbers():
    rows, _ = clusters(60, 3, dim=4)
    assert np.isfinite(laid_out(rows)[1]).all()
