"""Searches for what is in a library and for what is not, judged by `storage.vectors.relevance` (SAYSO_SETS: labelled.py).

Libraries of labelled pictures: some classes of a set, searched by their bare names and by the names of as many others. And
Flickr8k's test photographs: what is there are nouns for things, in the singular, that the captions of at least three in a
hundred photographs name; what is not are class names of Tiny-ImageNet and CIFAR-100 of which no word, singular or plural, is
in any caption. Captions may leave out what a photograph shows, so some of the alarms counted as false are none.

The one photo that was looked for has a library of its own: Flickr8k's photographs and one picture each of sixty classes of
ImageNet's sample that no caption names, searched by these names and by those of the other such classes.

For each library the area under the curve of what a search is worth, mean of its draws, beside that of its best picture's
cosine, as it once was; the case says how many searches of either kind were judged rightly. The last row has the searches of
all libraries together: by the distance from each library's bar, and by the cosine itself, which is what a fixed threshold
would go by.
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

from .labelled import CALTECH, CIFAR, IMAGENET, TINY, encoded_once, labelled, shard
from .pairs import Row

OTHER = "the best picture's cosine"
ENOUGH = 0.03  # of the photographs have a caption that names it
SINGLE = 60  # classes of which there is one picture
Searched = tuple[np.ndarray, Sequence[str], Sequence[str]]  # pictures [n, dim], what is there, what is not


@dataclass(frozen=True)
class Searches:
    """Of all searches in one library: the best cosine, how far what they are worth is from the bar, and the truth."""

    best: np.ndarray
    margin: np.ndarray
    there: np.ndarray


@dataclass(frozen=True)
class Captioned:
    """Flickr8k's photographs [n, dim], the words and the nouns of each one's captions."""

    pictures: np.ndarray
    words: Sequence[set[str]]
    nouns: Sequence[set[str]]

    def untold(self, names: Sequence[str]) -> list[str]:
        """Those of the names of which no word is in any caption."""
        told = {word for words in self.words for word in words}
        return [name for name in names if not any(form in told for word in name.lower().split() for form in _forms(word))]


def run(quick: bool) -> list[Row]:
    """Shares of searches judged rightly with Wilson's 95 % intervals; several draws of a library count together."""
    flickr = _flickr()
    libraries = {"Flickr8k test": [_searches(*_things(flickr))]}
    if not quick:
        for name in (CIFAR, TINY, CALTECH):
            for classes, each in ((10, 5), (40, 20)):
                draws = [_searches(*_drawn(name, classes, each, seed)) for seed in range(3)]
                libraries[f"{name}, {classes} classes, {each} each"] = draws
        libraries[f"Flickr8k test and {SINGLE} single photos"] = [_searches(*_singles(flickr, seed)) for seed in range(3)]
    rows = []
    for case, draws in libraries.items():
        right = [[margin >= 0 for draw in draws for margin in draw.margin[draw.there == there]] for there in (True, False)]
        shares = f"there {_share(right[0])}, not there {_share([not said for said in right[1]])}"
        areas = [[roc_auc_score(draw.there, by) for by in (draw.margin, draw.best)] for draw in draws]
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
    scale = Scale.of(texts, clip.embed_texts(texts), pictures, clip.logit_scale)
    queries = clip.embed_texts([*there, *absent])
    best = (pictures @ queries.T).max(0)
    worth = np.array([scale.worth(query, float(cosine)) for query, cosine in zip(queries, best, strict=True)])
    return Searches(best, worth - scale.bar, np.arange(len(queries)) < len(there))


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


def _flickr() -> Captioned:
    pairs = list(read_pairs(shard("flickr8k-test")))
    words = [set(re.findall("[a-z]+", " ".join(pair.captions).lower())) for pair in pairs]
    nouns = [{lemma(word) for word in told if meanings(word)} for told in words]
    return Captioned(drain(iter_embed_set(clipcore.load(), pairs)).vectors, words, nouns)


def _things(flickr: Captioned) -> Searched:
    """The photographs, the nouns that many captions name, and names of classes that none does."""
    count = Counter(noun for nouns in flickr.nouns for noun in nouns)
    names = sorted({label for name in (TINY, CIFAR) for label in labelled(name)[0].counts})
    enough = ENOUGH * len(flickr.pictures)
    return flickr.pictures, sorted(noun for noun, found in count.items() if found >= enough), flickr.untold(names)


def _singles(flickr: Captioned, seed: int) -> Searched:
    """The photographs and one picture each of some classes that no caption names; the names of these and of the others."""
    examples, _ = encoded_once(IMAGENET)  # whose head leaves out names that two classes have
    once = [name for name, count in examples.counts.items() if count == 1]
    names = np.random.default_rng(seed).permutation(flickr.untold(sorted(once))).tolist()
    rows = [examples.labels.index(name) for name in names[:SINGLE]]
    return np.concatenate([flickr.pictures, examples.embeddings[rows]]), names[:SINGLE], names[SINGLE:]


def _forms(word: str) -> Iterator[str]:
    """A word, singular and plural."""
    yield from (word, word + "s", word + "es", word.removesuffix("s"))
