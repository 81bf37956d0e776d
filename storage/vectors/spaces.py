"""A model as the library sees it: its space's row, the index of its vectors, what scores mean there, its texts' cache."""

import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from clipcore import Space
from clipcore.classify.answers import generic_captions
from clipcore.encoding.text_cache import MemoryCache

from ..database import Database
from ..tables import SpaceRow
from .index import VectorIndex
from .prompt_cache import PromptCache
from .relevance import Relevance

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder


class Model:
    """An encoder and what the library keeps for its space. Work that has begun with one ends with it."""

    def __init__(self, database: Database, encoder: "Encoder", index_folder: Path, vectors: str | None = None) -> None:
        self.encoder = encoder
        self.space: Space = encoder.space
        self.space_id = _space_id(database, self.space)
        queries = partial(encoder.embed_texts, generic_captions())
        self.index = index_of(database, self.space_id, self.space, index_folder, queries, vectors)
        self.relevance = Relevance(encoder, self.index)
        self._texts = PromptCache(database, self.space_id, self.space.dim)
        encoder.text_cache = self._texts

    def leave(self) -> None:
        """Write the index file, and let the encoder remember texts on its own again: it may outlive the library."""
        self.index.close()
        if self.encoder.text_cache is self._texts:
            self.encoder.text_cache = MemoryCache()


def index_of(
    database: Database,
    space_id: int,
    space: Space,
    folder: Path,
    queries: Callable[[], np.ndarray],
    vectors: str | None = None,
) -> VectorIndex:
    """The index of a space: in FAISS, or in Milvus at the address `vectors`. Raises BadInput for what is no address."""
    if not vectors:
        return VectorIndex(database, space_id, space, folder, queries)
    from .milvus import MilvusIndex

    return MilvusIndex(database, space_id, space, folder, queries, vectors)


def _space_id(database: Database, space: Space) -> int:
    wanted = select(SpaceRow.id).where(SpaceRow.key == space.key)
    with database.reading() as connection:
        known = connection.scalar(wanted)
    if known is not None:
        return known
    with database.writing() as connection:
        row = {"key": space.key, "name": space.name, "dim": space.dim, "token": secrets.token_hex(8)}
        connection.execute(database.insert(SpaceRow).values(row).on_conflict_do_nothing())
        return connection.execute(wanted).scalar_one()
