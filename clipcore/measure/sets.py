"""A whole test set, embedded once and measured: pictures with labels by accuracy, pictures with captions by retrieval."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..classify.classifier import Classifier
from ..classify.examples import Examples
from ..encoding.stream import embed_stream
from ..errors import BadInput
from ..pictures.reading import read_bytes
from ..progress import Step
from ..space import Space
from .report import Report, evaluate
from .retrieval import RetrievalReport, evaluate_retrieval

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder


class Sample(Protocol):
    """A picture and what is true of it: a class `name`, or sentences."""

    @property
    def key(self) -> str: ...
    @property
    def image(self) -> Any: ...  # a path or bytes
    @property
    def name(self) -> str | None: ...
    @property
    def captions(self) -> tuple[str, ...]: ...


@dataclass
class EmbeddedSet:
    """Pictures as vectors [n, dim], with a name or captions each, and what was left out, as sentences.

    `keys` say where each comes from, `hashes` are of its content.
    """

    vectors: np.ndarray
    names: list[str | None] = field(default_factory=list)
    captions: list[tuple[str, ...]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)

    @property
    def classes(self) -> list[str]:
        """The class names, in the order in which they come."""
        return list(dict.fromkeys(name for name in self.names if name))

    def examples(self, space: Space) -> tuple[Examples, list[str]]:
        """The labelled ones, and where each comes from."""
        rows = [i for i, name in enumerate(self.names) if name]
        labels = tuple(str(self.names[i]) for i in rows)
        hashes = tuple(self.hashes[i] for i in rows)
        return Examples(self.vectors[rows], labels, space, hashes), [self.keys[i] for i in rows]


def iter_embed_set(encoder: "Encoder", samples: Iterable[Sample]) -> Generator[Step, None, EmbeddedSet]:
    """Embed the pictures of `samples`, decoding ahead on all cores; only vectors are kept. Bad pictures are skipped."""
    found = EmbeddedSet(np.zeros((0, encoder.dim), np.float32))
    vectors: list[np.ndarray] = []
    done = 0

    def read(sample: Sample) -> bytes:
        return sample.image if isinstance(sample.image, bytes) else read_bytes(sample.image)

    with closing(embed_stream(encoder, samples, read)) as stream:
        for results in stream:
            for sample, seen in results:
                if isinstance(seen, str):
                    found.skipped.append(f"{sample.key}: {seen}")
                elif seen.vector is not None:
                    vectors.append(seen.vector)
                    found.hashes.append(seen.content_hash)
                    found.keys.append(sample.key)
                    found.names.append(sample.name)
                    found.captions.append(sample.captions)
            done += len(results)
            yield Step(done, message="embedding")
    if vectors:
        found.vectors = np.stack(vectors)
    return found


def measure_set(
    encoder: "Encoder", pictures: EmbeddedSet, heads: Mapping[str, Classifier]
) -> dict[str, Report | RetrievalReport]:
    """What `encoder` is worth on a set: a Report for each of `heads`, by its name, if there are labelled pictures, and
    a RetrievalReport as "captions" if there are captioned ones.

    Captions longer than the model reads lose their last words. Raises BadInput if there is nothing to measure.
    """
    reports: dict[str, Report | RetrievalReport] = {}
    labelled = [i for i, name in enumerate(pictures.names) if name]
    if labelled:
        truth = [str(pictures.names[i]) for i in labelled]
        for name, head in heads.items():
            reports[name] = evaluate(head, pictures.vectors[labelled], truth)
    captioned = [i for i, name in enumerate(pictures.names) if not name]
    if captioned:
        texts = [fitting(encoder, text) for i in captioned for text in pictures.captions[i]]
        owner = [row for row, i in enumerate(captioned) for _ in pictures.captions[i]]
        reports["captions"] = evaluate_retrieval(pictures.vectors[captioned], encoder.embed_texts(texts), owner)
    if not reports:
        raise BadInput("There is no picture with a label or a caption to measure on; name a set that has some.")
    return reports


def fitting(encoder: "Encoder", text: str) -> str:
    """The text without the last words that the model has no room for."""
    words = text.split()
    while len(words) > 1 and encoder.count_tokens(" ".join(words)) > encoder.context_length:
        words.pop()
    return " ".join(words)
