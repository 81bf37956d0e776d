"""Whether a search found anything: a cut-off for each query, from how generic queries do on the same library.

A fixed cosine cannot do it: 0.25 is the best answer to one query and noise for another. So about 150 generic queries
(`clipcore.deciding`) are scored against the library. From every score half of that query's mean over the library is taken
off: some queries score high on everything, and yet a library full of dogs should not count against "dog". What is left of
a query's best picture is its peak.

A query is clearly answered if its peak is above that of 70 % of the generic queries (the bar). Then every picture matches
that is 70 % of the way from the usual score, the median over all pictures and generic queries, to the bar.

It is imperfect, and only as good as the model. Measured with an unfinished starter (32 pixels; top-1 of 24 % on the 200
classes of Tiny-ImageNet, 30 % on CIFAR-100, 9 % on Caltech-101), by searching the bare names of classes whose photos were in
the library and of classes whose photos were not; the share of searches that were judged rightly:

    library                                        searches: there / not    there   not there
    CIFAR-100, 8 classes, 10 photos each, 5 times            40 / 460        85 %      79 %
    CIFAR-100, 50 classes, 20 photos each, 3 times          150 / 150        65 %      75 %
    Tiny-ImageNet, 10 classes, 2 photos each, 6 times        60 / 1,140      82 %      52 %
    Tiny-ImageNet, 100 classes, 10 photos each, 3 times     300 / 300        59 %      59 %
    Flickr8k, 1,000 photos, words of their captions          64 / 185        44 %      77 %
    14 sample photos, everyday words                         19 / 23         42 %      74 %
    Caltech-101, 50 classes, 15 photos each, 4 times        200 / 204        24 %      76 %

So it is chance where the model does not know the words (on Caltech-101 every statistic that was tried was), and useful where
it does. About twenty were tried: best cosine, z-score over the library, rank among the generic queries on the best picture,
skewness and others. This one has a mean area under the curve of 0.70 without Caltech-101, where the best had 0.71; unlike
the best cosine it carries over to another model. Both numbers in it were chosen on these libraries, so expect no better
elsewhere with such a model. A wrong "nothing matches" costs one click.

Which pictures match, of the searches that were clearly answered: mean precision and recall were 56 % and 57 % with 50 CIFAR
classes, 87 % and 78 % with eight, 22 % and 66 % with 100 of Tiny-ImageNet, 58 % and 78 % with ten (4 libraries each). Taking
as many as there are, which no rule can know, gives 55 %, 81 %, 43 % and 67 % for both.
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
