"""Text vectors that outlive the process: 80,000 prompts are encoded once, ever."""

import hashlib
import logging
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import select

from ..database import Database, LibraryError, chunks
from ..tables import Prompt
from .index import from_blobs, to_blob

log = logging.getLogger(__name__)


class PromptCache:
    """A `clipcore.encoding.text_cache.TextCache` in the table of prompts, for one space of `dim` numbers."""

    def __init__(self, database: Database, space_id: int, dim: int) -> None:
        self._database = database
        self._space_id = space_id
        self._dim = dim

    def get_many(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """The vectors that are known, float32 [dim] each, by text."""
        wanted = {_key(text): text for text in texts}
        found: dict[str, np.ndarray] = {}
        with self._database.reading() as connection:
            for keys in chunks(wanted):
                rows = connection.execute(
                    select(Prompt.text_hash, Prompt.vector).where(
                        Prompt.space_id == self._space_id, Prompt.text_hash.in_(keys)
                    )
                ).all()
                vectors = from_blobs([row.vector for row in rows], self._dim)
                found.update((wanted[bytes(row.text_hash)], vector) for row, vector in zip(rows, vectors, strict=True))
        return found

    def put_many(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Keep vectors [dim] by text. A library that cannot be written now costs encoding again, not the answer."""
        rows = [
            {"space_id": self._space_id, "text_hash": _key(text), "vector": to_blob(vector)}
            for text, vector in vectors.items()
        ]
        if not rows:
            return
        try:
            with self._database.writing() as connection:
                connection.execute(self._database.insert(Prompt).on_conflict_do_nothing(), rows)
        except LibraryError as error:
            log.warning("prompts were not kept: %s", error)


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
