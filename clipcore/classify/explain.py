"""Why this label: how each prompt votes, how far ahead the label is, and the labelled pictures that are nearest.

Where in the picture the label is: `clipcore.classify.heat`.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..errors import BadInput
from .classifier import Classifier, Prediction
from .examples import Examples

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder
    from .heat import Heat

RIVALS = 5  # best labels whose prompts are asked


@dataclass(frozen=True)
class Votes:
    """One label's prompts: `cosines` go with `prompts`, best first; `won` is how many templates would choose this label
    among the best ones. `share` is that among the labels, or the confidence in the label where several can be true."""

    label: str
    share: float
    prompts: tuple[str, ...]
    cosines: tuple[float, ...]
    won: int


@dataclass(frozen=True)
class Neighbour:
    """A labelled picture (`key` is its content hash) with its cosine to the one that is explained."""

    key: str
    label: str
    cosine: float


@dataclass(frozen=True)
class Why:
    """What speaks for the best label.

    votes       the best labels, best first, with their prompts; of a taught head they are what it began with
    templates   how many templates voted
    margin      share of the best label, or confidence in it, minus that of the second
    neighbours  the nearest labelled pictures, nearest first
    """

    votes: tuple[Votes, ...]
    templates: int
    margin: float
    neighbours: tuple[Neighbour, ...] = ()

    @property
    def label(self) -> str:
        return self.votes[0].label

    @property
    def runner_up(self) -> str | None:
        return self.votes[1].label if len(self.votes) > 1 else None


def why(
    encoder: "Encoder",
    classifier: Classifier,
    vector: np.ndarray,
    examples: Examples | None = None,
    k: int = 6,
    shares: np.ndarray | None = None,
) -> Why:
    """Why a classifier says of a picture's vector [dim] what it says, with the k nearest of the labelled `examples`.

    `shares` [n labels] is what was answered of it (`Answers.shares`); left out, its shares among the labels. Raises
    SpaceMismatch if they do not belong to the encoder's model.
    """
    encoder.space.require(classifier.space, "This classifier")
    prediction = classifier.predict(vector)[0] if shares is None else Prediction(classifier.labels, shares)
    best = prediction.top(RIVALS)
    templates = len(classifier.prompts.templates)
    texts = [classifier.prompts.texts(label) for label, _ in best]
    cosines = np.split(
        encoder.embed_texts([t for group in texts for t in group]) @ vector, np.cumsum([*map(len, texts)])[:-1]
    )
    ballots = np.stack([values[:templates] for values in cosines])  # each label's own name in each template comes first
    won = np.bincount(ballots.argmax(0), minlength=len(best)) if templates else np.zeros(len(best), int)
    votes = []
    for (label, share), group, values, count in zip(best, texts, cosines, won, strict=True):
        order = np.argsort(-values, kind="stable")
        votes.append(Votes(label, share, tuple(group[i] for i in order), tuple(float(values[i]) for i in order), int(count)))
    return Why(tuple(votes), templates, prediction.margin, nearest(examples, vector, k) if examples is not None else ())


def nearest(examples: Examples, vector: np.ndarray, k: int) -> tuple[Neighbour, ...]:
    """The k labelled pictures whose cosine with a vector [dim] is highest, nearest first."""
    if not len(examples) or k < 1:
        return ()
    if examples.space.dim != len(vector):
        raise BadInput("The labelled pictures and this one were embedded with two models; embed them with one.")
    cosines = examples.embeddings @ vector
    rows = np.argsort(-cosines, kind="stable")[:k]
    return tuple(Neighbour(examples.keys[i], examples.labels[i], float(cosines[i])) for i in rows)


def overlay(picture: Image.Image, heat: "Heat", colour: tuple[int, int, int] = (255, 64, 0)) -> bytes:
    """The picture with the heat laid over it, as PNG bytes: strong colour speaks for the label, what the model cannot see
    is darkened. Strengths are relative to this picture's hottest place."""
    width, height = picture.size
    top = float(heat.values.max())
    strength = np.clip(heat.values / top if top > 0 else np.zeros_like(heat.values), 0, 1)
    left, upper, right, lower = (
        round(share * side) for share, side in zip(heat.box, (width, height, width, height), strict=True)
    )
    size = (max(1, right - left), max(1, lower - upper))
    smooth = Image.fromarray((255 * 0.72 * strength).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    mask = Image.new("L", picture.size, 0)
    mask.paste(smooth, (left, upper))
    unseen = Image.new("L", picture.size, 150)
    unseen.paste(0, (left, upper, right, lower))
    shown = Image.composite(Image.new("RGB", picture.size, "black"), picture.convert("RGB"), unseen)
    shown = Image.composite(Image.new("RGB", picture.size, colour), shown, mask)
    out = io.BytesIO()
    shown.save(out, "PNG")
    return out.getvalue()
