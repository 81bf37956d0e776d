"""Whether a search found anything: a cut-off for each query, from how generic queries do on the same library.

A fixed cosine cannot do it: 0.25 is the best answer to one query and noise for another. So about 150 generic queries
(`clipcore.deciding`) are scored against the library. From every score half of that query's mean over the library is taken
off: some queries score high on everything, and yet a library full of dogs should not count against "dog". What is left of
a query's best picture is its peak.

A query is clearly answered if its peak is above that of 70 % of the generic queries (the bar). Then every picture matches
that is 70 % of the way from the usual score, the median over all pictures and generic queries, to the bar.

It is imperfect, and only as good as the model. `python -m benchmarks absent` measures it, here with the third starter: the
share of searches judged rightly, by bare names of classes whose photos are in the library and of others.

    library                                        searches: there / not    there   not there    area under the curve
    CIFAR-100, 10 classes, 5 photos each, 3 draws             30 / 30        100 %      37 %     0.98
    CIFAR-100, 40 classes, 20 photos each, 3 draws          120 / 120         95 %      60 %     0.89
    Tiny-ImageNet, 10 classes, 5 photos each, 3 draws         30 / 30         87 %      63 %     0.84
    Tiny-ImageNet, 40 classes, 20 photos each, 3 draws      120 / 120         82 %      69 %     0.84
    Flickr8k, 1,000 photos, nouns of their captions          81 / 155         33 %      83 %     0.62
    Caltech-101, 40 classes, 20 photos each, 3 draws        120 / 120         43 %      71 %     0.57

So it is little better than chance where the model does not know the words, and useful where it does. The rule and its
numbers were chosen with an unfinished starter among about twenty (z-score, rank, skewness and others), on libraries like
these; with the third one the best cosine alone orders searches as well (0.57 to 0.97), though no threshold for it carries
over from one model to another. A wrong "nothing matches" costs a sentence: the page shows the closest below it.
"""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from clipcore.deciding import generic_captions as generic_queries

if TYPE_CHECKING:
    from clipcore.encoder import Encoder

    from .vectors import VectorIndex

MEAN_SHARE = 0.5
PEAK_QUANTILE = 0.7
REACH = 0.7
SAMPLE = 20_000  # a larger library is judged by this many of its pictures, always the same ones


@dataclass(frozen=True)
class Scale:
    """What the scores of one library can be held against: bank [m, dim], mean [dim], peaks [m], and the usual score.

    Peaks and the usual score are cosines with half of the query's mean taken off.
    """

    texts: tuple[str, ...]
    bank: np.ndarray
    mean: np.ndarray
    peaks: np.ndarray
    usual: float

    @classmethod
    def of(cls, texts: tuple[str, ...], bank: np.ndarray, pictures: np.ndarray) -> "Scale":
        """From the vectors of the generic queries [m, dim] and of pictures [n, dim]; n is at least 1."""
        mean = pictures.mean(0)
        lifted = pictures @ bank.T - MEAN_SHARE * (bank @ mean)
        return cls(texts, bank, mean, lifted.max(0), float(np.median(lifted)))

    @property
    def level(self) -> float:
        """The peak that `PEAK_QUANTILE` of the generic queries stay below."""
        return float(np.quantile(self.peaks, PEAK_QUANTILE))

    def bar(self, query: np.ndarray) -> float:
        """The cosine with a unit vector [dim] of words that the best picture must reach for a clear answer."""
        return self.level + MEAN_SHARE * float(self.mean @ query)

    def cut(self, query: np.ndarray) -> float:
        """The cosine from which on a picture matches a query that is clearly answered."""
        return self.bar(query) - (1 - REACH) * (self.level - self.usual)

    def ranks(self, scores: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        """For each picture [n, dim], the share of generic queries that score below `scores` [n] on it: float [n]."""
        return (pictures @ self.bank.T < np.asarray(scores)[:, None]).mean(1)

    def suggestions(self, query: np.ndarray, most: int = 5) -> list[str]:
        """Generic queries that do match something here, nearest in meaning to the query [dim] first."""
        nearness = np.where(self.peaks >= self.level, self.bank @ query, -np.inf)
        return [self.texts[i] for i in np.argsort(-nearness)[:most] if np.isfinite(nearness[i])]


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
                texts = generic_queries()
                pictures = self._index.sample(SAMPLE)
                made = Scale.of(texts, self._encoder.embed_texts(texts), pictures) if len(pictures) else None
                self._kept = (state, made)
            return self._kept[1]
