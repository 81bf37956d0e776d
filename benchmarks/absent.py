"""Searches for what is in a library and for what is not, judged by `storage.relevance` (SAYSO_SETS, see labelled.py).

Libraries of labelled pictures: some classes of a set, searched by their bare names and by the names of as many others. And
Flickr8k's test photographs: what is there are nouns for things, in the singular, that the captions of at least three in a
hundred photographs name; what is not are class names of Tiny-ImageNet and CIFAR-100 of which no word, singular or plural, is
in any caption. Captions may leave out what a photograph shows, so some of the alarms counted as false are none.

For each library the area under the curve of the best picture's distance from the bar, beside that of the best cosine
alone, which is what a fixed threshold would go by; the case says how many searches of either kind were judged rightly.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.metrics import roc_auc_score

import clipcore
from clipcore import drain
from clipcore.measure import iter_embed_set
from clipcore.measure.intervals import wilson
from clipcore.wordnet import lemma, meanings
from storage.relevance import Scale, generic_queries
from training.pairs import read_pairs

from .labelled import CALTECH, CIFAR, TINY, labelled, shard
from .pairs import Row

OTHER = "the best cosine"
ENOUGH = 0.03  # of the photographs have a caption that names it
Searched = tuple[np.ndarray, Sequence[str], Sequence[str]]  # pictures [n, dim], what is there, what is not


def run(quick: bool) -> list[Row]:
    """Shares of searches judged rightly with Wilson's 95 % intervals; several draws of a library count together."""
    rows = [_judged("Flickr8k test", [_flickr()])]
    if not quick:
        for name in (CIFAR, TINY, CALTECH):
            for classes, each in ((10, 5), (40, 20)):
                draws = [_drawn(name, classes, each, seed) for seed in range(3)]
                rows.append(_judged(f"{name}, {classes} classes, {each} each", draws))
    return rows


def _judged(case: str, libraries: Sequence[Searched]) -> Row:
    clip = clipcore.load()
    texts = generic_queries()
    bank = clip.embed_texts(texts)
    right: dict[bool, list[bool]] = {True: [], False: []}
    mine, others = [], []
    for pictures, there, absent in libraries:
        scale = Scale.of(texts, bank, pictures)
        queries = clip.embed_texts([*there, *absent])
        best = (pictures @ queries.T).max(0)
        margins = best - [scale.bar(query) for query in queries]
        truth = np.arange(len(queries)) < len(there)
        for is_there, margin in zip(truth.tolist(), margins.tolist(), strict=True):
            right[is_there].append((margin >= 0) == is_there)
        mine.append(roc_auc_score(truth, margins))
        others.append(roc_auc_score(truth, best))
    ours, other = float(np.mean(mine)), float(np.mean(others))
    shares = f"there {_share(right[True])}, not there {_share(right[False])}"
    return Row(
        f"{case}: {shares}", round(ours, 3), round(other, 3), round(ours / other, 2), "AUROC", sum(map(len, right.values()))
    )


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
