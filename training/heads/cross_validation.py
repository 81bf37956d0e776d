"""A lesson: what labels are worth, measured by cross-validation on pictures that were not learned from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from clipcore import Classifier, Examples
from clipcore.classify.answers import stand_alone
from clipcore.classify.promise import Unseen, unseen, with_unseen
from clipcore.measure.intervals import mcnemar

from .calibration import Reliability, held_out_curve, settled
from .fewshot import checked, few_shot, fit
from .probe import linear_probe

Learn = Callable[[Examples, Classifier], Classifier]  # from examples and what one begins with

FOLDS = 5
TESTED = 5000  # pictures that are kept of what a promise is tested on
CHANCE = 0.05  # an advantage less likely than this by chance alone counts as one


@dataclass(frozen=True)
class Measured:
    """Accuracy on `n` pictures with its 95 % Wilson interval."""

    accuracy: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, right: np.ndarray) -> "Measured":
        """From whether each answer was right, bool [n]."""
        from scipy.stats import binomtest

        low, high = binomtest(int(right.sum()), len(right)).proportion_ci(0.95, "wilson")
        return cls(float(right.mean()), float(low), float(high), len(right))


@dataclass(frozen=True, eq=False)
class Lesson:
    """A taught classifier and whether to use it.

    before and after are measured on the same pictures; for `after` each was answered by a head that had not seen it.

    adopt    not worse by cross-validation
    better   better beyond chance, by a test on the same pictures: McNemar's, exact (for F1 a paired bootstrap)
    right    bool [n] and bool [n], which of the pictures `keys` were right before and after
    start    what was taught, its figure measured on the labels if they are enough
    measure  what the `accuracy` of before and after is: F1 where a picture can have several labels
    curve    how well the confidences of `kept` hold on pictures that it had not seen; None for few labels
    """

    classifier: Classifier
    adopt: bool
    before: Measured
    after: Measured
    labels: int
    sentence: str
    start: Classifier
    measure: str = "accuracy"
    curve: Reliability | None = None
    better: bool = False
    keys: tuple[str, ...] = ()
    right: tuple[np.ndarray, np.ndarray] = (np.zeros(0, bool), np.zeros(0, bool))

    @property
    def kept(self) -> Classifier:
        """The better of the two."""
        return self.classifier if self.adopt else self.start


def probe_head(examples: Examples, start: Classifier) -> Classifier:
    """The linear probe as a way to learn: pictures alone, the places and prompts of `start`."""
    return replace(linear_probe(examples, start.labels), prompts=start.prompts)


def teach(examples: Examples, start: Classifier, learn: Learn = few_shot) -> Lesson:
    """Teach `start` with `examples`; adopted only if cross-validation says that it is not worse than `start`.

    `learn` is how: `few_shot`, or `probe_head`.
    """
    y = checked(examples, start)
    text, (logits, found) = start.logits(examples.embeddings), cross_tested(examples, start, learn)
    before, after = text.argmax(1) == y, logits.argmax(1) == y
    adopt = bool(after.sum() >= before.sum())
    measured = Measured.of(before), Measured.of(after)
    taught, held_out, truth = _learned(examples, start, learn, logits, y)
    curve = held_out_curve(start, held_out, truth) if adopt else held_out_curve(start, text, y)
    start = tested(settled(start, text, y), text, y)
    if found is not None:
        taught = with_unseen(taught, _some(found))
    taught = taught.with_decision(replace(taught.decision, promise=None))
    better = is_better(before, after)
    sentence = sentence_of(*measured, adopt, better, start.decision.calibrated > 0)
    right = before, after
    return Lesson(taught, adopt, *measured, len(y), sentence, start, "accuracy", curve, better, examples.keys, right)


def tested(classifier: Classifier, logits: np.ndarray, y: np.ndarray) -> Classifier:
    """`classifier` with what it says of labelled pictures that it had not learned from, for a promise: logits [n, n labels],
    places y [n], -1 for none of the labels. Of very many a part chosen by chance. An older promise is over."""
    classifier = classifier.with_decision(replace(classifier.decision, promise=None))
    if stand_alone(classifier) or not len(y):
        return classifier
    return with_unseen(classifier, _some(unseen(classifier, logits, y)))


def _some(found: Unseen) -> Unseen:
    return found.take(np.random.default_rng(0).permutation(len(found))[:TESTED])


def tested_on(start: Classifier, examples: Examples) -> Classifier:
    """`start`, which learned from none of them, with its figure measured on labelled pictures, and what it says of them."""
    if not len(examples):
        return start
    y, logits = checked(examples, start), start.logits(examples.embeddings)
    return tested(settled(start, logits, y), logits, y)


def is_better(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether answers [n] that were right `after` beat those `before` on the same pictures beyond chance."""
    won, lost = int((after & ~before).sum()), int((before & ~after).sum())
    return won > lost and mcnemar(won, lost) < CHANCE


def out_of_fold(examples: Examples, start: Classifier, learn: Learn = few_shot) -> np.ndarray:
    """Logits float32 [n, n labels], each row from a head that was taught without that picture."""
    return cross_tested(examples, start, learn)[0]


def cross_tested(examples: Examples, start: Classifier, learn: Learn = few_shot) -> tuple[np.ndarray, Unseen | None]:
    """`out_of_fold`, and what the same heads say of the pictures that they had not seen, with the figure that each of them
    has learned to give (cross-conformal; Vovk, 2015): a head taught with all labels is no worse. None where labels stand
    alone, or nothing can be left out.

    Leave-one-out would be a little too kind for a promise: on Caltech-101, 50 classes and 400 labels, it broke 30 % of them.
    """
    words, y = start.logits(examples.embeddings), examples.targets(start.labels)
    logits = words.copy()
    rows: list[np.ndarray] = []
    parts: list[Unseen] = []
    for learned, left_out in examples.folds(FOLDS):
        known = examples.take(learned)
        # pictures alone say nothing of a single class
        head = learn(known, start) if learn is few_shot or len(known.counts) > 1 else start
        logits[left_out] = head.logits(examples.embeddings[left_out])
        if not stand_alone(start):
            parts.append(unseen(head, logits[left_out], y[left_out], words[left_out]))
            rows.append(left_out)
    if not parts:
        return logits, None
    return logits, reduce(Unseen.beside, parts).take(np.argsort(np.concatenate(rows)))


def _learned(
    examples: Examples, start: Classifier, learn: Learn, out_of_fold: np.ndarray, y: np.ndarray
) -> tuple[Classifier, np.ndarray, np.ndarray]:
    """The taught head, settled, and what it was settled on: logits [m, n labels] of pictures not learned from, places [m].

    A few-shot head has its own, by leave-one-out: the heads of the folds have learned from fewer labels and are less sure.
    """
    if learn is few_shot:
        found = fit(examples, start)
        return found.classifier, found.held_out, y
    several = np.bincount(y)[y] > 1  # the only picture of its class says nothing of a head that has seen one
    logits, y = out_of_fold[several], y[several]
    return settled(learn(examples, start), logits, y), logits, y


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{100 * share:.0f} %"


def sentence_of(before: Measured, after: Measured, adopt: bool, better: bool, calibrated: bool) -> str:
    """What labels are worth, in words."""
    n = after.n
    many = "label" if n == 1 else "labels"
    right, was = round(after.accuracy * n), round(before.accuracy * n)
    told = f"With your {n} {many}: right on {right} of {n} instead of {was}, on images it had not seen"
    told = f"{told}. Likely {100 * after.low:.0f} to {100 * after.high:.0f} of 100"
    if better:
        return told
    if adopt:
        return f"{told}. That may be chance; a few more labels will tell"
    also = "; but its figures can now be measured ones" if calibrated else ""
    return f"{told}. What you have stays in use{also}"


@dataclass(frozen=True)
class ShotsRow:
    """What so many labels per class are worth: mean accuracies over seeds, on the pictures that were not learned from."""

    shots: int
    before: float
    after: float
    n: int


def evaluate_shots(
    examples: Examples, start: Classifier, shots: Sequence[int] = (1, 2, 4, 8, 16), seeds: int = 5
) -> list[ShotsRow]:
    """The learning curve: `start` taught with 1, 2, 4, ... pictures per class and measured on the others."""
    y = checked(examples, start)
    rows = []
    for shot in shots:
        results = []
        for seed in range(seeds):
            learned = examples.few_shot(shot, seed)
            rest = ~np.isin(np.array(examples.keys), learned.keys)
            if rest.any():
                X, truth = examples.embeddings[rest], y[rest]
                heads = start, few_shot(learned, start)
                results.append([*((head.logits(X).argmax(1) == truth).mean() for head in heads), rest.sum()])
        if results:
            before, after, n = np.mean(results, 0)
            rows.append(ShotsRow(shot, float(before), float(after), int(n)))
    return rows
