"""Choosing prompt templates on labelled images, and what the choice is worth on images that it did not see.

The CLIP authors chose their seven templates so by hand (their notebook Prompt_Engineering_for_ImageNet): forward selection,
each step adding the template that helps most. Chosen and measured on the same images that would flatter itself, so here
it is nested: the figure reported comes from folds in which each image is answered by templates chosen without it.
"""

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..classify.examples import Examples
from ..classify.prompts import PromptSet
from ..errors import BadInput
from ..progress import Step, drain
from .intervals import difference_interval, mcnemar, share_interval

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

LONGEST = 8  # templates; more seldom help
FOLDS = 5
MEMORY = 256 * 2**20  # bytes for the scores of every template on the images that choose
FEWEST = 20  # labelled images, below which choosing is guessing


@dataclass(frozen=True)
class Selection:
    """Templates chosen on `n` labelled images.

    templates   chosen on all of them: what to use
    accuracy    of templates chosen the same way in each fold, on the images left out, with its 95 % `interval`
    baseline    accuracy of `baseline_name` on the same images
    gain        the difference, with its 95 % paired bootstrap interval and McNemar's exact p
    stability   in how many of the folds each of `templates` was chosen too
    """

    n: int
    templates: tuple[str, ...]
    accuracy: float
    interval: tuple[float, float]
    baseline_name: str
    baseline: float
    gain: float
    gain_interval: tuple[float, float]
    p: float
    stability: tuple[int, ...]
    folds: int

    @property
    def better(self) -> bool:
        """Whether the choice is clearly better than the baseline on images that it did not see."""
        return self.p < 0.05 and self.gain > 0

    @property
    def sentence(self) -> str:
        """What to think of it."""
        low, high = (100 * end for end in self.gain_interval)
        size = f"{100 * self.gain:+.1f} points ({low:+.1f} to {high:+.1f}) on {self.n:,} images that the choice did not see"
        if self.better:
            return f"Chosen templates do better than “{self.baseline_name}”: {size}."
        return f"Choosing does not clearly help, so keep “{self.baseline_name}”: {size}."

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "better": self.better, "sentence": self.sentence}


def iter_select_templates(
    encoder: "Encoder",
    examples: Examples,
    labels: Sequence[str],
    candidates: Sequence[str],
    baseline: PromptSet,
    seed: int = 0,
) -> Generator[Step, None, Selection]:
    """Choose among `candidates` on labelled images and say what that is worth.

    In each fold the other images are halved: on one half templates are added as long as that helps, the other says after
    how many to stop. Raises BadInput for fewer than 20 images, and for no candidates.
    """
    if len(examples) < FEWEST:
        raise BadInput(f"{len(examples)} labelled images are too few to choose prompts on; label at least {FEWEST}.")
    candidates = list(dict.fromkeys(candidates))
    if not candidates:
        raise BadInput("There are no templates to choose from; write some, or name a pack.")
    truth = examples.targets(labels)
    vectors = []
    for place, template in enumerate(candidates):
        vectors.append(_means(encoder, [[template.replace("{label}", label)] for label in labels]))
        yield Step(place + 1, len(candidates), "embedding prompts")
    T = np.stack(vectors)
    base = _means(encoder, [baseline.texts(label) for label in labels])
    before = _right(examples.embeddings, truth, base)
    after = np.zeros(len(examples), bool)
    chosen: list[list[int]] = []
    folds = list(examples.folds(FOLDS, seed))
    for done, (learn, test) in enumerate(folds):
        chosen.append(_select(examples.embeddings[learn], truth[learn], T, seed))
        after[test] = _right(examples.embeddings[test], truth[test], T[chosen[-1]].sum(0))
        yield Step(done + 1, len(folds) + 1, "choosing prompts")
    final = _select(examples.embeddings, truth, T, seed)
    yield Step(len(folds) + 1, len(folds) + 1, "choosing prompts")
    n = len(examples)
    return Selection(
        n=n,
        templates=tuple(candidates[t] for t in final),
        accuracy=float(after.mean()),
        interval=share_interval(after.sum(), n),
        baseline_name=baseline.name,
        baseline=float(before.mean()),
        gain=float(after.mean() - before.mean()),
        gain_interval=difference_interval(after.astype(int) - before.astype(int)),
        p=mcnemar(int((before & ~after).sum()), int((after & ~before).sum())),
        stability=tuple(sum(t in fold for fold in chosen) for t in final),
        folds=len(folds),
    )


def select_templates(
    encoder: "Encoder",
    examples: Examples,
    labels: Sequence[str],
    candidates: Sequence[str],
    baseline: PromptSet,
    seed: int = 0,
) -> Selection:
    """`iter_select_templates` to its end."""
    return drain(iter_select_templates(encoder, examples, labels, candidates, baseline, seed))


def _means(encoder: "Encoder", texts: Sequence[Sequence[str]]) -> np.ndarray:
    """The mean vector of each class's texts, [n classes, dim]."""
    vectors = encoder.embed_texts([text for group in texts for text in group])
    return np.stack([part.mean(0) for part in np.split(vectors, np.cumsum([len(group) for group in texts])[:-1])])


def _right(X: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Which images the sum of templates [n classes, dim] answers right, bool [n]; a tie is a mistake."""
    scores = X @ (weight / np.linalg.norm(weight, axis=1, keepdims=True)).T
    own = scores[np.arange(len(truth)), truth]
    return (scores >= own[:, None]).sum(1) == 1


def _select(X: np.ndarray, truth: np.ndarray, T: np.ndarray, seed: int) -> list[int]:
    """Places in T [n templates, n classes, dim] of the templates chosen on images X [n, dim]."""
    rows = np.random.default_rng(seed).permutation(len(X))
    rows = rows[: max(2, MEMORY // (4 * T.shape[0] * T.shape[1]))]
    learn, check = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    order = _forward(X[learn], truth[learn], T)
    accuracy = [_right(X[check], truth[check], T[order[: k + 1]].sum(0)).mean() for k in range(len(order))]
    return order[: int(np.argmax(accuracy)) + 1]


def _forward(X: np.ndarray, truth: np.ndarray, T: np.ndarray) -> list[int]:
    """Templates in the order in which they help most, up to LONGEST. Among equals the one with the larger margin."""
    rows = np.arange(len(truth))
    scores = np.stack([X @ template.T for template in T])  # a sum of templates scores as the sum of their scores
    taken: list[int] = []
    total, weight = np.zeros(scores.shape[1:], np.float32), np.zeros(T.shape[1:], np.float32)
    while len(taken) < min(LONGEST, len(T)):
        best, best_worth = -1, (-1.0, -np.inf)
        for t in range(len(T)):
            if t in taken:
                continue
            together = (total + scores[t]) / np.linalg.norm(weight + T[t], axis=1)
            own = together[rows, truth]
            worth = (float(((together >= own[:, None]).sum(1) == 1).mean()), float((own - together.mean(1)).mean()))
            if worth > best_worth:
                best, best_worth = t, worth
        taken.append(best)
        total, weight = total + scores[best], weight + T[best]
    return taken
