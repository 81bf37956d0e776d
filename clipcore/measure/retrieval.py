"""How well captions find their pictures, and pictures their captions (Radford et al., 2021, Table 13)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from ..errors import BadInput
from .intervals import clustered_interval, share_interval

DEPTHS = (1, 5, 10)
BLOCK = 1024  # queries that are answered at once


@dataclass(frozen=True)
class RetrievalReport:
    """Recall over `n` pictures with `captions` sentences: share of queries with a right answer among the best k.

    `text_to_image` and `image_to_text` give it by k, and `intervals` their 95 % intervals, by way and k. Captions of one
    picture are not independent of each other, and the interval allows for that.
    """

    n: int
    captions: int
    text_to_image: Mapping[int, float]
    image_to_text: Mapping[int, float]
    intervals: Mapping[str, Mapping[int, tuple[float, float]]] = field(default_factory=dict)

    def __str__(self) -> str:
        def shown(way: str, recall: Mapping[int, float]) -> str:
            ends = self.intervals.get(way, {})
            cells = [
                f"@{k} {share:6.1%}" + (f" ({ends[k][0]:.1%} to {ends[k][1]:.1%})" if ends else "")
                for k, share in recall.items()
            ]
            return "  ".join(cells)

        return (
            f"recall, text to image {shown('text_to_image', self.text_to_image)}, image to text "
            f"{shown('image_to_text', self.image_to_text)}  {self.n:,} images, {self.captions:,} captions"
        )

    def to_json(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


def evaluate_retrieval(images: np.ndarray, texts: np.ndarray, owner: Sequence[int] | np.ndarray) -> RetrievalReport:
    """Recall at 1, 5 and 10, both ways, of unit vectors images [n, d] and texts [m, d]; text j is of picture owner[j].

    With several captions a picture, the picture's query is answered by any of them, as in the field's Flickr tables.
    Raises BadInput if there is nothing to measure.
    """
    owner = np.asarray(owner, int)
    if not len(images) or not len(owner):
        raise BadInput("There are no pictures with captions to measure on; name a set that has some.")
    place = _places(texts, images, owner)
    asked, cluster = np.unique(owner, return_inverse=True)  # a picture without a caption cannot be found
    of_any = _places_of_any(images, texts, owner, asked)
    tries = np.bincount(cluster)
    return RetrievalReport(
        n=len(images),
        captions=len(owner),
        text_to_image={k: float((place < k).mean()) for k in DEPTHS},
        image_to_text={k: float((of_any < k).mean()) for k in DEPTHS},
        intervals={
            "text_to_image": {k: clustered_interval(np.bincount(cluster, place < k), tries) for k in DEPTHS},
            "image_to_text": {k: share_interval((of_any < k).sum(), len(asked)) for k in DEPTHS},
        },
    )


def recall_at(queries: np.ndarray, answers: np.ndarray, right: np.ndarray, k: int) -> float:
    """Share of queries [m, d] whose right answer, row right[j] of [n, d], is among the k nearest. Ties count against."""
    return float((_places(queries, answers, right) < k).mean())


def _places(queries: np.ndarray, answers: np.ndarray, right: np.ndarray) -> np.ndarray:
    """How many wrong answers are no farther from each query than the right one, int [m]."""
    found = np.empty(len(queries), int)
    for start in range(0, len(queries), BLOCK):
        part = slice(start, start + BLOCK)
        cosines = queries[part] @ answers.T
        own = cosines[np.arange(len(cosines)), right[part]]
        found[part] = (~(cosines < own[:, None])).sum(1) - 1
    return found


def _places_of_any(images: np.ndarray, texts: np.ndarray, owner: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """How many wrong captions are no farther from each picture `asked` than its nearest own one, int [len(asked)]."""
    found = np.empty(len(asked), int)
    for row, i in enumerate(asked):
        cosines = texts @ images[i]
        best = cosines[owner == i].max()
        found[row] = (~(cosines[owner != i] < best)).sum()
    return found
