"""Words to hits, end to end, on a filled library of 100,000 (quick: 10,000): ours, judged, filtered and with records.

The other is what people write themselves: vectors in one NumPy array, one product, and the paths looked up by row.

The vectors are generated (`filled.Law`), and the queries come from the same law as texts would: no model runs, so the time
of the text tower, the same on both sides, is left out.
"""

import tempfile
from collections.abc import Callable
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from clipcore import Space
from clipcore.encoding.text_cache import MemoryCache, TextCache
from storage import Filters, Library

from .filled import Law, filled
from .pairs import Row, timed_pair

OTHER = "NumPy: one product, argpartition, paths by row"
SHOWN, ROUNDS = 120, 5


class Texts:
    """An encoder of texts alone, whose vectors are drawn: a new one for each new text."""

    def __init__(self, law: Law) -> None:
        self.space = Space("0" * 64, "random", law.dim)
        self.name, self.dim, self.logit_scale = "random", law.dim, 100.0
        self.text_cache: TextCache = MemoryCache()
        self._law = law
        self._known: dict[str, np.ndarray] = {}

    def embed_texts(self, texts: Any) -> np.ndarray:
        """Unit vectors, float32 [n, dim]."""
        for text in texts:
            if text not in self._known:
                self._known[text] = self._law.texts(1)[0]
        return np.stack([self._known[text] for text in texts])


def run(quick: bool) -> list[Row]:
    """Each time is that of one search with a text that was not searched before; medians of five."""
    size = 10_000 if quick else 100_000
    law = Law(size)
    encoder: Any = Texts(law)
    numbers = count()
    with tempfile.TemporaryDirectory() as home:
        filled(Path(home), law).close()
        with Library(home, encoder) as library:
            images, rows = library.embeddings()
            paths = [image.path for image in images]

            def plain() -> object:
                scores = rows @ law.texts(1)[0]
                best = np.argpartition(-scores, SHOWN)[:SHOWN]
                return [(paths[i], scores[i]) for i in best[np.argsort(-scores[best])]]

            def ours(**how: Any) -> Callable[[], object]:
                return lambda: library.find(f"text {next(numbers)}", limit=SHOWN, **how)

            month = Filters(since=date(2020, 10, 1), until=date(2020, 10, 31))
            cases = {
                "only what matches": {},
                "the closest 120": {"everything": True},
                "newest first": {"everything": True, "order": "newest"},
                "of one month": {"everything": True, "filters": month},
                "portrait (a third)": {"everything": True, "filters": Filters(orientation="portrait")},
            }
            table = [timed_pair(f"{size:,}, {case}", ours(**how), plain, ROUNDS) for case, how in cases.items()]

        def opened() -> None:
            with Library(home, encoder) as library:
                library.find("the first search", limit=SHOWN)

        def loaded() -> object:
            return np.load(Path(home) / "rows.npy") @ rows[0]

        np.save(Path(home) / "rows.npy", rows)
        return [*table, timed_pair(f"{size:,}, opening and the first search, against np.load", opened, loaded, ROUNDS)]
