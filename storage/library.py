"""The library: pictures that were added, their vectors, the classifiers made with them. One folder holds it all.

    HOME/sayso.db   the truth            HOME/index    vectors for FAISS, made again when missing
    HOME/uploads    files handed over    HOME/thumbs   small pictures, made again when missing
    HOME/backups    copies of sayso.db

Added pictures stay where they are and are never changed. A method that may take long streams Steps as `iter_x`.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from clipcore import BadInput, Classifier, NotFound, Predictions, Step, drain, search_classifier
from clipcore.pictures.reading import display_path

from . import migrate
from .classifiers import reports, versions
from .database import Database, LibraryError
from .filters import Filters, Order
from .labels.exchange import Exchange
from .pictures import adding, folders, lookup
from .pictures.browsing import browse, browse_ids
from .pictures.duplicates import SIMILAR, Duplicates, find_duplicates
from .records import (
    Added,
    AlbumRecord,
    ClassifierRecord,
    FolderRecord,
    Found,
    Hit,
    ImageRecord,
    IndexInfo,
    ReportRecord,
    Run,
    SkippedRecord,
)
from .search import albums, searching
from .vectors.spaces import Model

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

NO_FILTERS = Filters()


class Library(Exchange):
    """Pictures, vectors and classifiers in the folder `home`, seen through one encoder.

    Without an encoder everything works that needs no model. Threads may share a library, and several processes may have
    the same home open. `database` is SQLAlchemy's URL of a server to use instead of HOME/sayso.db.
    """

    def __init__(self, home: str | Path, encoder: "Encoder | None" = None, database: str | None = None) -> None:
        """Open the library, creating it or bringing it up to date. Raises LibraryError if that cannot be done."""
        self.home = Path(home).expanduser().absolute()
        self.database = Database(database) if database else Database.at(self.home / "sayso.db")
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            migrate.upgrade(self.database, self.home)
        except OSError as error:
            where = display_path(self.home)
            raise LibraryError(f"The folder {where} cannot be used ({error.strerror}); choose another home.") from error
        self._model: Model | None = None
        self.encoder = encoder

    @property
    def encoder(self) -> "Encoder | None":
        """The model in use. Setting it also gives the encoder the library's memory of texts."""
        return self._model.encoder if self._model else None

    @encoder.setter
    def encoder(self, encoder: "Encoder | None") -> None:
        before = self._model
        self._model = Model(self.database, encoder, self.home / "index") if encoder else None
        if before:
            before.leave()

    @property
    def _in_use(self) -> Model:
        if self._model is None:
            raise BadInput("This needs a model, and none is loaded; choose one first.")
        return self._model

    def close(self) -> None:
        """Write the index file and give the database back."""
        self.encoder = None
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    # pictures come and go

    def iter_add(self, folder: str | Path, name: str | None = None) -> Generator[Step, None, Added]:
        """Add every picture below a folder; unchanged ones cost a look at the file's size and time.

        Raises BadInput if the folder is not there. Files that cannot be read are in the result, with the reason.
        """
        return (yield from adding.add_folder(self.database, self._in_use, folder, name, ignore=self.home / "thumbs"))

    def add(self, folder: str | Path, name: str | None = None) -> Added:
        """`iter_add` without the steps."""
        return drain(self.iter_add(folder, name))

    def iter_add_files(
        self, files: Sequence[str | Path], folder_name: str = "Dropped images"
    ) -> Generator[Step, None, Added]:
        """Add single files to a collection; `image_ids` of the result go with them, in order."""
        return (yield from adding.add_files(self.database, self._in_use, files, folder_name))

    def keep_upload(self, data: bytes, filename: str) -> Path:
        """Write the bytes of a picture below HOME/uploads and return where; the same bytes and name give the same place."""
        try:
            return lookup.keep_upload(self.home / "uploads", data, filename)
        except OSError as error:
            where = display_path(self.home)
            raise LibraryError(
                f"The picture could not be kept in {where} ({error.strerror}); check the space and permissions there."
            ) from error

    def remove_folder(self, folder_id: int) -> None:
        """Forget a folder, its pictures and their vectors; the files stay untouched. Raises NotFound."""
        with self.database.writing() as connection:
            gone = folders.remove_folder(connection, folder_id)
        lookup.forget_thumbnails(self.home / "thumbs", gone)

    # looking

    def folders(self) -> list[FolderRecord]:
        """Every folder, by name."""
        with self.database.reading() as connection:
            return folders.list_folders(connection)

    def skipped(self, folder_id: int | None = None) -> list[SkippedRecord]:
        """The files that could not be read, and why."""
        with self.database.reading() as connection:
            return folders.list_skipped(connection, folder_id)

    def count(self, folder_id: int | None = None, embedded: bool = False) -> int:
        """How many pictures there are, missing ones left out; with `embedded`, those with a vector of the model in use."""
        space_id = self._in_use.space_id if embedded else None
        with self.database.reading() as connection:
            return folders.count_images(connection, folder_id, space_id)

    def images(self, folder_id: int | None = None, after: int = 0, limit: int = 120) -> list[ImageRecord]:
        """A page of pictures, by id: the next `limit` after the id `after`."""
        with self.database.reading() as connection:
            return lookup.page_of_images(connection, folder_id, after, limit)

    def image(self, image_id: int) -> ImageRecord:
        """A picture by its id. Raises NotFound."""
        with self.database.reading() as connection:
            return lookup.get_image(connection, image_id)

    def images_with_ids(self, image_ids: Sequence[int]) -> list[ImageRecord]:
        """Those of these pictures that are there, by id."""
        with self.database.reading() as connection:
            return lookup.images_with_ids(connection, image_ids)

    def images_with_contents(self, hashes: Iterable[str]) -> dict[str, ImageRecord]:
        """The first picture of each of these content hashes that is there, by hash."""
        with self.database.reading() as connection:
            return lookup.images_with_contents(connection, hashes)

    def thumbnail(self, image_id: int, side: int = 256) -> bytes:
        """The picture as WebP bytes, no side longer than `side` pixels. Raises NotFound and BadImage."""
        return lookup.cached_thumbnail(self.image(image_id), self.home / "thumbs", side)

    def embeddings(
        self, image_ids: Sequence[int] | None = None, folder_id: int | None = None
    ) -> tuple[list[ImageRecord], np.ndarray]:
        """Pictures and their vectors in the encoder's space, float32 [n, dim], by id; only those that have one."""
        model = self._in_use
        with self.database.reading() as connection:
            return lookup.images_with_vectors(connection, model.index, model.space_id, image_ids, folder_id)

    def classify(
        self, classifier: Classifier, folder_id: int | None = None, image_ids: Sequence[int] | None = None
    ) -> tuple[list[ImageRecord], Predictions]:
        """What a classifier says of pictures, by id. Raises SpaceMismatch if another model made it."""
        self._in_use.space.require(classifier.space, "This classifier")
        images, vectors = self.embeddings(image_ids, folder_id)
        return images, classifier.predict(vectors)

    def find(
        self,
        words: str = "",
        image_id: int | None = None,
        picture: np.ndarray | None = None,
        filters: Filters = NO_FILTERS,
        order: Order = "relevance",
        offset: int = 0,
        limit: int = 120,
        everything: bool = False,
    ) -> Found:
        """Search by words (`2*dog + beach - snow`, see `storage.search.query`), by pictures, or by both in one sum.

        image_id    a picture of the library; itself is not among the hits
        picture     another picture's vector from the encoder in use, float32 [dim]
        everything  also what does not match, the closest first

        Raises BadInput for a query that cannot be meant, NotFound.
        """
        likes = [] if picture is None else [picture]
        if image_id is not None:
            likes.append(self._vector(image_id))
        return searching.find(
            self.database, self._in_use, words, likes, filters, order, offset, limit, everything, without=image_id
        )

    def search(self, words: str, k: int = 20, folder_id: int | None = None) -> list[Hit]:
        """The k pictures closest to the words, best first; each says whether it matches. Raises BadInput."""
        return self.find(words, filters=Filters(folder_id), limit=k, everything=True).hits

    def similar(self, image_id: int, k: int = 20) -> list[Hit]:
        """The k pictures closest to this one, best first, itself left out. Raises NotFound."""
        return self.find(image_id=image_id, limit=k).hits

    def browse(
        self, filters: Filters, order: Order = "relevance", offset: int = 0, limit: int = 120
    ) -> tuple[list[ImageRecord], int]:
        """A page of the pictures that the filters leave, and how many there are."""
        with self.database.reading() as connection:
            return browse(connection, filters, order, max(0, offset), max(0, limit))

    def browse_ids(self, filters: Filters = NO_FILTERS, order: Order = "relevance") -> list[int]:
        """The ids of all pictures that the filters leave, in order."""
        with self.database.reading() as connection:
            return browse_ids(connection, filters, order)

    def index_info(self) -> IndexInfo:
        """How the vectors are held and how much of what is nearest a search finds; takes seconds where that is measured."""
        return self._in_use.index.info()

    def iter_duplicates(self, threshold: float = SIMILAR) -> Generator[Step, None, Duplicates]:
        """Find the same picture at several places and, apart from it, similar pictures; `threshold` is their cosine.

        Raises BadInput for a threshold that is no cosine.
        """
        if not 0 < threshold <= 1:
            raise BadInput("Similar pictures have a cosine above 0 and at most 1; 0.92 is usual.")
        images = self.browse(NO_FILTERS, limit=self.count())[0]
        embedded, vectors = self.embeddings()
        kept = self.home / "index" / "fingerprints.npy"
        return (
            yield from find_duplicates(images, embedded, vectors, lambda image: self.thumbnail(image.id), kept, threshold)
        )

    def duplicates(self, threshold: float = SIMILAR) -> Duplicates:
        """`iter_duplicates` without the steps."""
        return drain(self.iter_duplicates(threshold))

    def _vector(self, image_id: int) -> np.ndarray:
        image = self.image(image_id)
        _, vectors = self.embeddings([image_id])
        if not len(vectors):
            raise NotFound(f"{image.name} has no vector of {self._in_use.space.name}; add its folder again with this model.")
        return vectors[0]

    # albums

    def save_album(
        self,
        name: str,
        words: str = "",
        filters: Filters = NO_FILTERS,
        classifier: str | None = None,
        label: str = "",
        replace: bool = False,
    ) -> AlbumRecord:
        """Keep a search under a name: words, filters, and what the classifier of this name calls `label`, or some of these.

        Raises BadInput for a name that is taken, unless it is to `replace` that album, and for what could not be opened.
        """
        chosen = (classifier, self.classifier(classifier)) if classifier else None
        with self.database.writing() as connection:
            return albums.save(connection, name, words, filters, chosen, label, replace)

    def albums(self) -> list[AlbumRecord]:
        """Every album, by name."""
        with self.database.reading() as connection:
            return albums.list_all(connection)

    def album(self, name: str) -> AlbumRecord:
        """An album by its name: what it looks for. Raises NotFound, which names what there is."""
        with self.database.reading() as connection:
            return albums.load(connection, name)

    def open_album(self, name: str, order: Order = "relevance", offset: int = 0, limit: int = 120) -> Found:
        """A page of an album as the library is now. Raises NotFound, also if its folder or classifier is gone."""
        album = self.album(name)
        among = None
        if album.classifier:
            classifier = self.classifier(album.classifier)
            among = albums.called(self.database, self._in_use, classifier, album.label, album.filters)
        if album.words:
            words, filters = album.words, album.filters
            return searching.find(self.database, self._in_use, words, [], filters, order, offset, limit, False, among=among)
        if among is not None:
            return searching.found_by_share(self.database, among, order, offset, limit)
        images, total = self.browse(album.filters, order, offset, limit)
        return Found([Hit(image, 1.0) for image in images], total, None)

    def delete_album(self, name: str) -> None:
        """Forget an album; its pictures stay. Raises NotFound."""
        with self.database.writing() as connection:
            albums.remove(connection, name)

    # classifiers and runs

    def search_classifier(self, words: str) -> Classifier:
        """A search by words as a classifier of one class: its share is above a half where a picture matches the search.

        The cut-off is that of this library as it is now. Raises BadInput for a search that has none.
        """
        query, cut = searching.cut_off(self._in_use, words)
        return search_classifier(self._in_use.encoder, words, query, cut)

    def save(self, classifier: Classifier, name: str) -> ClassifierRecord:
        """Keep a classifier under a name; a name that is taken gets its next version. Raises BadInput for a bad name."""
        with self.database.writing() as connection:
            return versions.save(connection, classifier, name)

    def classifier(self, name: str, version: int | None = None) -> Classifier:
        """The latest version of a saved classifier, or the one asked for. Raises NotFound, which names what there is."""
        with self.database.reading() as connection:
            return versions.load(connection, name, version)

    def classifiers(self) -> list[ClassifierRecord]:
        """The latest version of every saved classifier, by name."""
        with self.database.reading() as connection:
            return versions.list_latest(connection)

    def versions(self, name: str) -> list[ClassifierRecord]:
        """Every version of a saved classifier, newest first. Raises NotFound."""
        with self.database.reading() as connection:
            return versions.list_versions(connection, name)

    def restore(self, name: str, version: int) -> ClassifierRecord:
        """Go back to an earlier version: it is saved again as the newest, and those in between stay. Raises NotFound."""
        with self.database.writing() as connection:
            return versions.save(connection, versions.load(connection, name, version), name)

    def delete_classifier(self, name: str) -> None:
        """Delete every version of a classifier. Raises NotFound."""
        with self.database.writing() as connection:
            versions.remove(connection, name)

    def start_run(
        self,
        classifier: Classifier,
        image_ids: Sequence[int] | None = None,
        folder_id: int | None = None,
        skipped: Sequence[SkippedRecord] = (),
    ) -> Run:
        """Keep what is being classified, for the page to come back to; without pictures or a folder it is the whole library.

        `skipped` are the files that could not be read on the way.
        """
        with self.database.writing() as connection:
            run_id = versions.start_run(connection, classifier, image_ids, folder_id, skipped)
        return self.run(run_id)

    def run(self, run_id: str) -> Run:
        """A run by its id. Raises NotFound."""
        with self.database.reading() as connection:
            return versions.load_run(connection, run_id)

    def run_edition(self, run_id: str) -> int:
        """How often the classifier of a run has changed; cheaper than `run`. Raises NotFound."""
        with self.database.reading() as connection:
            return versions.run_edition(connection, run_id)

    def change_run(self, run_id: str, classifier: Classifier, expected: int | None = None, keep: bool = True) -> Run:
        """Give a run another classifier: a taught one, or the same with another dial.

        With `keep` the classifier it had can be had back with `revert_run`. Raises NotFound, and BadInput if the run is
        not at the `expected` edition any more.
        """
        with self.database.writing() as connection:
            versions.change_run(connection, run_id, classifier, expected, keep)
        return self.run(run_id)

    def revert_run(self, run_id: str) -> Run:
        """Give a run back the classifier that it had before the last kept change. Raises NotFound if there is none."""
        with self.database.writing() as connection:
            versions.revert_run(connection, run_id)
        return self.run(run_id)

    def run_predictions(self, run_id: str) -> tuple[list[ImageRecord], Predictions]:
        """The pictures of a run as they are now, with what its classifier says of them. Raises NotFound, SpaceMismatch."""
        run = self.run(run_id)
        return self.classify(run.classifier, run.folder_id, run.image_ids)

    # what was measured

    def save_report(self, kind: str, name: str, summary: Mapping[str, Any], report: Mapping[str, Any]) -> ReportRecord:
        """Keep something measured, as plain JSON: `summary` is what a list shows of it. Raises BadInput for a bad name."""
        with self.database.writing() as connection:
            return reports.save(connection, kind, name, summary, report)

    def reports(self, kind: str | None = None) -> list[ReportRecord]:
        """What was measured, or what of a kind, the newest first, without the figures."""
        with self.database.reading() as connection:
            return reports.list_reports(connection, kind)

    def report(self, report_id: int) -> ReportRecord:
        """Something measured, with its figures. Raises NotFound."""
        with self.database.reading() as connection:
            return reports.load(connection, report_id)

    def change_report(self, report_id: int, summary: Mapping[str, Any], report: Mapping[str, Any]) -> None:
        """Give something measured other figures, where it is worked on in place. Raises NotFound."""
        with self.database.writing() as connection:
            reports.change(connection, report_id, summary, report)

    def delete_report(self, report_id: int) -> ReportRecord:
        """Delete something measured and return it, so that it can be saved again. Raises NotFound."""
        with self.database.writing() as connection:
            gone = reports.load(connection, report_id)
            reports.remove(connection, report_id)
        return gone
