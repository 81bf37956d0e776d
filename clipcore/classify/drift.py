"""Whether pictures are of the kind that a promise was tested on: black-box shift detection (Lipton et al., 2018), which of
the ways that Rabanser et al. (2019, Failing Loudly) compared found shifts best.

What the words alone say of the labelled pictures is compared with what they say of those to be answered: how well the names
fit them (Kolmogorov and Smirnov's test of two samples), and which is best (chi-squared, permuted). The smaller p counts,
times two (Bonferroni). A taught head is not asked, for it speaks otherwise of pictures that taught it. Such a test finds
what is unlike; that it finds nothing is no proof.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .answers import energy
from .classifier import Classifier
from .promise import Unseen
from .zeroshot import zero_shot_classifier

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

ALARM = 0.01  # a difference less likely than this by chance counts
LOOKED_AT = 2000  # pictures of a library
LEAST = 10  # pictures on either side; of fewer nothing can be said
PERMUTATIONS = 999


@dataclass(frozen=True)
class Drift:
    """How likely a difference as large as that of `what` is by chance, `p`, among `n` pictures."""

    p: float
    what: str
    n: int

    @property
    def found(self) -> bool:
        """Whether the pictures are of another kind."""
        return self.p < ALARM

    @property
    def sentence(self) -> str:
        """What to think of it; nothing where no difference was found."""
        if not self.found:
            return ""
        return f"The promise does not hold here: {self.what} than on the labelled images; label some of these at random"


def words_of(encoder: "Encoder", classifier: Classifier) -> Classifier:
    """The classifier that it was before any label, from its names and prompts."""
    if classifier.kind == "zero-shot":
        return classifier
    return zero_shot_classifier(encoder, classifier.labels, classifier.prompts)


def drift(words: Classifier, tested: Unseen, X: np.ndarray, seed: int = 0) -> Drift:
    """Compare what a classifier was `tested` on with pictures X [n, dim] to be answered; `words` is as of `words_of`."""
    rng = np.random.default_rng(seed)
    X = X[rng.permutation(len(X))[:LOOKED_AT]]
    if len(X) < LEAST or len(tested) < LEAST:
        return Drift(1.0, "", len(X))
    from scipy.stats import ks_2samp  # late: half a second

    logits = words.logits(X)
    tests = (
        (float(ks_2samp(tested.fit, energy(logits), method="asymp").pvalue), "the names fit these images differently"),
        (_named(tested.named, logits.argmax(1), len(words.labels), rng), "other classes are frequent"),
    )
    p, what = min(tests)
    return Drift(min(1.0, len(tests) * p), what, len(X))


def _named(one: np.ndarray, other: np.ndarray, labels: int, rng: np.random.Generator) -> float:
    """How likely so different numbers of each name are if both come from one source."""
    every, n = np.concatenate([one, other]), len(one)
    total = np.bincount(every, minlength=labels)
    some = total > 0
    expected = total[some] * n / len(every)

    def off(part: np.ndarray) -> float:
        return float(((np.bincount(part, minlength=labels)[some] - expected) ** 2 / expected).sum())

    seen = off(one)
    more = sum(off(rng.permutation(every)[:n]) >= seen - 1e-9 for _ in range(PERMUTATIONS))
    return (1 + more) / (1 + PERMUTATIONS)
