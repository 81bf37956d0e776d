"""Several labels for a picture: how sure a classifier must be of each, learned from labelled pictures.

Each label's threshold is the one of the best F1, the usual choice where labels are rare (Lipton et al., 2014); the head
stays as it is. Pictures that were labelled have the labels that were said of them and no others.
"""

from dataclasses import replace

import numpy as np

from clipcore import BadInput, Classifier
from clipcore.classify.answers import thresholds
from clipcore.classify.examples import split_place

from .cross_validation import FOLDS, Lesson, Measured, percent

ENOUGH = 4  # pictures with a label, and as many without it; fewer leave its threshold where it is
EDGE = 0.02  # a threshold stays this far from 0 and 1, so that the dial can still move it
DRAWS = 1000  # of the bootstrap


def fit_thresholds(confidence: np.ndarray, truth: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The threshold of the best F1 for each label, float [n labels], from confidences [n, n labels] and what is true,
    bool [n, n labels]. Of equally good ones the nearest to that `before` [n labels], which also stays for rare labels."""
    found = np.array(before, float)
    for label in range(truth.shape[1]):
        own, true = confidence[:, label].astype(float), truth[:, label]
        if min(true.sum(), (~true).sum()) < ENOUGH:
            continue
        order = np.argsort(-own, kind="stable")
        right = np.cumsum(true[order])
        f1 = 2 * right / (np.arange(1, len(own) + 1) + true.sum())
        ends = np.append(np.diff(own[order]) < 0, True)  # only between pictures of different confidence can one cut
        lower = np.append(own[order][1:], 0.0)
        cuts = np.clip((own[order] + lower) / 2, EDGE, 1 - EDGE)[ends]
        best = cuts[f1[ends] > f1[ends].max() - 1e-9]
        found[label] = best[np.abs(best - before[label]).argmin()]
    return found


def teach_many(start: Classifier, confidence: np.ndarray, truth: np.ndarray, keys: tuple[str, ...]) -> Lesson:
    """`start` with thresholds from n labelled pictures: its confidences in them [n, n labels] (`Answers.shares` of a
    classifier with `Decision.many`), what is true of them, bool [n, n labels], and their content hashes.

    What the lesson measures is F1 over all answers, after cross-validation; adopted only if that is not worse. The dial goes
    to one half, where the thresholds are as fitted. Raises BadInput for no pictures.
    """
    if not len(truth):
        raise BadInput("There are no labelled images to learn from; label a few on the board first.")
    before = np.array(thresholds(start.decision, len(start.labels)), float)
    fold = np.array([int(split_place(key, 0) * FOLDS) for key in keys])
    after = np.zeros_like(truth)
    for part in np.unique(fold):
        tested = fold == part
        after[tested] = confidence[tested] >= fit_thresholds(confidence[~tested], truth[~tested], before)
    measured = f1(confidence >= before, truth), f1(after, truth)
    adopt = measured[1].accuracy >= measured[0].accuracy
    found = tuple(round(float(t), 4) for t in fit_thresholds(confidence, truth, before))
    taught = start.with_decision(replace(start.decision, sure=0.5, thresholds=found))
    better = _better(confidence >= before, after, truth)
    was, now = measured
    told = f"With your {len(truth)} labelled images: F1 {percent(now.accuracy)} instead of {percent(was.accuracy)}"
    told += f". Measured on images it had not seen; likely between {100 * now.low:.0f} and {percent(now.high)}"
    told += ". F1 counts missed and false labels alike"
    if not better:
        told = f"{told}. {'That may be chance' if adopt else 'What you have stays in use'}"
    return Lesson(taught, adopt, *measured, len(truth), told, start, "F1", better=better, keys=keys)


def _better(before: np.ndarray, after: np.ndarray, truth: np.ndarray) -> bool:
    """Whether F1 rose beyond chance: the 95 % interval of the difference, by a paired bootstrap, is above 0."""
    from scipy.stats import bootstrap

    if len(truth) < 2 or (before == after).all():
        return False
    true = truth.sum(1)
    parts = [each.sum(1).astype(float) for each in (before & truth, before, after & truth, after)]

    def gain(*drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        hit, said, hit_after, said_after, all_true = (each.sum(axis) for each in drawn)
        return 2 * hit_after / np.maximum(said_after + all_true, 1) - 2 * hit / np.maximum(said + all_true, 1)

    found = bootstrap(
        (*parts, true.astype(float)), gain, paired=True, n_resamples=DRAWS, method="percentile", rng=np.random.default_rng(0)
    )
    return bool(found.confidence_interval.low > 0)


def f1(answered: np.ndarray, truth: np.ndarray) -> Measured:
    """F1 over all labels of all pictures (micro), bool [n, n labels], with a 95 % bootstrap interval over pictures."""
    right, answers, true = (each.sum(1).astype(float) for each in (answered & truth, answered, truth))
    rows = np.random.default_rng(0).integers(0, len(truth), (DRAWS, len(truth)))
    draws = 2 * right[rows].sum(1) / np.maximum((answers + true)[rows].sum(1), 1)
    value = 2 * right.sum() / max((answers + true).sum(), 1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Measured(float(value), float(low), float(high), len(truth))
