"""Pictures from disk to vectors: decoding runs ahead on all cores while the model works on the batch before."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import BadImage
from .images import content_hash, display_path, picture_size, read_bytes
from .progress import Step

if TYPE_CHECKING:
    from .encoder import Encoder


@dataclass(frozen=True)
class Picture:
    """One file that was read. `vector` [dim] is None where the caller knew the content already."""

    path: Path
    content_hash: str
    width: int
    height: int
    vector: np.ndarray | None = None


@dataclass(frozen=True)
class Skipped:
    """One file that could not be used, and why, as a sentence."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{display_path(self.path)}: {self.reason}"


@dataclass
class Batch:
    """What one forward pass gave: pictures with their vectors, and the files skipped on the way."""

    pictures: list[Picture] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.pictures) + len(self.skipped)


def embed_files(
    encoder: "Encoder", paths: Iterable[Path], known: Callable[[str], bool] = lambda content_hash: False
) -> Iterator[Batch]:
    """Read, hash, decode and embed files, a batch at a time, in order. One bad file never stops the run.

    `known` is asked, from worker threads, whether a content hash has a vector already; such pictures are not decoded.
    """
    workers = os.cpu_count() or 1

    def prepare(path: Path) -> tuple[Picture, Any] | Skipped:
        try:
            data = read_bytes(path)
            digest = content_hash(data)
            picture = Picture(path, digest, *picture_size(data))
            return picture, None if known(digest) else encoder.prepare(data)
        except BadImage as error:
            return Skipped(path, str(error))

    remaining = iter(paths)
    with ThreadPoolExecutor(workers, "decode") as pool:
        ahead: deque[Future[tuple[Picture, Any] | Skipped]] = deque()
        try:
            while True:
                wanted = max(0, 2 * encoder.batch_size + workers - len(ahead))  # the batch size may have shrunk
                ahead.extend(pool.submit(prepare, path) for path in islice(remaining, wanted))
                if not ahead:
                    return
                results = [ahead.popleft().result() for _ in range(min(encoder.batch_size, len(ahead)))]
                # Refill before the model runs, so that the cores have the next pictures to decode meanwhile.
                ahead.extend(pool.submit(prepare, path) for path in islice(remaining, len(results)))
                yield _embed(encoder, results)
        finally:
            for future in ahead:
                future.cancel()


@dataclass(frozen=True)
class Embedded:
    """Files with their vectors [n, dim], row for row, and the files that were skipped."""

    paths: list[Path]
    vectors: np.ndarray
    skipped: list[Skipped]


def iter_embed(encoder: "Encoder", paths: Sequence[Path]) -> Generator[Step, None, Embedded]:
    """Embed files at once and keep nothing: for a command on a few folders. A library adds files instead."""
    pictures: list[Picture] = []
    skipped: list[Skipped] = []
    for batch in embed_files(encoder, paths):
        pictures += batch.pictures
        skipped += batch.skipped
        yield Step(len(pictures) + len(skipped), len(paths), "embedding")
    vectors = [picture.vector for picture in pictures if picture.vector is not None]
    matrix = np.stack(vectors) if vectors else np.zeros((0, encoder.dim), np.float32)
    return Embedded([picture.path for picture in pictures], matrix, skipped)


def _embed(encoder: "Encoder", results: list[tuple[Picture, Any] | Skipped]) -> Batch:
    batch = Batch(skipped=[result for result in results if isinstance(result, Skipped)])
    read = [result for result in results if not isinstance(result, Skipped)]
    fresh = [tensor for _, tensor in read if tensor is not None]
    vectors = iter(encoder.embed_prepared(fresh))
    batch.pictures = [picture if tensor is None else replace(picture, vector=next(vectors)) for picture, tensor in read]
    return batch
