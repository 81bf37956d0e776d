"""What goes out and comes in: answers to write down, labels read, classifiers from elsewhere."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, update

from clipcore import NONE, UNSURE, Classifier, decide, generic_bank, zero_shot_classifier
from clipcore.classify.answers import stand_alone
from clipcore.classify.prompts import clean_label
from clipcore.classify.reasons import reasons
from clipcore.pictures.finding import display_path

from ..classifiers.runs import Runs
from ..classifiers.saved import Classifiers
from ..database import chunks
from ..people import People
from ..pictures import lookup
from ..records import Answer, ClassifierRecord, ImageRecord, Imported, SkippedRecord, Verdict
from ..tables import Image
from ..vectors.opened import Opened
from . import moves as board
from .imports import Finder, by_picture
from .labelling import ME, Labels
from .moves import Entry, Moved, Values, place_of, truth_of

UNKNOWN = "It is not in the library, or could be one of several pictures; add its folder, or give its whole path."


class Exchange:
    """What leaves a library for other programs, and what comes from them."""

    def __init__(self, opened: Opened, labels: Labels, classifiers: Classifiers, runs: Runs) -> None:
        self._opened, self._database = opened, opened.database
        self._labels, self._classifiers, self._runs = labels, classifiers, runs

    # out

    def answers(
        self,
        classifier: Classifier | None = None,
        folder_id: int | None = None,
        image_ids: Sequence[int] | None = None,
    ) -> list[Answer]:
        """What is known of pictures, by id: a folder's, those named, or all. A person's word goes before the classifier's.

        Without a classifier: the labelled pictures alone. Raises SpaceMismatch if another model made the classifier.
        """
        if classifier is None:
            images = self._all_images(folder_id, image_ids)
            values = self._labels.of([image.id for image in images])
            return self._by([Answer(image, _said(values[image.id])) for image in images if image.id in values])
        model = self._opened.in_use
        model.space.require(classifier.space, "This classifier")
        images, X = lookup.images_with_vectors(self._opened, image_ids, folder_id)
        values = self._labels.of([image.id for image in images])
        decided = decide(classifier, X, generic_bank(model.encoder))
        found, shares = decided.verdicts(classifier.labels), decided.predictions(classifier.labels)
        why = reasons(decided, classifier.labels, stand_alone(classifier))
        many = classifier.decision.many
        said = [_said_on_board(values.get(image.id, {}), classifier.labels, many) for image in images]
        rows = zip(images, said, found, shares, decided.figure.tolist(), why, strict=True)
        return self._by([Answer(*row) for row in rows])

    def run_answers(self, run_id: str) -> list[Answer]:
        """`answers` for a run as it is now. Raises NotFound, SpaceMismatch."""
        run = self._runs.get(run_id)
        return self.answers(run.classifier, run.folder_id, run.image_ids)

    def run_said(self, run_id: str) -> list[Answer]:
        """What people said of the pictures of a run, without the classifier's part: this needs no model. Raises NotFound."""
        run = self._runs.get(run_id)
        images = self._all_images(run.folder_id, run.image_ids)
        values = self._labels.of([image.id for image in images])
        labels, many = run.classifier.labels, run.classifier.decision.many
        said = [_said_on_board(values.get(image.id, {}), labels, many) for image in images]
        return self._by([Answer(image, word) for image, word in zip(images, said, strict=True) if word is not None])

    def _by(self, answers: list[Answer]) -> list[Answer]:
        """The answers with who said them, and when, where people have accounts."""
        names = {person.id: person.name for person in People(self._database).all()}
        if not names:
            return answers
        last: dict[str, tuple[int, datetime]] = {}
        said = {answer.image.picture for answer in answers if answer.said is not None}
        for (picture, _), (author, when) in self._labels.authors(said).items():
            if picture not in last or when > last[picture][1]:
                last[picture] = author, when

        def by(answer: Answer) -> Answer:
            if answer.said is None or answer.image.picture not in last:
                return answer
            author, when = last[answer.image.picture]
            return replace(answer, author=names[author], when=when)

        return [by(answer) for answer in answers]

    def moved(self, paths: Sequence[tuple[int, str]]) -> None:
        """Pictures have moved to new paths (image id, path): their rows go along, and with them their labels."""
        with self._database.writing() as connection:
            for some in chunks(paths):  # a picture that was once there and is gone, or this one, seen there meanwhile
                ids, taken = zip(*some, strict=True)
                connection.execute(delete(Image).where(Image.path.in_(taken), Image.id.notin_(ids)))
            change = update(Image).where(Image.id == bindparam("image")).values(path=bindparam("to"), missing=False)
            connection.execute(change, [{"image": image_id, "to": path} for image_id, path in paths])

    # in

    def import_labels(self, rows: Iterable[tuple[str, str]], keep: bool = False) -> Imported:
        """Take labels of pictures, rows of (path, label), as one step that `undo` takes back.

        The labels of the rows exclude each other: a picture loses those of them that its rows do not name. With `keep` a
        picture that has any of them stays as it is. Paths that lead to no picture of the library are in the result.
        Raises BadInput for a label that cannot be a name.
        """
        finder = Finder(self._all_images())
        wanted: dict[str, Values] = {}
        unknown = []
        for path, labels in by_picture(rows):
            image = finder.find(path)
            if image is None:
                unknown.append(SkippedRecord(display_path(path), UNKNOWN))
            else:
                wanted.setdefault(image.picture, {}).update((clean_label(label), 1) for label in labels)
        among = sorted({label for values in wanted.values() for label in values})
        if keep:
            known = self._labels.of_pictures(wanted)
            wanted = {
                picture: values for picture, values in wanted.items() if not known.get(picture, {}).keys() & set(among)
            }

        def part(connection: Connection, some: Sequence[str], entry: Entry) -> Moved:
            values = {picture: wanted[picture] for picture in some}
            return board.replace_values(self._database, connection, values, among, entry)

        step = self._labels.in_parts(list(wanted), 2, part, ME, None)
        return Imported(len(wanted), len(step.changed), tuple(among), unknown)

    def import_classifier(self, data: bytes, name: str) -> ClassifierRecord:
        """Keep a classifier that came as a file. Raises BadClassifierFile, and SpaceMismatch, with the names of both models,
        if another model made it: `rebuild` then makes one like it."""
        classifier = Classifier.received(data)
        self._opened.in_use.space.require(classifier.space, f"The classifier {name}")
        return self._classifiers.save(classifier, name)

    def rebuild(self, classifier: Classifier) -> Classifier:
        """The zero-shot classifier with the same names, prompts and dial, made with the model in use.

        What it had learned from labels cannot come along: only names and prompts mean the same to every model.
        """
        made = zero_shot_classifier(self._opened.in_use.encoder, classifier.labels, classifier.prompts)
        before = classifier.decision
        return made.with_decision(replace(made.decision, sure=before.sure, many=before.many))

    def _all_images(self, folder_id: int | None = None, image_ids: Sequence[int] | None = None) -> list[ImageRecord]:
        with self._database.reading() as connection:
            if image_ids is not None:
                return lookup.images_with_ids(connection, image_ids)
            return lookup.page_of_images(connection, folder_id, 0, 2**31 - 1)


def _said(values: Values) -> Verdict:
    labels = tuple(sorted(label for label, value in values.items() if value == 1))
    return labels or (UNSURE if 0 in values.values() else NONE)


def _said_on_board(values: Values, among: Sequence[str], many: bool) -> Verdict:
    if many and (truth := truth_of(values, among)) is not None:
        return tuple(label for label, true in zip(among, truth, strict=True) if true) or NONE
    place = place_of(values, among)
    return (place,) if isinstance(place, str) else place
