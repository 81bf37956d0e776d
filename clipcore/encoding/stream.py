"""Pictures from disk to vectors: decoding runs ahead on all cores while the model works on the batch before."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..errors import BadImage
from ..pictures.ends import CUT_OFF, breaks_off
from ..pictures.exif import Facts
from ..pictures.finding import Skipped
from ..pictures.pixels import pixel_hash
from ..pictures.reading import content_hash, picture_facts, read_bytes
from ..progress import Step

if TYPE_CHECKING:
    from .encoder import Encoder


Item = TypeVar("Item")


@dataclass(frozen=True)
class Seen:
    """What one picture gave. `vector` [dim] is None where the caller knew the content already; `pixels` is its
    `pixel_hash`, empty where the format has none; `note` says what is not as it should be with a picture that is used."""

    content_hash: str
    facts: Facts
    vector: np.ndarray | None = None
    pixels: str = ""
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """One file that was read, as `Seen`."""

    path: Path
    content_hash: str
    facts: Facts
    vector: np.ndarray | None = None
    pixels: str = ""


@dataclass
class Batch:
    """What one forward pass gave: pictures with their vectors, the files skipped on the way, and what to say of others."""

    pictures: list[Picture] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Skipped] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.pictures) + len(self.skipped)


FIRST = 4  # pictures in the first batch; each batch that is done doubles the next, up to the encoder's batch size

Read = tuple[Seen, Any]  # a picture with its tensor, or with None where the caller knew the content already


def embed_files(
    encoder: "Encoder", paths: Iterable[Path], known: Callable[[str], bool] = lambda content_hash: False
) -> Iterator[Batch]:
    """Embed files as `embed_stream` does, a batch at a time, in order."""
    with closing(embed_stream(encoder, paths, read_bytes, known)) as stream:
        for results in stream:
            batch = Batch()
            for path, seen in results:
                if isinstance(seen, str):
                    batch.skipped.append(Skipped(path, seen))
                else:
                    batch.pictures.append(Picture(path, seen.content_hash, seen.facts, seen.vector, seen.pixels))
                    batch.notes += [Skipped(path, seen.note)] if seen.note else []
            yield batch


def embed_stream(
    encoder: "Encoder",
    items: Iterable[Item],
    read: Callable[[Item], bytes],
    known: Callable[[str], bool] = lambda content_hash: False,
) -> Generator[list[tuple[Item, Seen | str]], None, None]:
    """Read, hash, decode and embed pictures, a batch at a time, in order: each item with what was seen, or the reason why it
    could not be used. One bad picture never stops the run.

    `read` gives an item's picture file as bytes, in a worker thread, or raises BadImage. `known` is asked, there as well,
    whether a content hash has a vector already; such pictures are not decoded.

    A thread for each core decodes. On a CPU the same threads run the model, each a batch by itself: beside decoders, one
    pass on all cores kept 62 % of two cores busy with 12-megapixel photos, a pass for each core 96 %. A GPU has threads of
    its own, one for each pass under way: what one sends travels while the other's batch is computed.

    The first batches are small: who waits for large photos sees something soon, and can stop.
    """
    cores = os.cpu_count() or 1

    def prepare(item: Item) -> tuple[Item, Read | str]:
        try:
            data = read(item)
            digest = content_hash(data)
            seen = Seen(digest, picture_facts(data), pixels=pixel_hash(data), note=CUT_OFF if breaks_off(data) else "")
            return item, (seen, None if known(digest) else encoder.prepare(data))
        except BadImage as error:
            return item, str(error)

    remaining, at_once = iter(items), encoder.passes
    # a list too short for a batch on each core is shared out
    share = -(-len(items) // at_once) if isinstance(items, Sized) else encoder.batch_size
    grown = FIRST
    with (
        ThreadPoolExecutor(cores, "decode", encoder.use_one_thread) as pool,
        ThreadPoolExecutor(at_once, "decode-model") as own,
    ):
        model = pool if at_once > 1 and encoder.device.type == "cpu" else own
        ahead: deque[Future[tuple[Item, Read | str]]] = deque()
        passes: deque[tuple[list[tuple[Item, Read | str]], dict[str, _Vector]]] = deque()
        try:
            while True:
                size = min(grown, encoder.batch_size)  # which may have shrunk
                wanted = max(0, (at_once + 1) * size + cores - len(ahead))
                ahead.extend(pool.submit(prepare, item) for item in islice(remaining, wanted))
                if ahead and len(passes) <= at_once:  # the next batch is there when the model has finished one
                    results = [ahead.popleft().result() for _ in range(min(size, share, len(ahead)))]
                    running = {digest: vector for _, vectors in passes for digest, vector in vectors.items()}
                    reads = [result for _, result in results if not isinstance(result, str)]
                    passes.append((results, _start(encoder, model, reads, running, known)))
                elif passes:
                    yield _finish(*passes.popleft())
                    grown = 2 * size
                else:
                    return
        finally:
            for future in ahead:
                future.cancel()
            for _, vectors in passes:
                for vector in vectors.values():
                    vector.batch.cancel()


@dataclass(frozen=True)
class _Vector:
    """A vector on its way: row `row` of what a forward pass will give."""

    batch: Future[np.ndarray]
    row: int


def _start(
    encoder: "Encoder",
    model: Executor,
    reads: list[Read],
    running: dict[str, _Vector],
    known: Callable[[str], bool],
) -> dict[str, _Vector]:
    """Begin a forward pass; answers where the vector of each content hash will be. Copies of one picture share it."""
    vectors: dict[str, _Vector] = {}
    fresh: dict[str, Any] = {}
    for seen, tensor in reads:
        if tensor is None:
            continue
        digest = seen.content_hash
        if digest in running:
            vectors[digest] = running[digest]
        elif not known(digest):  # asked again: a copy may have come in since this file was decoded
            fresh[digest] = tensor
    if fresh:
        batch = model.submit(encoder.embed_prepared, list(fresh.values()))
        vectors |= {digest: _Vector(batch, row) for row, digest in enumerate(fresh)}
    return vectors


def _finish(results: list[tuple[Item, Read | str]], vectors: dict[str, _Vector]) -> list[tuple[Item, Seen | str]]:
    """Wait for a forward pass and put its vectors to their pictures."""
    done: list[tuple[Item, Seen | str]] = []
    for item, result in results:
        if isinstance(result, str):
            done.append((item, result))
        elif vector := vectors.get(result[0].content_hash):
            done.append((item, replace(result[0], vector=vector.batch.result()[vector.row])))
        else:
            done.append((item, result[0]))
    return done


@dataclass(frozen=True)
class Embedded:
    """Files with their vectors [n, dim], row for row, the files that were skipped, and what to say of others."""

    paths: list[Path]
    vectors: np.ndarray
    skipped: list[Skipped]
    notes: list[Skipped] = field(default_factory=list)


def iter_embed(encoder: "Encoder", paths: Sequence[Path]) -> Generator[Step, None, Embedded]:
    """Embed files at once and keep nothing: for a command on a few folders. A library adds files instead."""
    pictures: list[Picture] = []
    skipped: list[Skipped] = []
    notes: list[Skipped] = []
    for batch in embed_files(encoder, paths):
        pictures += batch.pictures
        skipped += batch.skipped
        notes += batch.notes
        yield Step(len(pictures) + len(skipped), len(paths), "embedding")
    vectors = [picture.vector for picture in pictures if picture.vector is not None]
    matrix = np.stack(vectors) if vectors else np.zeros((0, encoder.dim), np.float32)
    return Embedded([picture.path for picture in pictures], matrix, skipped, notes)
