"""Sayso as scikit-learn knows classifiers, and what a notebook shows of results; on the hand-made encoder."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from clipcore import BadInput, Examples, Step, watch, zero_shot_classifier
from clipcore.measure import evaluate
from tests.support.fakes import FakeEncoder, photo, unit
from training import SaysoClassifier

ENCODER = FakeEncoder()


@pytest.fixture
def vectors():
    rng = np.random.default_rng(0)
    y = np.repeat(["red", "green", "blue"], 20)
    places = np.repeat([0, 1, 2], 20)
    return unit(np.eye(4)[places] + 0.3 * rng.standard_normal((60, 4))).astype(np.float32), y


def test_fit_predict_and_shares_in_the_order_of_the_classes(vectors):
    X, y = vectors
    model = SaysoClassifier(ENCODER).fit(X, y)
    assert model.classes_.tolist() == ["blue", "green", "red"]
    assert model.classifier_.kind == "few-shot"
    shares = model.predict_proba(X)
    assert shares.sum(1) == pytest.approx(np.ones(60))
    assert (model.classes_[shares.argmax(1)] == model.predict(X)).all()
    assert model.score(X, y) > 0.9
    assert is_classifier(model)
    with pytest.raises(NotFittedError):
        SaysoClassifier(ENCODER).predict(X)


def test_it_is_cloned_searched_and_piped(vectors):
    X, y = vectors
    model = SaysoClassifier(ENCODER, head="probe", C=3.0)
    assert clone(model).get_params()["C"] == 3.0
    assert not hasattr(clone(model.fit(X, y)), "classifier_")
    assert clone(model).model is ENCODER
    found = GridSearchCV(SaysoClassifier(ENCODER), {"head": ["zero-shot", "few-shot", "probe"]}, cv=3).fit(X, y)
    assert set(found.cv_results_["param_head"]) == {"zero-shot", "few-shot", "probe"}
    assert found.best_score_ > 0.9
    piped = make_pipeline(FunctionTransformer(lambda rows: rows * 5), SaysoClassifier(ENCODER))  # made unit again
    assert cross_val_score(piped, X, y, cv=3).mean() > 0.9


def test_pictures_as_files_and_classes_that_are_numbers(tmp_path):
    files = [photo(tmp_path / f"{i}.png", colour) for i, colour in enumerate(["red", "green", "red", "green"])]
    model = SaysoClassifier(ENCODER, names={0: "red", 1: "green"}).fit(files, [0, 1, 0, 1])
    assert model.predict(files).tolist() == [0, 1, 0, 1]
    words = SaysoClassifier(ENCODER).fit(None, ["green", "red"])
    assert words.classifier_.kind == "zero-shot"
    assert words.predict(files).tolist() == ["red", "green", "red", "green"]
    many = SaysoClassifier(ENCODER).fit(None, ["green", "red"]).predict(files * 20)  # in parts, with a bar
    assert many.tolist() == ["red", "green", "red", "green"] * 20


def test_mistakes_name_the_remedy(vectors):
    X, y = vectors
    with pytest.raises(BadInput, match="no head 'best'; use few-shot, probe, zero-shot"):
        SaysoClassifier(ENCODER, head="best").fit(X, y)
    with pytest.raises(BadInput, match="needs 4"):
        SaysoClassifier(ENCODER).fit(None, ["red", "green"]).predict(np.zeros((1, 7)))


def test_a_notebook_shows_predictions_classifiers_and_reports(vectors):
    X, y = vectors
    head = zero_shot_classifier(ENCODER, ["red", "green", "<b>"])
    predictions = head.predict(X)
    rows = predictions.to_pandas()
    assert rows.shape == (60, 6)
    assert rows["label"].tolist() == [each.label for each in predictions]
    assert rows["share of red"].to_numpy() == pytest.approx(predictions.shares[:, 0])
    shown = predictions._repr_html_()
    assert "60 predictions, 3 labels" in shown
    assert "and 50 more" in shown
    for page in (shown, head._repr_html_()):
        assert "<b>" not in page
    assert "zero-shot classifier, 3 labels" in head._repr_html_()
    known = y != "blue"
    report = evaluate(head, X[known], list(y[known]))
    assert report.to_pandas()["label"].tolist() == [row.label for row in report.classes]
    assert "class, the worst first" in report._repr_html_()


def test_long_work_is_watched():
    def work():
        yield Step(1, 2, "half")
        yield Step(2, 2, "done")
        return Examples(np.zeros((0, 4), np.float32), (), ENCODER.space)

    assert len(watch(work())) == 0
