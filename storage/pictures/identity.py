"""Which picture a file is. This is the one place where it is decided: what people say hangs on pictures, not on files.

A picture is named by the content hash (sha256 of the bytes) of the file in which it first came, and keeps this name for
ever. Every content that was ever seen is of one picture; which one is decided when it is first seen, and never again:

1. The same bytes are the same picture, at whatever path: a file that was moved, copied, or that comes back.
2. So are the same stored pixels (`clipcore.pictures.pixels`), at whatever path: another program wrote a rating, keywords
   or the orientation into the file, or into a copy of it.
3. Other bytes at a path of the library are the picture that was there, if they look like it (the cosine of their vectors is
   at least LIKE): the file was saved again, scaled, retouched.
4. If they do not look like it, the file was replaced, by a crop or by another picture under an old name. Nobody can tell
   whether what was said still holds. So it is a picture of its own, with a copy of the labels and of the steps that led to
   them: nothing that was said is lost, undo works, and a copy of the old file is not labelled along from now on. It is
   `replaced` until somebody labels it, and whoever adds the folder is told.
5. Everything else is a new picture; also what comes to a path whose file the library had seen missing and does not look
   like it, as on a memory card that counts from 1 again.

Labels, steps, examples, splits and boards are by picture; vectors and thumbnails by content; a search shows files, and every
file of a picture has its labels. Counted are pictures of which a file is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Text, cast, delete, insert, select, update

from clipcore.encoding.stream import Picture

from ..database import Database, chunks
from ..tables import Content, Image, LabelRow, LabelStep, Opinion, now
from ..vectors.spaces import Model
from .duplicates import SIMILAR
from .lookup import vectors_of

LIKE = SIMILAR


@dataclass(frozen=True)
class Settled:
    """Content hash -> picture, and of the files that were replaced path -> the labels that are true of it."""

    pictures: Mapping[str, str]
    replaced: Mapping[str, tuple[str, ...]]


def settle(database: Database, connection: Connection, model: Model, read: Sequence[Picture]) -> Settled:
    """Decide which pictures the files that were just read are, and remember it; their vectors are kept already."""
    known = _pictures_of(connection, (file.content_hash for file in read))
    fresh = {file.content_hash: file for file in read if file.content_hash not in known}
    if not fresh:
        _fill_pixels(connection, read)
        return Settled(known, {})
    by_pixels = _by_pixels(connection, {file.pixels for file in fresh.values() if file.pixels})
    before = _before(connection, [str(file.path) for file in fresh.values()])
    hashes = {*fresh, *(content for content, _, _ in before.values())}
    vectors = vectors_of(connection, model.space_id, model.space.dim, list(hashes))
    heirs: dict[str, tuple[str, str]] = {}  # content -> the picture it came in the place of, and its path
    rows = []
    for content, file in fresh.items():
        picture = by_pixels.get(file.pixels)
        was, was_picture, missing = before.get(str(file.path), ("", "", True))
        if picture is None and was and _alike(vectors.get(was), vectors.get(content)):
            picture = was_picture
        if picture is None:
            picture = content
            if was and not missing:
                heirs[content] = (was_picture, str(file.path))
        if file.pixels:
            by_pixels.setdefault(file.pixels, picture)
        known[content] = picture
        rows.append({"content_hash": content, "picture": picture, "pixels": file.pixels, "replaced": False})
    connection.execute(database.insert(Content).on_conflict_do_nothing(), rows)
    known.update(_pictures_of(connection, fresh))  # another process may have been faster
    labels = _inherit(connection, {content: was for content, (was, _) in heirs.items() if known[content] == content})
    _fill_pixels(connection, read)
    return Settled(known, {heirs[content][1]: said for content, said in labels.items()})


def seen_to(connection: Connection, pictures: Iterable[str]) -> None:
    """Somebody has labelled these pictures as they are now: what was inherited is not in doubt any more."""
    for some in chunks(pictures):
        mine = Content.picture.in_(some) & Content.replaced
        connection.execute(update(Content).where(mine).values(replaced=False))


def replaced_images(connection: Connection) -> list[int]:
    """Ids of the pictures that came in the place of others, and have labels which nobody has confirmed since."""
    labelled = select(LabelRow.id).where(LabelRow.picture == Image.picture).exists()
    rows = select(Image.id).join(Content, Content.content_hash == Image.content_hash)
    return list(connection.scalars(rows.where(Content.replaced, ~Image.missing, labelled).order_by(Image.id)))


def kept_labels(labels: Sequence[str]) -> str:
    """What to tell of a file that replaced a picture with these labels."""
    said = f"It is still labelled {', '.join(f'“{label}”' for label in labels)}" if labels else "It still is what it is not"
    return f"It does not look like the picture that was here before. {said}: see whether that is right, and label it again."


def unlooked(connection: Connection) -> dict[str, str]:
    """Path -> content hash of labelled files whose stored pixels nobody has looked at: they came before this was kept."""
    rows = select(Image.path, Image.content_hash).join(Content, Content.content_hash == Image.content_hash)
    labelled = Image.picture.in_(select(LabelRow.picture))
    return dict(connection.execute(rows.where(Content.pixels.is_(None), ~Image.missing, labelled)).all())


def keep_pixels(connection: Connection, pixels: Mapping[str, str]) -> None:
    """Remember the pixel hashes of contents."""
    for content, value in pixels.items():
        empty = (Content.content_hash == content) & Content.pixels.is_(None)
        connection.execute(update(Content).where(empty).values(pixels=value))


def forget_unlabelled(connection: Connection) -> None:
    """Forget contents of which there is neither a file nor a label: after a folder was removed."""
    shown = select(Image.id).where(Image.picture == Content.picture).exists()
    labelled = select(LabelRow.id).where(LabelRow.picture == Content.picture).exists()
    connection.execute(delete(Content).where(~shown, ~labelled))


def pictures_with(connection: Connection, hashes: Iterable[str]) -> dict[str, str]:
    """Content hash -> picture, of contents that are there or were; one that is not known stands for itself."""
    wanted = list(dict.fromkeys(hashes))
    return {content: content for content in wanted} | _pictures_of(connection, wanted)


def _pictures_of(connection: Connection, hashes: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in chunks(dict.fromkeys(hashes)):
        rows = select(Content.content_hash, Content.picture).where(Content.content_hash.in_(some))
        found.update(connection.execute(rows).all())
    return found


def _by_pixels(connection: Connection, wanted: set[str]) -> dict[str, str]:
    """Pixel hash -> picture; of several, which only a library from before can have, the one with labels."""
    labelled = select(LabelRow.id).where(LabelRow.picture == Content.picture).exists()
    found: dict[str, str] = {}
    for some in chunks(wanted):
        rows = select(Content.pixels, Content.picture).where(Content.pixels.in_(some))
        for pixels, picture in connection.execute(rows.order_by(labelled, Content.picture)):  # the last one counts
            found[pixels or ""] = picture
    return found


def _before(connection: Connection, paths: Sequence[str]) -> dict[str, tuple[str, str, bool]]:
    """Path -> content hash, picture, and whether the file was missing, as the library knew it."""
    found: dict[str, tuple[str, str, bool]] = {}
    columns = (Image.path, Image.content_hash, Image.picture, Image.missing)
    for some in chunks(paths):
        for path, content, picture, missing in connection.execute(select(*columns).where(Image.path.in_(some))):
            found[path] = content, picture, missing
    return found


def _alike(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is not None and other is not None and float(one @ other) >= LIKE


def _fill_pixels(connection: Connection, read: Sequence[Picture]) -> None:
    keep_pixels(connection, {file.content_hash: file.pixels for file in read})


def _inherit(connection: Connection, heirs: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Give new pictures the labels of others (new -> old) and a part in their steps; the labels that are true, by new."""
    olds = set(heirs.values())
    said: dict[str, list[tuple[str, int]]] = {}
    by: dict[tuple[str, str], int | None] = {}
    for some in chunks(olds):
        columns = (LabelRow.picture, LabelRow.label, LabelRow.value, LabelRow.author_id)
        rows = select(*columns).where(LabelRow.picture.in_(some))
        for picture, label, value, author in connection.execute(rows.order_by(LabelRow.label)):
            said.setdefault(picture, []).append((label, value))
            by[picture, label] = author
    given = {new: said[old] for new, old in heirs.items() if old in said}
    if not given:
        return {}
    moment = now()
    connection.execute(
        insert(LabelRow),
        [
            {"picture": new, "label": label, "value": value, "created": moment, "author_id": by[heirs[new], label]}
            for new, values in given.items()
            for label, value in values
        ],
    )
    _inherit_opinions(connection, heirs)
    for some in chunks(given):
        connection.execute(update(Content).where(Content.content_hash.in_(some)).values(replaced=True))
    heirs_of: dict[str, list[str]] = {}
    for new in given:
        heirs_of.setdefault(heirs[new], []).append(new)
    changes: dict[int, list[Any]] = {}
    for old in heirs_of:
        mentioned = cast(LabelStep.changes, Text).contains(old)
        changes.update(connection.execute(select(LabelStep.id, LabelStep.changes).where(mentioned)).all())
    for step, groups in changes.items():
        joined = [[[*some, *(new for old in some for new in heirs_of.get(old, ()))], change] for some, change in groups]
        connection.execute(update(LabelStep).where(LabelStep.id == step).values(changes=joined))
    return {new: tuple(label for label, value in values if value == 1) for new, values in given.items()}


def _inherit_opinions(connection: Connection, heirs: Mapping[str, str]) -> None:
    """What people said of the old pictures, each as their own word."""
    heirs_of: dict[str, list[str]] = {}
    for new, old in heirs.items():
        heirs_of.setdefault(old, []).append(new)
    columns = (Opinion.picture, Opinion.label, Opinion.person_id, Opinion.value, Opinion.created)
    for some in chunks(heirs_of):
        rows = connection.execute(select(*columns).where(Opinion.picture.in_(some))).all()
        copied = [{**row._asdict(), "picture": new} for row in rows for new in heirs_of[row.picture]]
        if copied:
            connection.execute(insert(Opinion), copied)
