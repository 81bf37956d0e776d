"""Is this model what it says, and loaded rightly? At most a minute on known pictures and words.

A model with the wrong activation, the wrong preprocessing, random weights or another's tokenizer runs without complaint and
answers badly. Each check here says passed, failed or unsure, with a sentence. What is known of a model beforehand decides
(`selftest_known`); of others fourteen photographs cannot show everything, and what they cannot show is called unsure.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..progress import Step, drain
from . import selftest_known as beforehand

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

Verdict = Literal["passed", "failed", "unsure"]
SECONDS = 60.0  # after these nothing more is begun
KNOWS, GUESSES = 3.0, 1.65  # standard deviations above chance: one in 700, and one in 20
BETTER = 2.5  # standard errors by which a variant must fit better to be called the right one, and
MARGIN = 0.05  # nats by which it must
ALIKE = 0.999  # mean cosine above which two ways to prepare pictures are one: CLIP's mean and ImageNet's, say
WORSE = 2.0  # standard errors by which every variant must fit worse for a check to be passed
# (word, a word close to it, one far from it); by chance half of them come out right
TRIPLES = (
    *(("cat", "kitten", "rocket"), ("car", "truck", "banana"), ("dog", "puppy", "airplane"), ("boat", "ship", "flower")),
    *(("house", "building", "fish"), ("horse", "pony", "clock"), ("river", "lake", "telephone"), ("tree", "forest", "cup")),
    *(("man", "woman", "mushroom"), ("bread", "cake", "train"), ("guitar", "piano", "frog"), ("sofa", "chair", "shark")),
    *(("wolf", "fox", "bottle"), ("lion", "tiger", "table"), ("bus", "train", "apple"), ("rose", "tulip", "tractor")),
    *(("bee", "butterfly", "bridge"), ("whale", "dolphin", "lamp"), ("boy", "girl", "mountain"), ("snake", "lizard", "bed")),
    *(
        ("plate", "bowl", "elephant"),
        ("hill", "mountain", "keyboard"),
        ("oak", "maple", "bicycle"),
        ("cow", "sheep", "road"),
    ),
)
SENSE, NONSENSE = 20, 16  # of 24 triples: 20 right come by chance once in 1,300 times, 16 once in 13


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what, how it came out, and a sentence about it."""

    name: str
    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class SelfTest:
    """All checks of a model, and how long they took."""

    model: str
    checks: tuple[Check, ...]
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """Failed if any check failed; passed if what can always be told, numbers, pictures and words, has passed."""
        if any(check.verdict == "failed" for check in self.checks):
            return "failed"
        certain = [check.verdict for check in self.checks if check.name in ("numbers", "pictures", "words")]
        return "passed" if all(verdict == "passed" for verdict in certain) else "unsure"

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        return {
            "passed": "The model answers as a trained model does.",
            "failed": "Something is wrong with this model or with how it is loaded; do not trust its answers.",
            "unsure": "These few pictures and words do not show whether the model knows anything.",
        }[self.verdict]


def iter_self_test(encoder: "Encoder", seconds: float = SECONDS) -> Generator[Step, None, SelfTest]:
    """Look at numbers, pictures, words, activation and preprocessing. Raises ModelError where the pictures are missing."""
    began = time.monotonic()
    views, captions = beforehand.known_pairs()
    comparing = _Comparing(encoder, views, captions, began + seconds)
    checks: list[Check] = []
    looks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("numbers", lambda: numbers(encoder, views[:5], captions[:5])),
        ("pictures", comparing.knows),
        ("words", lambda: words(encoder)),
        ("activation", comparing.activation),
        ("colours", comparing.colours),
        ("shape", comparing.shape),
    )
    for about, check in looks:
        yield Step(len(checks), 6, f"looking at the {about}")
        checks.append(check())
    yield Step(6, 6, "looked at everything")
    return SelfTest(encoder.name, tuple(checks), time.monotonic() - began)


def self_test(encoder: "Encoder", seconds: float = SECONDS) -> SelfTest:
    """`iter_self_test`, run to its end."""
    return drain(iter_self_test(encoder, seconds))


def numbers(encoder: "Encoder", pictures: Sequence[Any], texts: Sequence[str]) -> Check:
    """Vectors are finite, of unit length, the same twice, and the same alone as in a batch."""
    prepared = [encoder.prepare(picture) for picture in pictures]
    together, again = encoder.embed_prepared(prepared), encoder.embed_prepared(prepared)
    alone = np.concatenate([encoder.embed_prepared([one]) for one in prepared])
    written = encoder.embed_texts(texts)
    both = np.concatenate([together, written])
    reduced = str(getattr(encoder, "dtype", "")).endswith("float16")  # bfloat16, too
    if not np.isfinite(both).all():
        return Check("numbers", "failed", "Some numbers are infinite or undefined: the weights are damaged.")
    if np.abs(np.linalg.norm(both, axis=1) - 1).max() > 1e-3:
        return Check("numbers", "failed", "The vectors are not of length one.")
    if np.abs(together - again).max() > 1e-5:
        return Check("numbers", "failed", "The same picture gives another answer each time.")
    if (together * alone).sum(1).min() < (0.99 if reduced else 0.9999):
        return Check("numbers", "failed", "A picture alone gives another answer than among others.")
    if len(both) > 1 and np.ptp(together, axis=0).max() < 1e-6:
        return Check("numbers", "failed", "Every picture gives the same answer.")
    return Check("numbers", "passed", "Finite, of length one, the same twice, and the same alone as among others.")


def words(encoder: "Encoder") -> Check:
    """Whether words lie closer to words of like meaning. A wrong tokenizer hands the model other words than were typed."""
    near, close, far = (encoder.embed_texts([f"a photo of a {triple[i]}." for triple in TRIPLES]) for i in range(3))
    right = int(((near * close).sum(1) > (near * far).sum(1)).sum())
    verdict: Verdict = "passed" if right >= SENSE else "failed" if right <= NONSENSE else "unsure"
    meaning = {
        "passed": "it reads words",
        "failed": "by chance it would be half: weights without training, or the tokenizer of another model",
        "unsure": "that is little better than chance",
    }
    sentence = f"In {right} of {len(TRIPLES)} cases a word lies closer to its like (cat to kitten, not to rocket): "
    return Check("words", verdict, f"{sentence}{meaning[verdict]}.")


class _Comparing:
    """The fit of pictures and captions, as the model is loaded and as variants of it would have it."""

    def __init__(self, encoder: "Encoder", views: Sequence[Any], captions: Sequence[str], end: float) -> None:
        self.encoder, self.views, self.captions, self.end = encoder, views, captions, end
        self.pictures = self.texts = np.zeros((0, 0), np.float32)
        self.scale, self.losses = 0.0, np.zeros(0)
        self.off: float | None = None  # from what the model is known to answer
        self.published = beforehand.Published()

    def knows(self) -> Check:
        """Whether each photograph fits its own captions better than others': against every way to pair them otherwise."""
        self.pictures, self.texts = self.encoder.embed_images(self.views), self.encoder.embed_texts(self.captions)
        if not (np.isfinite(self.pictures).all() and np.isfinite(self.texts).all()):
            return Check("pictures", "failed", "The numbers are undefined.")
        n, scores = len(self.views) // 2, beforehand.scores(self.pictures, self.texts)
        above = pairing(scores)
        self.off = beforehand.off(self.encoder.space.key, scores)
        self.scale = best_scale(self.pictures, self.texts)
        self.losses = pair_losses(self.pictures, self.texts, self.scale)
        found = f"{n} known photographs fit their own captions {above:.1f} standard deviations better than chance"
        if above >= KNOWS:
            return Check("pictures", "passed", f"{found}: it knows what it sees.")
        if above <= GUESSES:
            return Check("pictures", "failed", f"{found}: the weights are random, or pictures or words reach it garbled.")
        return Check("pictures", "unsure", f"{found}: too little to be sure that it knows anything.")

    def activation(self) -> Check:
        """QuickGELU (OpenAI's models and some others) against GELU: with the wrong one a model runs, and runs worse."""
        with self.encoder.open_clip_model() as model:
            swapped = deepcopy(model)
        how = (_activation_of(swapped), self.encoder._preprocess)
        self.published = beforehand.as_published(self.encoder.name, swapped, *how)
        if not _swap_activation(swapped):
            return Check(
                "activation", "passed", "It has neither GELU nor QuickGELU, which could be mistaken for each other."
            )
        other = self.encoder.variant(model=swapped)
        return self._judge("activation", {"the other activation (GELU or QuickGELU)": other})

    def colours(self) -> Check:
        """Mean and standard deviation of other families of models."""
        families = {
            "CLIP's mean and deviation": {"mean": (0.4815, 0.4578, 0.4082), "std": (0.2686, 0.2613, 0.2758)},
            "mean and deviation 0.5": {"mean": (0.5,) * 3, "std": (0.5,) * 3},
            "no normalisation": {"mean": (0.0,) * 3, "std": (1.0,) * 3},
        }
        return self._judge("colours", {**self._prepared_with(families), "red for blue": self._red_for_blue()})

    def shape(self) -> Check:
        """How a picture becomes a square."""
        ways = {"shortest": "cut to a square", "squash": "squeezed to a square", "longest": "padded to a square"}
        changes = {said: {"resize_mode": mode} for mode, said in ways.items()}
        changes |= {f"{way} scaling": {"interpolation": way} for way in ("bicubic", "bilinear")}
        return self._judge("shape", self._prepared_with(changes))

    def _red_for_blue(self) -> "Encoder":
        prepare: Any = self.encoder._preprocess
        return self.encoder.variant(preprocess=lambda image: prepare(image).flip(0))

    def _prepared_with(self, changes: Mapping[str, Mapping[str, Any]]) -> "dict[str, Encoder]":
        """A variant of the encoder for each change that is one."""
        from open_clip.model import get_model_preprocess_cfg
        from open_clip.transform import PreprocessCfg, image_transform_v2

        with self.encoder.open_clip_model() as model:
            config = dict(get_model_preprocess_cfg(model))

        return {
            said: self.encoder.variant(preprocess=image_transform_v2(PreprocessCfg(**{**config, **change}), is_train=False))
            for said, change in changes.items()
        }

    def _judge(self, name: str, variants: "Mapping[str, Encoder]") -> Check:
        """Whether a variant fits the pairs better than the model as it is loaded; by the same scale, pair by pair."""
        if not np.isfinite(self.losses).all():
            return Check(name, "unsure", "The numbers are undefined.")
        if self.off is not None:
            if self.off <= beforehand.SAME:
                return Check(name, "passed", "It answers on the known photographs as it did where it was made.")
            sentence = "It answers otherwise than where it was made: something was changed; get a complete copy of Sayso."
            return Check(name, "failed", sentence)
        if other := self.published.wrong.get(name):
            return Check(name, "failed", f"It is loaded otherwise than it was published: {other}.")
        found: dict[str, float] = {}
        for said, encoder in variants.items():
            if time.monotonic() > self.end:
                return Check(name, "unsure", "This model is too slow to compare it with variants of itself in a minute.")
            texts = encoder.embed_texts(self.captions) if name == "activation" else self.texts
            pictures = encoder.embed_images(self.views)
            if name != "activation" and (pictures * self.pictures).sum(1).mean() > ALIKE:
                continue  # this is how the model is loaded, or as good as that
            worse = pair_losses(pictures, texts, self.scale) - self.losses
            found[said] = float(worse.mean() / max(worse.std(ddof=1) / len(worse) ** 0.5, 1e-9))
            if found[said] < -BETTER and worse.mean() < -MARGIN:
                return Check(name, "failed", f"With {said} the photographs fit their captions better: load it that way.")
        if not found:
            return Check(name, "passed", "The ways that could be mistaken for each other make no difference to it.")
        if min(found.values()) > WORSE:
            sentence = f"The photographs fit their captions worse in every other way: {', '.join(found)}."
            return Check(name, "passed", sentence)
        alike = ", ".join(said for said, z in found.items() if z <= WORSE)
        if name in self.published.right:
            return Check(name, "passed", f"It is loaded as published; photographs alone could not tell it from: {alike}.")
        sentence = f"It fits about as well with {alike}: {len(self.losses)} photographs cannot tell; ask who made it."
        return Check(name, "unsure", sentence)


def pairing(scores: np.ndarray) -> float:
    """How far the diagonal of scores [n, n] stands above a random pairing, in standard deviations.

    The mean and variance over all permutations are known exactly (Hoeffding, 1951): of the scores without their row and
    column means, mean 0 and sum of squares / (n - 1).
    """
    centred = scores - scores.mean(0) - scores.mean(1)[:, None] + scores.mean()
    return float(np.trace(centred) / max(np.sqrt((centred**2).sum() / (len(centred) - 1)), 1e-9))


def pair_losses(pictures: np.ndarray, texts: np.ndarray, scale: float) -> np.ndarray:
    """The contrastive loss (Radford et al., 2021, figure 3) of each of n pairs, over two views and two captions: float [n].

    `pictures` and `texts` [2 n, dim]; where nothing is known it is ln(n).
    """
    from scipy.special import log_softmax

    n = len(pictures) // 2
    views, captions = pictures.reshape(n, 2, -1), texts.reshape(n, 2, -1)
    logits = [scale * views[:, a] @ captions[:, b].T for a in (0, 1) for b in (0, 1)]
    return np.mean([-np.diag(log_softmax(each, 0) + log_softmax(each, 1)) / 2 for each in logits], axis=0)


def best_scale(pictures: np.ndarray, texts: np.ndarray) -> float:
    """The scale with which the pairs fit best. A model's own is made for its training data, not for these photographs."""
    scales = np.geomspace(0.5, 200, 40)
    return float(min(scales, key=lambda scale: pair_losses(pictures, texts, scale).mean()))


def _activation_of(model: Any) -> str:
    """QuickGELU or GELU, which the image tower has; "" if it has neither."""
    from open_clip.transformer import QuickGELU
    from torch import nn

    kinds = {nn.GELU: "GELU", QuickGELU: "QuickGELU"}
    return next((kinds[type(module)] for module in model.visual.modules() if type(module) in kinds), "")


def _swap_activation(model: Any) -> int:
    """Put QuickGELU where GELU was, and the other way round; how often."""
    from open_clip.transformer import QuickGELU
    from torch import nn

    other: dict[type, Callable[[], Any]] = {nn.GELU: QuickGELU, QuickGELU: nn.GELU}
    places = [
        (parent, name, type(child))
        for parent in model.modules()
        for name, child in parent.named_children()
        if type(child) in other
    ]
    for parent, name, kind in places:
        setattr(parent, name, other[kind]())
    return len(places)
