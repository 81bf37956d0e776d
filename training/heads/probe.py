"""The linear probe: a head learned from labelled pictures alone (Radford et al., 2021, section 3.2 and appendix A.3).

Logistic regression with scikit-learn's objective, C * cross-entropy + |W|^2 / 2, by L-BFGS as in the paper, and several
times faster at the same accuracy. L-BFGS works in coordinates in which the problem is nearly round: the pictures'
covariance bounds the curvature (Boehning, 1992), so its inverse root, penalty included, takes the stretching out. It begins
at linear discriminant analysis and stops after eight steps; more gained nothing on pictures that were not learned from.
"""

from collections.abc import Sequence

import numpy as np

from clipcore import BadInput, Classifier, Examples

from .calibration import settled

STRENGTHS = (3.0, 10.0, 30.0)  # of C, which the paper sweeps as well
VALIDATED = 5000  # pictures at most that C is chosen with
STEPS = 8
SHRUNK = 0.5  # of the discriminant's weights, which are too sure of themselves
ENOUGH = 1e-4  # largest slope at which L-BFGS stops, as in scikit-learn


def linear_probe(examples: Examples, labels: Sequence[str] | None = None, C: float | None = None) -> Classifier:
    """A classifier from examples, without any text. `labels` says which classes and in which order; all of them if left out.

    C is the inverse of the penalty; left out, a fifth of the pictures chooses it, and the temperature. Raises BadInput for
    fewer than two classes with pictures, or for a label that `labels` does not have.
    """
    labels = tuple(examples.counts if labels is None else labels)
    y = examples.targets(labels)
    if len(np.unique(y)) < 2:
        raise BadInput("A linear probe needs labelled images of at least two classes; label some of a second one.")
    if C is not None and not C > 0:
        raise BadInput("C is a number above 0; leave it out to have it chosen.")
    X = np.asarray(examples.embeddings, np.float32)
    learned, tested = _halves(examples, y)
    judged = None
    if C is None and len(tested):
        heads = {each: _fit(X[learned], y[learned], len(labels), each) for each in STRENGTHS}
        logits = {each: X[tested] @ weight.T + bias for each, (weight, bias) in heads.items()}
        C = max(STRENGTHS, key=lambda each: (logits[each].argmax(1) == y[tested]).sum())
        judged = logits[C], y[tested]
    C = C or 10.0
    weight, bias = _fit(X, y, len(labels), C)
    probe = Classifier(labels, weight, bias, 1.0, examples.space, kind="linear probe", metrics={"labels": len(y), "C": C})
    return settled(probe, *judged) if judged else probe


def _halves(examples: Examples, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from and rows to choose C on; none of the latter where a class has but one picture."""
    rows = np.arange(len(y))
    if len(y) > VALIDATED:
        rows = np.sort(np.random.default_rng(0).choice(len(y), VALIDATED, replace=False))
    folds = list(examples.take(rows).folds(5))
    if not folds:
        return rows, rows[:0]
    learned, tested = rows[folds[0][0]], rows[folds[0][1]]
    tested = tested[np.isin(y[tested], y[learned])]
    return (learned, tested) if len(np.unique(y[learned])) > 1 else (rows, rows[:0])


def _fit(X: np.ndarray, y: np.ndarray, classes: int, C: float) -> tuple[np.ndarray, np.ndarray]:
    """weight [classes, dim] and bias [classes] of the least loss; classes without pictures get the lowest bias."""
    from scipy.optimize import minimize

    present, y = np.unique(y, return_inverse=True)
    n, dim, k = len(X), X.shape[1], len(present)
    middle = X.mean(0)
    penalty = 1 / (C * n)
    # The softmax's curvature is about the share of a class, 1 / k, times the covariance.
    values, vectors = np.linalg.eigh((X - middle).T @ (X - middle) / (n * k) + penalty * np.eye(dim, dtype=np.float32))
    root = (vectors / np.sqrt(np.maximum(values, 1e-9))).astype(np.float32)
    Z = (X - middle) @ root
    metric = root.T @ root  # |W|^2 in the new coordinates
    rows = np.arange(n)
    bias_scale = np.sqrt(k)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        V = flat[: k * dim].reshape(k, dim).astype(np.float32)
        logits = Z @ V.T
        logits += (bias_scale * flat[k * dim :]).astype(np.float32)
        logits -= logits.max(1, keepdims=True)
        own = logits[rows, y]
        np.exp(logits, out=logits)
        total = logits.sum(1, keepdims=True)
        value = float((np.log(total[:, 0]) - own).mean(dtype=float))
        logits /= total
        logits[rows, y] -= 1
        flattened = V @ metric
        slope = logits.T @ Z / n + penalty * flattened
        value += 0.5 * penalty * float((V * flattened).sum(dtype=float))
        return value, np.concatenate([slope.ravel(), bias_scale * logits.mean(0)]).astype(float)

    # Begin at linear discriminant analysis, the answer if every class were a Gaussian of the same shape.
    means = np.zeros((k, dim), np.float32)
    np.add.at(means, y, Z)
    means *= SHRUNK / k / np.bincount(y)[:, None]
    begin = np.concatenate([means.ravel(), np.zeros(k)])
    options = {"maxiter": STEPS, "gtol": ENOUGH, "maxcor": 10, "ftol": 1e-5}
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options=options).x
    weight = np.zeros((classes, dim), np.float32)
    weight[present] = found[: k * dim].reshape(k, dim) @ root.T
    bias = np.zeros(classes, np.float32)
    bias[present] = bias_scale * found[k * dim :] - weight[present] @ middle
    absent = np.setdiff1d(np.arange(classes), present)
    bias[absent] = bias[present].min() - 2 * np.linalg.norm(weight, axis=1).max()  # below all for any unit vector
    return weight, bias
