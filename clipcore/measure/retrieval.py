"""How well captions find their pictures, and pictures their captions (Radford et al., 2021, Table 13)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..errors import BadInput

DEPTHS = (1, 5, 10)


@dataclass(frozen=True)
class RetrievalReport:
    """Recall over `n` pictures with `captions` sentences: share of queries with a right answer among the best k.

    `text_to_image` and `image_to_text` give it by k.
    """

    n: int
    captions: int
    text_to_image: Mapping[int, float]
    image_to_text: Mapping[int, float]

    def __str__(self) -> str:
        found = [
            f"{way} " + "  ".join(f"@{k} {share:6.1%}" for k, share in recall.items())
            for way, recall in (("text to image", self.text_to_image), ("image to text", self.image_to_text))
        ]
        return f"recall, {found[0]}, {found[1]}  {self.n:,} images, {self.captions:,} captions"

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
    return RetrievalReport(
        n=len(images),
        captions=len(owner),
        text_to_image={k: recall_at(texts, images, owner, k) for k in DEPTHS},
        image_to_text=_recall_of_any(images, texts, owner),
    )


def recall_at(queries: np.ndarray, answers: np.ndarray, right: np.ndarray, k: int) -> float:
    """Share of queries [m, d] whose right answer, row right[j] of [n, d], is among the k nearest. Ties count against."""
    found = 0
    for part in np.array_split(np.arange(len(queries)), -(-len(queries) // 1024)):
        cosines = queries[part] @ answers.T
        own = cosines[np.arange(len(part)), right[part]]
        found += int(((~(cosines < own[:, None])).sum(1) <= k).sum())
    return found / len(queries)


def _recall_of_any(images: np.ndarray, texts: np.ndarray, owner: np.ndarray) -> dict[int, float]:
    asked = np.unique(owner)  # a picture without a caption cannot be found
    found = dict.fromkeys(DEPTHS, 0)
    for i in asked:
        cosines = texts @ images[i]
        best = cosines[owner == i].max()
        rank = int((~(cosines[owner != i] < best)).sum())  # how many wrong captions are no farther
        for k in DEPTHS:
            found[k] += rank < k
    return {k: found[k] / len(asked) for k in DEPTHS}
