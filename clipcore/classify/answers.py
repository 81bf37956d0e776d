"""Label, unsure, or none of these: what to answer when being sure matters.

A picture gets its best label if that label's confidence reaches the dial, `Decision.sure`. Confidence is the label's share
among the labels times what is left for it after `none`, how much the picture looks like none of them. A picture that gets
no label is "none of these" if `none` is above one half, and otherwise unsure. So the dial alone says how often there is an
answer, and `none` which kind of silence it is.

`none` looks at the energy of a picture, the logarithm of the sum of the exponentials of its logits (Liu et al., 2020): how
well the labels fit it all together. It is held against the energy that as many generic captions (`generic_bank`) have,
mostly on average over the pictures given, a fifth on the picture itself. So the zero needs no tuning, for one label as for a
hundred. Who types several labels means to sort by them, so there most pictures are expected to have one (LEEWAY). A taught
classifier knows the energy of pictures that do have its labels and is held against that, `Decision.level`.

It is imperfect: it tells pictures of unknown classes from known ones the better, the fewer labels there are and the better
the model knows their words. docs/answers.md has the figures of all this and what was tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BadInput
from .classifier import Classifier, Predictions
from .decision import Decision

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

UNSURE, NONE = -1, -2  # places beside those of the labels
NEAR = 0.8  # a caption with this cosine to a label means the same, and says nothing against it
OWN = 0.2  # share of the picture's own fit to the captions, beside that of all the pictures
LEEWAY = 2.0  # by which labels that exclude each other may fit worse than the captions: right if a fifth have no label


@dataclass(frozen=True, eq=False)
class Answers:
    """What a classifier answers for n pictures.

    places      int [n], the place of the label in the classifier's labels, UNSURE or NONE
    confidence  float32 [n], of the best label, whether it was answered or not
    none        float32 [n], 0 to 1, how much the picture looks like none of the labels
    chosen      bool [n, n labels], the labels answered; with `Decision.many` there can be several
    shares      float32 [n, n labels], what to show beside each label: its share among the labels, or, where labels do not
                exclude each other or there is but one, the confidence in it alone
    """

    places: np.ndarray
    confidence: np.ndarray
    none: np.ndarray
    chosen: np.ndarray
    shares: np.ndarray

    def verdicts(self, labels: Sequence[str]) -> list[tuple[str, ...] | int]:
        """For each picture the labels answered, or UNSURE, or NONE."""
        return [
            tuple(labels[i] for i in np.flatnonzero(chosen).tolist()) or int(place)
            for chosen, place in zip(self.chosen, self.places, strict=True)
        ]

    def predictions(self, labels: Sequence[str]) -> Predictions:
        """The shares as predictions."""
        return Predictions(tuple(labels), self.shares)


@cache
def generic_captions() -> tuple[str, ...]:
    """Short captions of what photos commonly show."""
    return tuple(Path(__file__).with_name("generic_captions.txt").read_text(encoding="utf-8").splitlines())


def generic_bank(encoder: "Encoder") -> np.ndarray:
    """Vectors float32 [m, dim] of the generic captions, for `decide`."""
    return encoder.embed_texts(generic_captions())


def decide(classifier: Classifier, X: np.ndarray, bank: np.ndarray | None = None) -> Answers:
    """Answers for pictures X [n, dim] of the classifier's space; give the whole library, or the folder, if there is one.

    `bank` [m, dim] is that of `generic_bank`. Without it, only a taught classifier knows "none of these". A classifier with
    one label raises BadInput then, for its share among one label says nothing.
    """
    scores, none = _scores(classifier, X, bank)
    alone = classifier.decision.many or len(classifier.labels) == 1 or classifier.activation == "sigmoid"
    shares = scores if alone else classifier.shares(X)
    return _answered(classifier.decision, scores, none, classifier.decision.sure, shares)


def dial(classifier: Classifier, X: np.ndarray, bank: np.ndarray | None, sures: Sequence[float]) -> np.ndarray:
    """How many of the pictures X [n, dim] get each answer for each setting of the dial: int [len(sures), n labels + 2].

    The last two columns count UNSURE and NONE. With `Decision.many` a picture counts for each of its labels.
    """
    scores, none = _scores(classifier, X, bank)
    counts = []
    for sure in sures:
        answers = _answered(classifier.decision, scores, none, sure, scores)
        silent = [(answers.places == place).sum() for place in (UNSURE, NONE)]
        counts.append([*answers.chosen.sum(0), *silent])
    return np.array(counts, int).reshape(len(sures), len(classifier.labels) + 2)


def thresholds(decision: Decision, labels: int, sure: float | None = None) -> np.ndarray:
    """The confidence that each label needs, float32 [labels], at a setting of the dial; left out, where it is."""
    sure = decision.sure if sure is None else sure
    if not (decision.many and decision.thresholds):
        return np.full(labels, sure, np.float32)
    # the dial moves the thresholds together; at one half they are what was fitted
    fitted = np.array(decision.thresholds, np.float32)
    return np.where(sure < 0.5, fitted * 2 * sure, 1 - (1 - fitted) * 2 * (1 - sure)).astype(np.float32)


def energy(logits: np.ndarray) -> np.ndarray:
    """log(sum(exp(logits))) of each row [n, m]: [n]."""
    top = logits.max(1)
    return top + np.log(np.exp(logits - top[:, None]).sum(1))


def _scores(classifier: Classifier, X: np.ndarray, bank: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Confidence [n, n labels] of every label, and none [n]."""
    decision = classifier.decision
    if classifier.activation == "sigmoid":  # trained to stand on their own, so what they leave is none
        shares = classifier.shares(X)
        return shares, 1 - shares.max(1)
    logits = classifier.logits(X)
    usual = _usual(classifier, np.atleast_2d(X), bank)
    if usual is None:
        if len(classifier.labels) == 1:
            raise BadInput("One class alone needs something to be held against; add a second class.")
        return classifier.shares(X), np.zeros(len(logits), np.float32)
    if decision.many:
        # each label against as many captions as there are labels, shared out
        own = _sigmoid((logits - (usual - np.log(len(classifier.labels)))[:, None]) / decision.temperature)
        return own, 1 - own.max(1)
    none = _sigmoid((usual - energy(logits)) / decision.temperature)
    return classifier.shares(X) * (1 - none)[:, None], none


def captions_against(classifier: Classifier, bank: np.ndarray | None) -> np.ndarray | None:
    """The captions of a bank [m, dim] that the labels are held against: those that mean none of them; None without any."""
    if bank is None or classifier.kind == "linear probe":  # whose scale is not that of the text
        return None
    weight = classifier.weight / np.maximum(np.linalg.norm(classifier.weight, axis=1, keepdims=True), 1e-9)
    others = bank[(bank @ weight.T).max(1, initial=-1.0) < NEAR]
    return others if len(others) else None


def _usual(classifier: Classifier, X: np.ndarray, bank: np.ndarray | None) -> np.ndarray | None:
    """The energy [n] at which each picture is as likely none of the labels; None if nothing tells."""
    others = captions_against(classifier, bank)
    generic = None
    if others is not None:
        generic = energy(classifier.scale * (X @ others.T)) + np.log(len(classifier.labels) / len(others))
    level = classifier.decision.level
    if generic is None:
        return None if level is None else np.full(len(X), level)
    mean = generic.mean() if len(generic) else 0.0
    leeway = 0.0 if classifier.decision.many or len(classifier.labels) == 1 else LEEWAY
    return (mean - leeway if level is None else level) + OWN * (generic - mean)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -x)).astype(np.float32)


def _answered(decision: Decision, scores: np.ndarray, none: np.ndarray, sure: float, shares: np.ndarray) -> Answers:
    needed = thresholds(decision, scores.shape[1], sure)
    best = scores.argmax(1)
    rows = np.arange(len(scores))
    enough = scores >= needed
    places = np.where(enough[rows, best], best, np.where(none > 0.5, NONE, UNSURE))
    chosen = np.zeros(scores.shape, bool)
    if decision.many:
        chosen = enough
        places = np.where(enough.any(1), np.where(enough, scores, -1).argmax(1), places)
    else:
        chosen[rows[places >= 0], best[places >= 0]] = True
    return Answers(places, scores[rows, best].astype(np.float32), none.astype(np.float32), chosen, shares)
