"""Searches for what is in a library and for what is not, judged by `storage.vectors.relevance` (SAYSO_SETS: labelled.py).

Libraries of labelled pictures: some classes of a set, searched by their bare names and by the names of as many others. And
Flickr8k's test photographs: what is there are nouns for things, in the singular, that the captions of at least three in a
hundred photographs name; what is not are class names of Tiny-ImageNet and CIFAR-100 of which no word, singular or plural, is
in any caption. Captions may leave out what a photograph shows, so some of the alarms counted as false are none.

For each library the area under the curve of the best picture's cosine, mean of its draws, beside the same with half of what
a query scores on the mean picture taken off, as it once was; the case says how many searches of either kind were judged
rightly. The last row has the searches of all libraries together: by the distance from each library's bar, and by the cosine
itself, which is what a fixed threshold would go by.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

import clipcore
from clipcore import drain
from clipcore.measure import iter_embed_set
from clipcore.measure.intervals import wilson
from clipcore.wordnet import lemma, meanings
from storage.vectors.relevance import Scale, generic_queries
from training.data.pairs import read_pairs

from .labelled import CALTECH, CIFAR, TINY, labelled, shard
from .pairs import Row

OTHER = "the best cosine less half of the query's mean; in the last row, the best cosine"
ENOUGH = 0.03  # of the photographs have a caption that names it
Searched = tuple[np.ndarray, Sequence[str], Sequence[str]]  # pictures [n, dim], what is there, what is not


@dataclass(frozen=True)
class Searches:
    """Of all searches in one library: the best cosine, its distance from the bar, less half of the mean, and the truth."""

    best: np.ndarray
    margin: np.ndarray
    lifted: np.ndarray
    there: np.ndarray


def run(quick: bool) -> list[Row]:
    """Shares of searches judged rightly with Wilson's 95 % intervals; several draws of a library count together."""
    libraries = {"Flickr8k test": [_searches(*_flickr())]}
    if not quick:
        for name in (CIFAR, TINY, CALTECH):
            for classes, each in ((10, 5), (40, 20)):
                draws = [_searches(*_drawn(name, classes, each, seed)) for seed in range(3)]
                libraries[f"{name}, {classes} classes, {each} each"] = draws
    rows = []
    for case, draws in libraries.items():
        right = [[margin >= 0 for draw in draws for margin in draw.margin[draw.there == there]] for there in (True, False)]
        shares = f"there {_share(right[0])}, not there {_share([not said for said in right[1]])}"
        areas = [[roc_auc_score(draw.there, by) for by in (draw.best, draw.lifted)] for draw in draws]
        rows.append(_row(f"{case}: {shares}", *np.mean(areas, 0).tolist(), sum(map(len, right))))
    margin, best, there = (
        np.concatenate([getattr(draw, part) for draws in libraries.values() for draw in draws])
        for part in ("margin", "best", "there")
    )
    rows.append(_row("all together", roc_auc_score(there, margin), roc_auc_score(there, best), len(there)))
    return rows


def _row(case: str, ours: float, other: float, n: int) -> Row:
    return Row(case, round(ours, 3), round(other, 3), round(ours / other, 2), "AUROC", n)


def _searches(pictures: np.ndarray, there: Sequence[str], absent: Sequence[str]) -> Searches:
    clip = clipcore.load()
    texts = generic_queries()
    scale = Scale.of(texts, clip.embed_texts(texts), pictures)
    queries = clip.embed_texts([*there, *absent])
    best = (pictures @ queries.T).max(0)
    lifted = best - 0.5 * (queries @ pictures.mean(0))
    return Searches(best, best - scale.bar, lifted, np.arange(len(queries)) < len(there))


def _share(right: Sequence[bool]) -> str:
    low, high = (100 * float(end) for end in wilson(sum(right), len(right)))
    return f"{100 * np.mean(right):.0f} % [{low:.0f}, {high:.0f}]"


def _drawn(name: str, classes: int, each: int, seed: int) -> Searched:
    """A library of some classes, and the names of these and of as many others."""
    examples, _ = labelled(name)
    truth = np.array(examples.labels)
    names = np.random.default_rng(seed).permutation(sorted(examples.counts))
    rows = np.concatenate([np.flatnonzero(truth == label)[:each] for label in names[:classes]])
    return examples.embeddings[rows], names[:classes].tolist(), names[classes : 2 * classes].tolist()


def _flickr() -> Searched:
    pairs = list(read_pairs(shard("flickr8k-test")))
    vectors = drain(iter_embed_set(clipcore.load(), pairs)).vectors
    captions = [re.findall("[a-z]+", " ".join(pair.captions).lower()) for pair in pairs]
    nouns = Counter(noun for words in captions for noun in {lemma(word) for word in words if meanings(word)})
    told = {word for words in captions for word in words}
    names = sorted({label for name in (TINY, CIFAR) for label in labelled(name)[0].counts})
    absent = [name for name in names if not any(form in told for word in name.lower().split() for form in _forms(word))]
    return vectors, sorted(noun for noun, count in nouns.items() if count >= ENOUGH * len(pairs)), absent


def _forms(word: str) -> Iterator[str]:
    """A word, singular and plural."""
    yield from (word, word + "s", word + "es", word.removesuffix("s"))
