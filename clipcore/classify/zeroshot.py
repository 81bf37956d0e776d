"""Zero-shot classification: class names and prompts become the weights of a linear head (Radford et al., 2021, 3.1.2)."""

import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BadInput
from ..progress import Step, drain
from .classifier import Classifier
from .decision import Decision
from .prompts import DEFAULT_PACK, PromptSet, check_labels, check_template, clean_label, pack

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

CHUNK = 1024  # prompts from one step to the next; enough for the encoder to take its way for many texts


def iter_zero_shot_classifier(
    encoder: "Encoder", labels: Sequence[str], prompts: PromptSet | str = DEFAULT_PACK
) -> Generator[Step, None, Classifier]:
    """A classifier from class names alone; steps count prompts, of which a thousand classes may have eighty each.

    Each label's prompts are embedded, averaged as unit vectors and scaled to unit length again: the ensemble is built in
    embedding space, so it costs the same to use as a single prompt (section 3.1.4). `prompts` is a PromptSet or the name
    of a pack. A model trained with the sigmoid loss gives sigmoid scores, each label on its own.

    Raises BadInput for empty or repeated labels, for templates without {label}, and for prompts with more tokens than the
    model reads.
    """
    labels = [clean_label(label) for label in labels]
    check_labels(labels)
    prompts = pack(prompts) if isinstance(prompts, str) else prompts
    unknown = (set(prompts.synonyms) | set(prompts.class_prompts)) - set(labels)
    if unknown:
        raise BadInput(f"There are prompts for “{min(unknown)}”, which is not a class; add the class or take them out.")
    for template in prompts.templates:
        check_template(template)
    texts = [prompts.texts(label) for label in labels]
    if [] in texts:
        raise BadInput(f"There is no prompt for “{labels[texts.index([])]}”; give it a sentence, or write a template.")
    vectors = yield from _iter_embed_texts(encoder, [text for group in texts for text in group], len(labels))
    ends = np.cumsum([len(group) for group in texts])
    means = np.stack([group.mean(0) for group in np.split(vectors, ends[:-1])])
    weight = means / np.linalg.norm(means, axis=1, keepdims=True)
    return Classifier(
        labels=tuple(labels),
        weight=weight.astype(np.float32),
        bias=np.full(len(labels), encoder.logit_bias or 0.0, np.float32),
        scale=encoder.logit_scale,
        activation="softmax" if encoder.logit_bias is None else "sigmoid",
        space=encoder.space,
        prompts=prompts,
        kind="zero-shot",
    )


def zero_shot_classifier(encoder: "Encoder", labels: Sequence[str], prompts: PromptSet | str = DEFAULT_PACK) -> Classifier:
    """A classifier from class names alone: `iter_zero_shot_classifier`, run to its end."""
    return drain(iter_zero_shot_classifier(encoder, labels, prompts))


def _iter_embed_texts(encoder: "Encoder", texts: Sequence[str], classes: int) -> Generator[Step, None, np.ndarray]:
    """Vectors of the texts, those of like length together: the encoder computes as many columns as the longest has."""
    vectors = np.empty((len(texts), encoder.dim), np.float32)
    order = np.argsort([len(text) for text in texts], kind="stable")
    began = time.monotonic()
    for start in range(0, len(texts), CHUNK):
        rate = start / (time.monotonic() - began) if start else 0.0
        yield Step(start, len(texts), f"reading {classes:,} class names", {"per_second": rate} if rate else {})
        rows = order[start : start + CHUNK]
        vectors[rows] = encoder.embed_texts([texts[row] for row in rows])
    return vectors


def search_classifier(encoder: "Encoder", words: str, query: np.ndarray, cut: float) -> Classifier:
    """A classifier with one class, named by the words of a search: is it this or not?

    `query` [dim] is the search as a unit vector, `cut` the cosine from which on a picture matches it. One class has no other
    to be compared with, so its score is a sigmoid, which is a half exactly at the cut-off. Raises BadInput for words that
    cannot be a class name.
    """
    label = clean_label(words)
    return Classifier(
        labels=(label,),
        weight=np.asarray(query, np.float32)[None],
        bias=np.array([-encoder.logit_scale * cut], np.float32),
        scale=encoder.logit_scale,
        activation="sigmoid",
        space=encoder.space,
        prompts=PromptSet("search", (), class_prompts={label: (words,)}),
        kind="search",
        metrics={"cut-off": round(cut, 4)},
        decision=Decision(sure=0.5),
    )
