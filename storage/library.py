"""The library: pictures that were added, their vectors, the classifiers made with them. One folder holds it all.

    HOME/sayso.db   the truth            HOME/index    vectors for FAISS, maps; made again when missing
    HOME/uploads    files handed over    HOME/thumbs   small pictures, made again when missing
    HOME/backups    copies of sayso.db   HOME/replaced  what they replaced
    HOME/aside      copies of pictures that were set aside

Added pictures stay where they are and are never changed. A method that may take long streams Steps as `iter_x`.
"""

import os
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from clipcore import BadInput, Classifier, Examples, NotFound, Predictions, Step, drain, search_classifier
from clipcore.pictures.finding import display_path

from . import migrate, postgres
from .backups import Backups
from .classifiers.card import saved_card
from .classifiers.label_sets import LabelSets
from .classifiers.reports import Reports
from .classifiers.runs import Runs
from .classifiers.saved import Classifiers
from .classifiers.sessions import Sessions
from .database import FILE, Database, LibraryError
from .export import aside
from .export.plan import Done
from .files import InUse, close_to_others, private_folder
from .filters import NO_FILTERS, Filters, Order
from .labels.exchange import Exchange
from .labels.labelling import Labels
from .labels.moves import Moved
from .moving import refuse_moved
from .people import People
from .pictures import adding, apart, folders, identity, lookup, ratings, watched
from .pictures.browsing import browse, browse_ids, months
from .pictures.duplicates import SIMILAR, Duplicates, find_duplicates
from .pictures.map import Maps
from .records import Added, ClassifierRecord, FolderRecord, Found, Hit, ImageRecord, IndexInfo, SkippedRecord
from .restoring import IN_USE
from .search import searching
from .search.albums import Albums
from .tables import now
from .vectors.opened import Opened
from .vectors.spaces import Model
from .webhooks import Webhooks

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

FOLDERS = ("uploads", "thumbs", "index", "backups", "replaced", "exports", "models")  # below the home


class Library:
    """Pictures, vectors and classifiers in the folder `home`, seen through one encoder.

    Without an encoder everything works that needs no model. Threads may share a library, and several processes may have
    the same home open. `database` is SQLAlchemy's URL of a server to use instead of HOME/sayso.db; `vectors` is the address
    of a Milvus server, or a file of Milvus Lite, to use instead of FAISS (None: what SAYSO_VECTORS says).
    """

    def __init__(
        self,
        home: str | Path,
        encoder: "Encoder | None" = None,
        database: str | None = None,
        vectors: str | None = None,
    ) -> None:
        """Open the library, creating it or bringing it up to date. Raises LibraryError if that cannot be done."""
        self.home = Path(home).expanduser().absolute()
        self.database = Database(database) if database else Database.at(self.home / FILE)
        self.vectors = vectors or os.environ.get("SAYSO_VECTORS") or None
        self._opened = Opened(self.database, self.home, self.vectors)
        self._in_use_here: InUse | None = None
        try:
            private_folder(self.home)
            self._in_use_here = InUse(self.home / IN_USE)
            if self.database.is_sqlite:
                refuse_moved(self.home)
            migrate.upgrade(self.database, self.home)
            self._close_to_others()
        except OSError as error:
            self.close()
            where = display_path(self.home)
            raise LibraryError(f"The folder {where} cannot be used ({error.strerror}); choose another home.") from error
        except BaseException:
            self.close()
            raise
        self.encoder = encoder
        self.backups = Backups(self.database, self.home)
        self.people = People(self.database)
        self.webhooks = Webhooks(self.database)
        self.labels = Labels(self._opened)
        self.classifiers = Classifiers(self._opened)
        self.runs = Runs(self._opened)
        self.sessions = Sessions(self._opened)
        self.label_sets = LabelSets(self._opened)
        self.reports = Reports(self._opened)
        self.albums = Albums(self._opened, self.classifiers)
        self.map = Maps(self._opened)
        self.exchange = Exchange(self._opened, self.labels, self.classifiers, self.runs)

    def _close_to_others(self) -> None:
        """What is kept is one person's: also what an earlier Sayso made that others could read."""
        file = self.database.path
        files = [file.with_name(f"{file.name}{end}") for end in ("", "-wal", "-shm")] if file else []
        close_to_others(self.home, *files, *(self.home / name for name in FOLDERS))

    @property
    def where(self) -> str:
        """Where the rows are, as it can be shown: a server's database without its password, or the home."""
        return display_path(self.home) if self.database.is_sqlite else postgres.shown(self.database.engine.url)

    @property
    def encoder(self) -> "Encoder | None":
        """The model in use. Setting it also gives the encoder the library's memory of texts."""
        return self._opened.model.encoder if self._opened.model else None

    @encoder.setter
    def encoder(self, encoder: "Encoder | None") -> None:
        self._opened.use(encoder)

    @property
    def _in_use(self) -> Model:
        return self._opened.in_use

    def close(self) -> None:
        """Write the index file and give the database back."""
        self.encoder = None
        self.database.close()
        if self._in_use_here:
            self._in_use_here.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    # pictures come and go

    def iter_add(
        self, folder: str | Path, name: str | None = None, again: bool = False, share: adding.Share | None = None
    ) -> Generator[Step, None, Added]:
        """Add every picture below a folder; unchanged ones cost a look at the file's size and time.

        With `again` all are read, for programs that change a file and keep both. `share` has others read along, see
        `storage.pieces`.

        Raises BadInput if the folder is not there. Files that cannot be read are in the result, with the reason.
        """
        thumbs = self.home / "thumbs"
        return (yield from adding.add_folder(self.database, self._in_use, folder, name, thumbs, again, share))

    def iter_add_piece(self, folder_id: int, files: Sequence[str]) -> Generator[Step, None, adding.Read]:
        """Read some files of a folder that another process is adding. Raises NotFound if it was removed meanwhile."""
        return (yield from adding.add_piece(self.database, self._in_use, folder_id, files))

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
            identity.forget_unlabelled(connection)
        lookup.forget_thumbnails(self.home / "thumbs", gone)

    def watch(self, folder_id: int, every: int | None, sorter: str | None = None) -> None:
        """Have a folder looked at every so many minutes, None for no more, and what is new sorted by a saved classifier.

        Raises NotFound, also for the classifier, and BadInput for what cannot be watched.
        """
        if sorter is not None:
            self.classifiers.get(sorter)
        with self.database.writing() as connection:
            watched.watch(connection, folder_id, every, sorter)

    def due_folders(self) -> list[int]:
        """The watched folders at which somebody should look by now."""
        with self.database.reading() as connection:
            return watched.due(connection, now())

    def looked_at(self, folder_id: int) -> None:
        """Keep that a watched folder is looked at now."""
        with self.database.writing() as connection:
            watched.looked(connection, folder_id, now())

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
        """The first file that is there of each picture that these are content hashes of, by hash: its name, or a content
        that it has or had."""
        with self.database.reading() as connection:
            picture_of = identity.pictures_with(connection, hashes)
            images = lookup.images_of(connection, picture_of.values())
        return {content: images[picture] for content, picture in picture_of.items() if picture in images}

    def rate(self, image_ids: Sequence[int], stars: int) -> int:
        """Give pictures 1 to 5 stars, or none with 0; returns how many pictures those are. Raises BadInput."""
        return ratings.rate(self.database, image_ids, stars)

    def stars(self, image_id: int) -> int:
        """The stars of an image: those that were given here, else its file's; 0 for none."""
        with self.database.reading() as connection:
            return ratings.of_image(connection, image_id)

    def given_stars(self, pictures: Iterable[str]) -> Mapping[str, int]:
        """The stars that were given here, of those among these pictures (`ImageRecord.picture`) that got some."""
        with self.database.reading() as connection:
            return ratings.given(connection, pictures)

    def replaced(self) -> list[ImageRecord]:
        """Files that came in the place of labelled pictures that look otherwise, until somebody labels them anew; by id."""
        with self.database.reading() as connection:
            return lookup.images_with_ids(connection, identity.replaced_images(connection))

    def thumbnail(self, image_id: int, side: int = 256) -> bytes:
        """The picture as WebP bytes, no side longer than `side` pixels. Raises NotFound and BadImage."""
        return lookup.cached_thumbnail(self.image(image_id), self.home / "thumbs", side)

    def embeddings(
        self, image_ids: Sequence[int] | None = None, folder_id: int | None = None
    ) -> tuple[list[ImageRecord], np.ndarray]:
        """Pictures and their vectors in the encoder's space, float32 [n, dim], by id; only those that have one."""
        return lookup.images_with_vectors(self._opened, image_ids, folder_id)

    def sample(self, most: int = 1000) -> np.ndarray:
        """Vectors [n, dim] of at most so many pictures, the same ones as long as nothing changes: what is there, roughly."""
        return self._in_use.index.sample(most)

    def classify(
        self, classifier: Classifier, folder_id: int | None = None, image_ids: Sequence[int] | None = None
    ) -> tuple[list[ImageRecord], Predictions]:
        """What a classifier says of pictures, by id. Raises SpaceMismatch if another model made it."""
        return lookup.classified(self._opened, classifier, folder_id, image_ids)

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

    def months(self, filters: Filters = NO_FILTERS, order: Order = "newest") -> list[tuple[int, int, int]]:
        """The months of the pictures that the filters leave: year, month and how many, in order."""
        with self.database.reading() as connection:
            return months(connection, filters, order)

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
        with self.database.reading() as connection:
            said = apart.all_apart(connection)
        small = lambda image: self.thumbnail(image.id)  # noqa: E731
        return (yield from find_duplicates(images, embedded, vectors, small, kept, threshold, said))

    def say_apart(self, image_ids: Sequence[int], are_apart: bool = True) -> int:
        """Say that none of these pictures is a duplicate of another, or take it back; returns how many pairs changed."""
        images = self.images_with_ids(image_ids)
        with self.database.writing() as connection:
            return apart.say(connection, [image.picture for image in images], are_apart)

    def still_together(self, group: Sequence[ImageRecord]) -> list[ImageRecord]:
        """A group of duplicates without those that somebody has said since are none of its first."""
        with self.database.reading() as connection:
            said = apart.all_apart(connection)
        return [image for image in group if apart.pair(group[0].picture, image.picture) not in said]

    def set_aside_before(self) -> list[tuple[str, int]]:
        """What `put_back` can put back: names, the newest first, and how many files each."""
        return aside.all_aside(self.home)

    def set_aside(self, keep: int, others: Sequence[int]) -> tuple[str, Done]:
        """Move the files of other copies to HOME/aside, where `put_back` finds them by the name that is returned.

        Raises NotFound, and BadInput if the one to keep cannot be read.
        """
        return aside.set_aside(self.database, self.home, self.image(keep), self.images_with_ids(others))

    def put_back(self, name: str) -> Done:
        """Move files that were set aside to where they were. Raises NotFound."""
        return aside.put_back(self.database, self.home, name)

    def duplicates(self, threshold: float = SIMILAR) -> Duplicates:
        """`iter_duplicates` without the steps."""
        return drain(self.iter_duplicates(threshold))

    def _vector(self, image_id: int) -> np.ndarray:
        image = self.image(image_id)
        _, vectors = self.embeddings([image_id])
        if not len(vectors):
            raise NotFound(f"{image.name} has no vector of {self._in_use.space.name}; add its folder again with this model.")
        return vectors[0]

    # what the library holds besides: each has its own calls; the everyday ones are here as well

    def label(self, picture: str | Path | int, label: str, value: int = 1) -> Moved:
        """Say of a picture that it is a `label` (1), is not (-1), or that it cannot be told (0); see `labels.label`."""
        return self.labels.label(picture, label, value)

    def examples(self, labels: Sequence[str] | None = None) -> Examples:
        """The labelled pictures to learn from; see `labels.examples`."""
        return self.labels.examples(labels)

    def save(self, classifier: Classifier, name: str) -> ClassifierRecord:
        """Keep a classifier under a name; see `classifiers.save`."""
        return self.classifiers.save(classifier, name)

    def classifier(self, name: str, version: int | None = None) -> Classifier:
        """A saved classifier; see `classifiers.get`."""
        return self.classifiers.get(name, version)

    def card(self, name: str) -> str:
        """The card of a saved classifier, an HTML page; see `classifiers.card`."""
        return saved_card(self.classifiers, self.reports, name)

    def search_classifier(self, words: str) -> Classifier:
        """A search by words as a classifier of one class: its share is above a half where a picture matches the search.

        The cut-off is that of this library as it is now. Raises BadInput for a search that has none.
        """
        query, cut = searching.cut_off(self._in_use, words)
        return search_classifier(self._in_use.encoder, words, query, cut)
