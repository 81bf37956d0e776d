"""An open library as its parts share it: the database, the folder, and the model in use."""

from pathlib import Path
from typing import TYPE_CHECKING

from clipcore import BadInput

from ..database import Database
from .spaces import Model

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder


class Opened:
    """What albums, labels, classifiers and the rest of a library stand on. Without a model, `model` is None."""

    def __init__(self, database: Database, home: Path, vectors: str | None = None) -> None:
        """`vectors` is Milvus's address, None for FAISS."""
        self.database, self.home, self.vectors = database, home, vectors
        self.model: Model | None = None

    @property
    def in_use(self) -> Model:
        """The model in use. Raises BadInput where there is none."""
        if self.model is None:
            raise BadInput("This needs a model, and none is loaded; choose one first.")
        return self.model

    def use(self, encoder: "Encoder | None") -> None:
        """Take a model into use, or none, and leave the one before."""
        before = self.model
        self.model = Model(self.database, encoder, self.home / "index", self.vectors) if encoder else None
        if before:
            before.leave()
