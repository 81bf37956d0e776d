"""Which words make a classifier better: prompt sets side by side on one's own images (Radford et al., 2021, Figure 4).

With labels each set gets an accuracy with its interval and a paired comparison with the bare name; without, the share of
images whose label changes with the wording, which says how far the answers can be trusted. Random words are the control:
a set that is no better than those only profits from having many sentences (Roth et al., 2023, "Waffling around for
performance"). Choosing templates is in `templates.py`.
"""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..classify.examples import Examples
from ..classify.prompts import GENERAL, PACKS, PromptSet, pack
from ..classify.zeroshot import zero_shot_classifier
from ..errors import BadInput
from ..progress import Step, drain
from .answers import judge
from .intervals import difference_interval, mcnemar, points, share_interval

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

BASE = "bare"  # what the others are compared with, as in the paper's Figure 4
CONTROL = "random words"
SPECIAL = {CONTROL, *PACKS} - set(GENERAL)  # wordings that only suit some images
USUAL = (*GENERAL, "pets", "food", "satellite", "textures", "art")  # tried where no packs are named
CHUNK = 512  # texts embedded between two steps


@dataclass(frozen=True)
class Arm:
    """One prompt set on the images.

    templates   how many sentences it has for each name
    accuracy    with its 95 % `interval`, if there are labels
    gain        accuracy minus that of the first arm, with its 95 % paired bootstrap interval and McNemar's exact p
    changed     share of images whose label is another than with the first arm
    """

    name: str
    templates: int
    changed: float
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None
    p: float | None = None

    def __str__(self) -> str:
        if self.accuracy is None or self.interval is None or self.gain is None or self.gain_interval is None:
            return f"{100 * self.changed:5.1f} % of labels change"
        low, high = self.interval
        gain_low, gain_high = self.gain_interval
        return (
            f"{100 * self.accuracy:5.1f} % ({100 * low:.1f} to {100 * high:.1f})   "
            f"{100 * self.gain:+5.1f} points ({100 * gain_low:+.1f} to {100 * gain_high:+.1f})"
        )


@dataclass(frozen=True)
class PromptReport:
    """Prompt sets on `n` images with `classes` class names.

    arms      the first is what the others are compared with
    flips     share of images whose label is not the same under all arms that suit any image (not SPECIAL)
    unstable  the rows of those images, those with the most different labels first
    answers   of each of these rows, the labels that it gets, the commonest first
    """

    n: int
    classes: int
    labelled: bool
    arms: tuple[Arm, ...]
    flips: float
    unstable: tuple[int, ...]
    answers: tuple[tuple[str, ...], ...] = ()

    @property
    def best(self) -> Arm | None:
        """The arm with the highest accuracy; None without labels. Chosen on the images that it is measured on."""
        return max(self.arms, key=lambda arm: arm.accuracy or 0) if self.labelled else None

    @property
    def sentence(self) -> str:
        """What to think of it."""
        flips = f"{points(self.flips)} of {self.n:,} images change their label with the wording"
        if self.best is None:
            remedy = "look at those, or teach the classifier" if self.flips > 0.1 else "the names do most of the work"
            return f"{flips}: {remedy}."
        first, best = self.arms[0], self.best
        if best is first or best.p is None or best.p * (len(self.arms) - 1) >= 0.05:  # Bonferroni: the best of many
            return f"No prompts are clearly better than “{first.name}” on these {self.n:,} images; {flips}."
        if best.name == CONTROL:
            return f"Random words do best on these {self.n:,} images, so the other wordings do not help; {flips}."
        low, high = (100 * end for end in best.gain_interval or (0, 0))
        gain = f"{100 * (best.gain or 0):+.1f} points (95 % interval {low:+.1f} to {high:+.1f}) against “{first.name}”"
        return f"“{best.name}” does best with {points(best.accuracy or 0)}, {gain}, on {self.n:,} images; {flips}."

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "sentence": self.sentence}


def random_words(templates: int = 7, seed: int = 0) -> PromptSet:
    """A control: sentences with two random English words each, the same for the same seed."""
    from .. import wordnet

    words = [word for word in sorted(wordnet.words()) if 4 <= len(word) <= 8]
    drawn = np.random.default_rng(seed).choice(len(words), (templates, 2), replace=False)
    return PromptSet(CONTROL, tuple(f"a photo of a {{label}}, which has {words[a]} {words[b]}." for a, b in drawn))


def usual_arms(own: PromptSet | None = None, packs: Sequence[str] | None = None) -> dict[str, PromptSet]:
    """What to compare: the packs named, or the usual ones, with the bare name first, the user's own, and the control.

    Prompts and other names for single classes (`own.class_prompts`, `own.synonyms`) also get an arm of their own beside
    each of the usual templates, so that their part can be told from that of the templates.
    """
    names = list(dict.fromkeys([BASE, *(USUAL if packs is None else packs)]))
    arms = {name: pack(name) for name in names}
    if own is not None and own.templates:
        arms[own.name if own.name not in arms else f"own {own.name}"] = own
    if own is not None and own.class_prompts:
        photo = pack("photo").templates
        arms["descriptions"] = replace(own, name="descriptions", templates=photo)
    if own is not None and own.synonyms:
        arms["other names"] = PromptSet("other names", pack("seven").templates, own.synonyms)
    return {**arms, CONTROL: random_words()}


def iter_bench_prompts(
    encoder: "Encoder",
    labels: Sequence[str],
    X: np.ndarray,
    arms: Mapping[str, PromptSet],
    truth: Sequence[str] = (),
    keys: Sequence[str] = (),
) -> Generator[Step, None, PromptReport]:
    """Compare prompt sets on vectors X [n, dim], with the right labels in `truth` [n] or without.

    Every sentence is embedded once, whatever the number of arms that have it. Raises BadInput for no images, no arms, or a
    label that is no class.
    """
    if not len(X) or not arms:
        raise BadInput("There are no images to try the prompts on; name a folder of pictures.")
    texts = list(dict.fromkeys(text for arm in arms.values() for label in labels for text in arm.texts(label)))
    for start in range(0, len(texts), CHUNK):
        encoder.embed_texts(texts[start : start + CHUNK])  # the encoder's cache keeps them for the heads below
        yield Step(min(start + CHUNK, len(texts)), len(texts), "embedding prompts")
    answers: dict[str, np.ndarray] = {}
    right: dict[str, np.ndarray] = {}
    for name, arm in arms.items():
        head = zero_shot_classifier(encoder, labels, arm)
        if len(truth):
            judged = judge(head, Examples(X, tuple(truth), encoder.space, tuple(keys)))
            answers[name], right[name] = judged.guess, judged.right
        else:
            answers[name] = head.logits(X).argmax(1)
        yield Step(len(answers), len(arms), "comparing prompts")
    first = next(iter(arms))
    rows = [_arm(name, arm, first, answers, right) for name, arm in arms.items()]
    wordings = np.stack([answer for name, answer in answers.items() if name == first or name not in SPECIAL], 1)
    wordings.sort(axis=1)
    different = (np.diff(wordings, axis=1) != 0).sum(1)  # how many labels an image gets, less one
    unstable = np.argsort(-different, kind="stable")[: int((different > 0).sum())]
    return PromptReport(
        n=len(X),
        classes=len(labels),
        labelled=bool(len(truth)),
        arms=tuple(rows),
        flips=float((different > 0).mean()),
        unstable=tuple(unstable.tolist()),
        answers=tuple(tuple(labels[g] for g, _ in Counter(wordings[row].tolist()).most_common()) for row in unstable),
    )


def bench_prompts(
    encoder: "Encoder",
    labels: Sequence[str],
    X: np.ndarray,
    arms: Mapping[str, PromptSet],
    truth: Sequence[str] = (),
    keys: Sequence[str] = (),
) -> PromptReport:
    """`iter_bench_prompts` to its end."""
    return drain(iter_bench_prompts(encoder, labels, X, arms, truth, keys))


def _arm(name: str, arm: PromptSet, first: str, answers: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> Arm:
    n = len(answers[name])
    changed = float((answers[name] != answers[first]).mean())
    row = Arm(name, len(arm.templates), changed)
    if not right:
        return row
    before, after = right[first], right[name]
    return replace(
        row,
        accuracy=float(after.mean()),
        interval=share_interval(after.sum(), n),
        gain=float(after.mean() - before.mean()),
        gain_interval=difference_interval(after.astype(int) - before.astype(int)),
        p=mcnemar(int((before & ~after).sum()), int((after & ~before).sum())),
    )
