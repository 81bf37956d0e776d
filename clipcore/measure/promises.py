"""A classifier's promises as claims that are tested: on labelled pictures, with their intervals.

How they are made is told in `clipcore.classify.promise` and `sets`.
"""

from typing import TYPE_CHECKING

import numpy as np

from ..classify.answers import decide, stand_alone
from ..classify.classifier import Classifier
from ..classify.drift import drift, words_of
from ..classify.examples import Examples
from ..classify.promise import per_cent, unseen_of
from ..classify.sets import level_of
from ..errors import BadInput
from .intervals import points, share_interval

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

COVERAGE = 0.9  # of the sets of names


def claims(classifier: Classifier, examples: Examples, encoder: "Encoder | None" = None) -> list[str]:
    """What comes of a classifier's promises on labelled pictures, in a sentence each; none where it promises nothing. The
    encoder tells a taught one whether they are of another kind.

    The pictures should not be those that it was taught or tested with (`leaks`).
    """
    if stand_alone(classifier) or not len(examples):
        return []
    try:
        tested = unseen_of(classifier)
    except BadInput as error:
        return [str(error)]
    if tested is None:
        return []
    y = examples.targets(classifier.labels)
    said = []
    if classifier.decision.promise is not None:
        places = decide(classifier, examples.embeddings).places
        said.append(_wrong(classifier.decision.promise, int((places >= 0).sum()), int((places != y)[places >= 0].sum())))
        words = words_of(encoder, classifier) if encoder else classifier
        if words.kind == "zero-shot" and (told := drift(words, tested, examples.embeddings).sentence):
            said.append(f"{told}.")
    try:
        inside = level_of(classifier, COVERAGE).holds(1 - classifier.shares(examples.embeddings))
    except BadInput:  # too few labels for sets
        return said
    held = int(inside[np.arange(len(y)), y].sum())
    low, high = share_interval(held, len(y))
    said.append(
        f"Sets of names for {per_cent(COVERAGE)}: they hold the right one of {held:,} in {len(y):,} images "
        f"(95 % interval {points(low)} to {points(high)}), with {inside.sum(1).mean():.1f} names on average."
    )
    return said


def _wrong(promised: float, answered: int, wrong: int) -> str:
    told = f"Promised: at most {per_cent(promised)} of the answers are wrong."
    if not answered:
        return f"{told} None of these images gets an answer."
    low, high = share_interval(wrong, answered)
    verdict = "kept" if wrong <= promised * answered else "not kept" if low > promised else "missed, which may be chance"
    seen = f"{wrong:,} of {answered:,} are (95 % interval {points(low)} to {points(high)})"
    return f"{told} Here {seen}: {verdict}."
