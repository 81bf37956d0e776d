"""Whether a search found anything: a cut-off for each library, from how generic queries do on it.

A fixed cosine cannot do it: 0.25 is a good answer in one model and noise in another. So about 150 generic queries
(`clipcore.generic_bank`) are scored against the library, and a query is clearly answered if its worth is above that of 70 %
of them (the bar). Its worth is the cosine of its best picture, and four times how much the library leans to it: the soft
maximum of its cosines over all pictures, at 0.4 of the model's own logit scale (`LEAN`, `SOFT`). One picture raises the
first alone; what a library is full of raises the second, though no picture of it stands out.

Then every picture matches that is 70 % of the way from the usual cosine, the median over all pictures and generic queries,
to the best one, or to the best of 70 % of the generic queries if that is lower.

It is imperfect, and only as good as the model. `python -m benchmarks absent` measures it, here with the fourth starter: the
share of searches judged rightly, by bare names of classes whose photos are in the library and of others, and the area under
the curve beside that of the best picture's cosine alone, which was the worth before. The docstring of the benchmark says
which searches these are.

    library                                     searches: there / not    there   not there    area   of the cosine
    CIFAR-100, 10 classes, 5 photos each, 3 draws          30 / 30        100 %      43 %     0.96    0.95
    CIFAR-100, 40 classes, 20 photos each, 3 draws       120 / 120         96 %      64 %     0.94    0.90
    Tiny-ImageNet, 10 classes, 5 photos each, 3 draws      30 / 30        100 %      80 %     1.00    0.99
    Tiny-ImageNet, 40 classes, 20 photos each, 3 draws   120 / 120        100 %      72 %     0.99    0.96
    Flickr8k, 1,000 photos, nouns of their captions       81 / 155         33 %      92 %     0.82    0.63
    Caltech-101, 10 classes, 5 photos each, 3 draws        30 / 30         73 %      57 %     0.80    0.84
    Caltech-101, 40 classes, 20 photos each, 3 draws     120 / 120         60 %      72 %     0.70    0.70
    Flickr8k and 60 single photos, 3 draws             180 / 1,533         48 %      93 %     0.79    0.80
    all of them by the distance from their bars                                               0.88    0.82

How it was chosen, and what else was tried, is told in docs/answers.md. A wrong "nothing matches" costs a sentence: the page
shows the closest below it.
"""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipcore.classify.answers import generic_captions as generic_queries

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

    from .index import VectorIndex

PEAK_QUANTILE = 0.7
REACH = 0.7
LEAN, SOFT = 4.0, 0.4
SAMPLE = 20_000  # a larger library is judged by this many of its pictures, always the same ones
LEANING = 4_000  # and how much it leans to a query by this many of those


@dataclass(frozen=True)
class Scale:
    """What the scores of one library can be held against: the generic queries bank [m, dim], the cosines of each one's best
    picture, peaks [m], how much the library leans to each, leans [m], and the usual cosine.

    `pictures` [k, dim] stand for the library where it is asked how much it leans; `sharpness` is by what cosines are
    multiplied there.
    """

    texts: tuple[str, ...]
    bank: np.ndarray
    peaks: np.ndarray
    leans: np.ndarray
    usual: float
    pictures: np.ndarray
    sharpness: float

    @classmethod
    def of(cls, texts: tuple[str, ...], bank: np.ndarray, pictures: np.ndarray, logit_scale: float) -> "Scale":
        """From the vectors of the generic queries [m, dim] and of pictures [n, dim]; n is at least 1."""
        cosines = pictures @ bank.T
        some = np.ascontiguousarray(pictures[:: -(-len(pictures) // LEANING)])
        sharpness = SOFT * logit_scale
        leans = soft_maximum(some @ bank.T, sharpness)
        return cls(texts, bank, cosines.max(0), leans, float(np.median(cosines)), some, sharpness)

    @property
    def bar(self) -> float:
        """The worth that a query needs for a clear answer; `PEAK_QUANTILE` of the generic queries are below it."""
        return float(np.quantile(self.peaks + LEAN * self.leans, PEAK_QUANTILE))

    def worth(self, query: np.ndarray, best: float) -> float:
        """What is held against the bar, for a query [dim] whose best picture has this cosine."""
        return best + LEAN * float(soft_maximum((self.pictures @ query)[:, None], self.sharpness)[0])

    def cut(self, best: float, clear: bool) -> float:
        """The cosine from which on a picture matches a query whose best picture has this one; without a clear answer none
        does."""
        peak = float(np.quantile(self.peaks, PEAK_QUANTILE))
        if clear:
            return self.usual + REACH * (min(best, peak) - self.usual)
        return max(peak, float(np.nextafter(np.float32(best), np.float32(2))))

    def ranks(self, scores: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        """For each picture [n, dim], the share of generic queries that score below `scores` [n] on it: float [n]."""
        return (pictures @ self.bank.T < np.asarray(scores)[:, None]).mean(1)

    def suggestions(self, query: np.ndarray, most: int = 5) -> list[str]:
        """Generic queries that do match something here, nearest in meaning to the query [dim] first."""
        nearness = np.where(self.peaks + LEAN * self.leans >= self.bar, self.bank @ query, -np.inf)
        return [self.texts[i] for i in np.argsort(-nearness)[:most] if np.isfinite(nearness[i])]


def soft_maximum(cosines: np.ndarray, sharpness: float) -> np.ndarray:
    """log(mean(exp(sharpness * c))) / sharpness over the pictures, cosines [n, m]: [m]. Between their mean and their
    largest; the sharper, the nearer to that."""
    largest = cosines.max(0)
    return largest + np.log(np.exp(sharpness * (cosines - largest)).mean(0)) / sharpness


class Relevance:
    """The `Scale` of a model's pictures, made again when the library has changed. Threads may share it."""

    def __init__(self, encoder: "Encoder", index: "VectorIndex") -> None:
        self._encoder, self._index = encoder, index
        self._lock = threading.Lock()
        self._kept: tuple[tuple[int, int], Scale | None] | None = None

    def scale(self) -> Scale | None:
        """The scale of the library as it is; None while it has no vectors."""
        with self._lock:
            state = self._index.state
            if self._kept is None or self._kept[0] != state:
                texts, pictures = generic_queries(), self._index.sample(SAMPLE)
                bank = self._encoder.embed_texts(texts)
                made = Scale.of(texts, bank, pictures, self._encoder.logit_scale) if len(pictures) else None
                self._kept = (state, made)
            return self._kept[1]
