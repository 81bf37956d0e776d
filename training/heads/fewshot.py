"""Few-shot heads: the zero-shot weights, moved by labelled pictures as far as leave-one-out says that it helps.

The head is text + pictures, in logits

    a * start(x) + o  +  g * (x - m) @ M        M = ridge regression of the labels on the pictures, m their mean

so it falls into the family of Tip-Adapter (a cache of pictures beside the text; Zhang et al., 2022), LP++ (text and picture
terms blended per class; Huang et al., 2024) and CLAP (a probe held at the text weights; Silva-Rodriguez et al., 2024), but
in closed form: one eigendecomposition gives every strength of the ridge and every leave-one-out prediction.

- a and o, how far the text is to be trusted and which labels it names too often, are those of least cross-entropy on the
  labelled pictures, with a prior at 1 and 0. The text has not seen them, so this is honest from the first label on.
- The ridge and g are chosen by leave-one-out: cross-entropy at the best temperature plus the errors, with a prior that a
  handful of pictures does not outweigh, however few the classes. Leaving out one of n pictures of a class weakens just
  that class, so its evidence is scaled back up by n / (n - 1), and what that says is weighed by (n - 1) / n.
- Each class weighs the same, however many pictures it has.
- Pictures speak for themselves: what is learned from them does not depend on what the text says of them. Only while some
  labels have no pictures the ridge is of (labels - the text's shares), so that those are not drowned.
- Labels without pictures keep the text's weights. The others compete among themselves, and are then held back by the
  offset with which, on average over all labels, most pictures would be right if their own class had none.

What was tried, and how it did, is told in docs/teaching.md; `python -m benchmarks fewshot` measures it.
"""

from dataclasses import dataclass, replace

import numpy as np

from clipcore import BadInput, Classifier, Examples
from clipcore.classify.answers import energy

from .calibration import LEAST, settled, with_odds

RIDGES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
GAINS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)
TEMPERATURES = (0.25, 0.5, 1.0, 2.0)
USUAL_GAIN = 4.0  # times a ** -2.5: poor text leaves more to the pictures
PRIOR, PRIOR_PER_CLASS = 10.0, 0.3  # of gain and ridge, per squared decade; the second for each labelled class
TRUST, OFFSET = 3.0, 3.0  # priors of log a and of o
JUDGED = 256  # pictures that gain and ridge are chosen on


@dataclass(frozen=True, eq=False)
class Taught:
    """A few-shot head, with what leave-one-out says of it.

    classifier  the head
    held_out    float32 [n, n labels], logits of each picture from a head without it
    """

    classifier: Classifier
    held_out: np.ndarray


def few_shot(examples: Examples, start: Classifier) -> Classifier:
    """`start` taught with `examples`: the labels and their places stay, the weights move.

    Raises BadInput for no examples or a label that `start` does not have, SpaceMismatch for those of another model.
    """
    return fit(examples, start).classifier


def fit(examples: Examples, start: Classifier) -> Taught:
    """As `few_shot`, with the leave-one-out logits."""
    y = checked(examples, start)
    X = np.asarray(examples.embeddings, np.float32)
    counts = np.bincount(y, minlength=len(start.labels))
    has = counts > 0
    weights = (len(y) / has.sum() / counts[y]).astype(np.float32)
    # A sigmoid model's bias is the same for all labels and stays; here labels exclude each other.
    own_bias = start.bias if start.activation == "softmax" else np.zeros_like(start.bias)
    text = start.scale * (X @ start.weight.T) + own_bias
    trust, offset = _recalibrated(text, y, weights)
    words = trust * text
    text = words + offset
    middle = (weights @ X / len(y)).astype(np.float32)
    # By themselves pictures would speak against labels that have none, so then they learn what the text leaves open.
    known = np.full_like(text, 1 / len(has)) if has.all() else _softmax(np.where(has, text, -np.inf))
    ridge = _Ridge(X - middle, y, known, weights)
    strength, gain = _chosen(ridge, text, counts, USUAL_GAIN * trust**-2.5)
    learned = gain * ridge.weights(strength)
    held_out = text + gain * ridge.held_out(strength, np.arange(len(y)))
    held_back = np.where(has, _held_back(held_out, text, y, has), 0).astype(np.float32)
    weight = start.weight + learned / (trust * start.scale)
    bias = trust * own_bias + offset - learned @ middle - held_back + (start.bias - own_bias)
    metrics = {"labels": len(y), "text": round(trust, 4), "gain": gain, "ridge": strength}
    taught = replace(
        start,
        weight=weight.astype(np.float32),
        bias=bias.astype(np.float32),
        scale=trust * start.scale,
        kind="few-shot",
        metrics=metrics,
    )
    held_out -= held_back
    only = np.flatnonzero(counts[y] == 1)
    held_out[only, y[only]] = words[only, y[only]]  # without its only picture a class has the words alone
    level = start.decision.level
    if level is not None:  # its scores are of another scale: labelled pictures are to fit as well as they did
        level += float(energy(held_out).mean() - energy(start.logits(X)).mean())
    taught = taught.with_decision(replace(start.decision, temperature=1.0, calibrated=0, level=level))
    return Taught((settled if len(y) >= LEAST else with_odds)(taught, held_out, y), held_out)


def checked(examples: Examples, start: Classifier) -> np.ndarray:
    """The places int [n] of the examples' labels in `start`. Raises as `few_shot` does."""
    if not len(examples):
        raise BadInput("There are no labelled images to learn from; label a few on the board first.")
    start.space.require(examples.space, "These examples")
    return examples.targets(start.labels)


class _Ridge:
    """Ridge regression of labels, less what is known of them, on pictures X [n, dim]: for every strength, with leave-one-out
    predictions.

    known  float [n, n labels], shares of the labels that need not be learned
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, known: np.ndarray, weights: np.ndarray) -> None:
        self.y = y
        self.root = np.sqrt(weights)[:, None]
        self.X = X * self.root
        truth = np.zeros_like(known)
        truth[np.arange(len(y)), y] = 1
        self.truth = truth * self.root
        self.residual = self.truth - known * self.root
        if len(y) <= X.shape[1]:
            values, self.basis = np.linalg.eigh(self.X @ self.X.T)
            self.values = np.maximum(values, 0)
        else:
            values, vectors = np.linalg.eigh(self.X.T @ self.X)
            self.values = np.maximum(values, 1e-6)
            self.basis = (self.X @ vectors) / np.sqrt(self.values)
        self.parts = self.basis.T @ self.residual
        self.truth_parts = self.basis.T @ self.truth
        self.counts = np.bincount(y, minlength=known.shape[1])

    def weights(self, strength: float) -> np.ndarray:
        """The regression's weights, [n labels, dim]."""
        return ((self.basis @ (self.parts / (self.values + strength)[:, None])).T @ self.X).astype(np.float32)

    def held_out(self, strength: float, rows: np.ndarray) -> np.ndarray:
        """Predictions [len(rows), n labels], each without the picture itself; a class that loses one of n pictures keeps
        its evidence."""
        keep = (self.values / (self.values + strength))[:, None]
        basis, root = self.basis[rows], self.root[rows]
        hat = np.minimum((basis**2) @ keep, 0.999)
        found = (basis @ (keep * self.parts) - hat * self.residual[rows]) / (1 - hat) / root
        own = np.arange(len(rows)), self.y[rows]
        truth = ((basis @ (keep * self.truth_parts) - hat * self.truth[rows]) / (1 - hat) / root)[own]
        counts = self.counts[self.y[rows]]
        found[own] += truth / np.maximum(counts - 1, 1) * (counts > 1)
        return found


def _recalibrated(text: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """How far the text's logits [n, n labels] are to be trusted, and an offset [n labels] for labels with pictures."""
    from scipy.optimize import minimize

    labels = np.unique(y)
    logits, own = np.ascontiguousarray(text[:, labels]), np.searchsorted(labels, y)
    rows = np.arange(len(y))
    shares = np.empty_like(logits)  # float32 and one array for all steps: several times faster, the same answers

    def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
        trust, offset = np.exp(values[0]), values[1:].astype(np.float32)
        np.multiply(logits, np.float32(trust), out=shares)
        np.add(shares, offset, out=shares)
        np.subtract(shares, shares.max(1, keepdims=True), out=shares)
        right = shares[rows, own]
        np.exp(shares, out=shares)
        sums = shares.sum(1)
        total = float(weights @ (np.log(sums) - right).astype(float))
        np.multiply(shares, (weights / sums)[:, None], out=shares)
        shares[rows, own] -= weights
        slope = [
            trust * np.vdot(shares, logits) + 2 * TRUST * values[0],
            *(shares.sum(0, dtype=float) + OFFSET * values[1:]),
        ]
        return total + TRUST * values[0] ** 2 + 0.5 * OFFSET * (values[1:] ** 2).sum(), np.array(slope)

    bounds = [(-4.0, 1.0)] + [(None, None)] * len(labels)
    options = {"maxiter": 30, "ftol": 1e-6}  # finer is below what float32 resolves, and line searches then go astray
    found = minimize(loss, np.zeros(1 + len(labels)), jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    offset = np.zeros(text.shape[1], np.float32)
    offset[labels] = found[1:] - found[1:].mean()
    return float(np.exp(found[0])), offset


def _chosen(ridge: _Ridge, text: np.ndarray, counts: np.ndarray, usual: float) -> tuple[float, float]:
    """The ridge's strength and the gain of the least leave-one-out loss."""
    judged = np.flatnonzero(counts[ridge.y] > 1)
    weight = 1.0
    if len(judged) > JUDGED:
        weight = len(judged) / JUDGED
        judged = np.random.default_rng(0).choice(judged, JUDGED, replace=False)
    truth = ridge.y[judged]
    rows = np.arange(len(judged))
    left = weight * (1 - 1 / counts[truth])  # how much a picture's class still knows without it, and so says
    prior = PRIOR + PRIOR_PER_CLASS * (counts > 0).sum()
    best, chosen = np.inf, (1.0, GAINS[0])
    for strength in RIDGES:
        pictures = ridge.held_out(strength, judged)
        for gain in GAINS:
            logits = text[judged] + gain * pictures
            logits -= logits.max(1, keepdims=True)
            own = logits[rows, truth]
            entropy = min(left @ (np.log(np.exp(logits * t).sum(1)) - own * t) for t in TEMPERATURES)
            loss = entropy + left @ (own < 0)
            loss += prior * (np.log10(gain / usual) ** 2 + 0.5 * np.log10(strength) ** 2)
            if loss < best:
                best, chosen = loss, (strength, gain)
    return chosen


def _held_back(held_out: np.ndarray, text: np.ndarray, y: np.ndarray, has: np.ndarray) -> float:
    """What to take off the logits of labels with pictures, so that those without are found as well.

    Each picture is looked at twice: as it is, and as if its class had no pictures, with the text's logit alone. The offset
    is the one that gets most of both right, each weighed by the number of labels that it stands for, while those with
    pictures do no worse than by text alone.
    """
    if has.all():
        return 0.0
    rows = np.arange(len(y))
    others = np.where(has, -np.inf, text).max(1)  # the best label without pictures
    rivals = np.where(has, held_out, -np.inf)
    rivals[rows, y] = -np.inf
    known = np.where(held_out[rows, y] > rivals.max(1), held_out[rows, y] - others, -np.inf)  # right below this offset
    own = text[rows, y]
    unknown = np.where(own > others, rivals.max(1) - own, np.inf)  # right above this one
    weights = 1 / np.bincount(y)[y]
    tries = np.unique(np.concatenate([[0.0], unknown[np.isfinite(unknown) & (unknown > 0)]]))
    least = weights @ (text.argmax(1) == y)
    worth = [
        has.sum() * weights @ (known > t) + (~has).sum() * weights @ (unknown <= t)
        for t in tries
        if t == 0 or weights @ (known > t) >= least
    ]
    return float(tries[int(np.argmax(worth))])


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
