"""Searches for what is there and for what is not, in a library of Flickr8k's test photographs (SAYSO_SETS, see labelled.py).

What is there: nouns of WordNet for things, in the singular, that the captions of at least three in a hundred photographs
name. What is not: class names of Tiny-ImageNet and CIFAR-100 of which no word, singular or plural, is in any caption. The
captions may leave out what a photograph shows, so some of the alarms counted as false are none.

Ours is `Library.find`'s verdict. The area under the curve is that of the best picture's distance from the bar, beside that
of the best cosine alone, which is what a fixed threshold would go by.
"""

import re
import tempfile
from collections import Counter
from pathlib import Path

from sklearn.metrics import roc_auc_score

import clipcore
from clipcore.measure.intervals import wilson
from clipcore.wordnet import lemma, meanings
from storage import Library
from training.pairs import read_pairs

from .labelled import CIFAR, TINY, shard
from .pairs import Row

OTHER = "the best cosine"
ENOUGH = 0.03  # of the photographs have a caption that names it


def run(quick: bool) -> list[Row]:
    """Shares with Wilson's 95 % intervals, and the area under the curve."""
    clip = clipcore.load()
    with tempfile.TemporaryDirectory() as place:
        photos, captions = Path(place) / "photos", []
        photos.mkdir()
        for number, pair in enumerate(read_pairs(shard("flickr8k-test"))):
            (photos / f"{number:04}.webp").write_bytes(
                Path(pair.image).read_bytes() if isinstance(pair.image, Path) else pair.image
            )
            captions.append(" ".join(re.findall("[a-z]+", " ".join(pair.captions).lower())))
        names = sorted({str(pair.name) for name in (TINY, CIFAR) for pair in read_pairs(shard(name))})
        nouns = Counter(noun for text in captions for noun in {lemma(word) for word in text.split() if meanings(word)})
        there = sorted(noun for noun, count in nouns.items() if count >= ENOUGH * len(captions))
        told = set(" ".join(captions).split())
        absent = [name for name in names if not any(form in told for word in name.lower().split() for form in forms(word))]
        with Library(Path(place) / "home", clip) as library:
            library.add(photos)
            judged = {name: library.find(name, limit=1) for name in there + absent}
            ranked = {name: library.find(name, limit=1, everything=True).hits[0] for name in there + absent}
    clear = {name: bool(found.clear) for name, found in judged.items()}
    truth = [True] * len(there) + [False] * len(absent)
    margins = [ranked[name].margin or 0.0 for name in there + absent]
    cosines = [ranked[name].score for name in there + absent]
    missed = sum(not clear[name] for name in there)
    alarms = sum(clear[name] for name in absent)
    mine, other = roc_auc_score(truth, margins), roc_auc_score(truth, cosines)
    return [
        _share("there, but answered with nothing matches", missed, len(there)),
        _share("not there, but answered with matches", alarms, len(absent)),
        Row("area under the curve", round(mine, 3), round(other, 3), round(mine / other, 2), "AUROC", len(truth)),
    ]


def _share(case: str, count: int, n: int) -> Row:
    low, high = (100 * float(end) for end in wilson(count, n))
    return Row(f"{case} [{low:.0f}, {high:.0f}]", round(100 * count / n, 1), 50, 0, "%, a coin 50", n)


def forms(word: str) -> set[str]:
    """A word, singular and plural."""
    return {word, word + "s", word + "es", word.removesuffix("s")}
