"""Expected calibration error (15 bins) after 100 labels drawn by chance, on all other pictures of the classes.

The figure is the mean of `DRAWS` draws of classes and labels. Even true probabilities show an error on few pictures, for of
ten in a bin hardly ever just so many are right as expected. So the case also says

    at best     the error with the temperature of least cross-entropy on the other pictures themselves
    by chance   what answers with these very confidences would show if these were true (100 simulations a draw)
    debiased    the root of the mean over draws of the squared error with what chance adds taken off (Kumar et al., 2019);
                squares weigh large distances more, so it may be above the plain error even so
    pooled      the error of all draws' answers together in the same bins: draws that are too sure and draws that are too
                unsure make up for each other

The last row is the mean of all cases, sets and heads weighing the same.
"""

import numpy as np

from clipcore import Classifier, Examples
from training import calibrate, reliability_curve, teach

from .labelled import CALTECH, CIFAR, TINY, labelled, some_classes
from .pairs import Row

OTHER = "zero-shot shares as they come"
DRAWS = 20
LABELS = 100


def run(quick: bool) -> list[Row]:
    """The zero-shot head with its temperature refitted, and the taught head as a lesson settles it."""
    table = []
    for name in (CIFAR,) if quick else (CIFAR, TINY, CALTECH):
        examples, start = labelled(name)
        for count in (10, 50):
            said: list[list[tuple[np.ndarray, np.ndarray]]] = [[], [], []]  # as it comes, refitted, taught: a pair a draw
            at_best: list[list[float]] = [[], [], []]
            for seed in range(5 if quick else DRAWS):
                rng = np.random.default_rng(seed)
                some, head = some_classes(examples, start, rng.permutation(len(start.labels))[:count])
                order = rng.permutation(len(some))
                known, rest = some.take(order[:LABELS]), some.take(order[LABELS:])
                truth = rest.targets(head.labels)
                heads = head, calibrate(head, known), teach(known, head).classifier
                for pairs, best, each in zip(said, at_best, heads, strict=True):
                    pairs.append(_answers(each, rest, truth))
                    best.append(reliability_curve(*_answers(calibrate(each, rest), rest, truth)).error)
            before = _percent(np.mean([reliability_curve(*pair).error for pair in said[0]]))
            for case, pairs, best in (("zero-shot, refitted", said[1], at_best[1]), ("taught", said[2], at_best[2])):
                curves = [reliability_curve(*pair) for pair in pairs]
                error = _percent(np.mean([curve.error for curve in curves]))
                pooled = reliability_curve(*map(np.concatenate, zip(*pairs, strict=True)))
                debiased = np.sqrt(max(0.0, np.mean([curve.squared for curve in curves])))
                told = (
                    f"at best {_percent(np.mean(best))}, by chance {_percent(np.mean([curve.chance for curve in curves]))}"
                )
                told = f"{told}, debiased {_percent(debiased)}"
                told = f"{told}, pooled {_percent(pooled.error)} (by chance {_percent(pooled.chance)})"
                n = int(pooled.counts.sum())
                table.append(
                    Row(f"{name}, {count} classes, {case}: {told}", error, before, round(before / error, 2), "% error", n)
                )
    mean, before = (
        round(float(np.mean(column)), 2) for column in zip(*((row.ours, row.other) for row in table), strict=True)
    )
    table.append(Row("mean of these cases", mean, before, round(before / mean, 2), "% error", sum(row.n for row in table)))
    return table


def _answers(head: Classifier, examples: Examples, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How sure each answer is [n], and whether it is right, bool [n]."""
    shares = head.shares(examples.embeddings)
    return shares.max(1), shares.argmax(1) == truth


def _percent(share: float) -> float:
    return round(100 * float(share), 2)
