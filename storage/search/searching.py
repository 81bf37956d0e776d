"""Search: words, pictures or both as one unit vector, the nearest pictures, and whether they match at all."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from clipcore import BadInput

from ..database import Database
from ..filters import ORDERS, Filters, Order
from ..pictures import lookup
from ..pictures.browsing import chosen
from ..records import Found, Hit
from ..vectors.relevance import Scale
from ..vectors.spaces import Model
from .query import Term, parse_query


class Near(NamedTuple):
    """A picture that was found: its id and its score."""

    id: int
    score: float


MOST_MATCHES = 2000  # that are counted, sorted and paged
FIRST_LOOK = 512  # of the nearest vectors, which answers most searches
CLOSEST = 480  # that are sorted and paged where there is no cut-off


def find(
    database: Database,
    model: Model,
    words: str,
    likes: Sequence[np.ndarray],
    filters: Filters,
    order: Order,
    offset: int,
    limit: int,
    everything: bool,
    without: int | None = None,
    among: Collection[int] | None = None,
) -> Found:
    """A page of what is found for words and pictures (vectors [dim] of unit length); `without` is an image's id, and
    `among` are the only ids of images that may be found.

    With `everything` also what does not match. Raises BadInput for a query that cannot be meant, NotFound for the folder.
    """
    terms = parse_query(words) if words.strip() or not likes else ()
    query = _mixed(model, terms, likes)
    # Only sums of words are on the scale of the generic queries: with pictures cosines are larger, with a minus smaller.
    is_judged = bool(terms) and not likes and all(term.weight > 0 for term in terms)
    scale = model.relevance.scale() if is_judged else None
    clear, cut = _cut(model, scale, query) if scale else (None, None)
    floor = -np.inf if cut is None or everything else cut
    most = max(offset + limit, CLOSEST if floor == -np.inf else MOST_MATCHES)
    near = nearest(database, model, query, most + (without is not None), filters, floor, among)
    near = [each for each in near if each.id != without][:most]
    page = _page(database, near, order, offset, limit)
    if scale is None or cut is None:
        return Found(page, len(near), None)
    clear = clear and bool(near) and near[0].score >= cut  # near[0] is the best one of this folder, these days, ...
    page = _judged(database, model, page, scale, cut)
    return Found(page, len(near), clear, () if clear else tuple(scale.suggestions(query)))


def found_by_share(database: Database, shares: Mapping[int, float], order: Order, offset: int, limit: int) -> Found:
    """A page of pictures given by id with what to order them by, the highest first."""
    with database.reading() as connection:
        there = lookup.dates_of(connection, list(shares))
    near = sorted((Near(image_id, shares[image_id]) for image_id in there), key=_best_first)
    return Found(_page(database, near, order, offset, limit), len(near), None)


def _page(database: Database, near: list[Near], order: Order, offset: int, limit: int) -> list[Hit]:
    """Some of what was found, in this order, with all that is known of the pictures. Raises BadInput for no order."""
    if order not in ORDERS:
        raise BadInput(f"There is no order {order!r}; choose one of {', '.join(ORDERS)}.")
    with database.reading() as connection:
        if order != "relevance":
            dates = lookup.dates_of(connection, [each.id for each in near])
            near = [each for each in near if each.id in dates]  # one may have gone meanwhile
            near.sort(key=lambda each: dates[each.id], reverse=order == "newest")
        page = near[max(0, offset) : max(0, offset) + max(0, limit)]
        image_of = {image.id: image for image in lookup.images_with_ids(connection, [each.id for each in page])}
    return [Hit(image_of[each.id], each.score) for each in page if each.id in image_of]  # one may have gone meanwhile


def cut_off(model: Model, words: str) -> tuple[np.ndarray, float]:
    """The unit vector [dim] of a search by words, and the cosine from which on a picture matches it. Raises BadInput."""
    terms = parse_query(words)
    if any(term.weight < 0 for term in terms):
        raise BadInput("A search with a minus has no cut-off to decide by; leave the minus out, or save it as an album.")
    scale = model.relevance.scale()
    if scale is None:
        raise BadInput("A search becomes a classifier by the pictures it is used on; add a folder first.")
    query = _mixed(model, terms, ())
    return query, _cut(model, scale, query)[1]


def _cut(model: Model, scale: Scale, query: np.ndarray) -> tuple[bool, float]:
    """Whether the library answers the query clearly, and the cosine from which on a picture matches."""
    _, best = model.index.search(query, FIRST_LOOK)  # the same question that `nearest` asks: answered once
    top = float(best[0]) if len(best) else -1.0
    clear = scale.worth(query, top) >= scale.bar
    return clear, scale.cut(top, clear)


def nearest(
    database: Database,
    model: Model,
    query: np.ndarray,
    k: int,
    filters: Filters,
    floor: float = -np.inf,
    among: Collection[int] | None = None,
) -> list[Near]:
    """The k pictures closest to a unit vector [dim] with a cosine of at least `floor`, best first.

    The index is asked for more until k pictures are there: vectors of missing pictures stay in it.
    """
    selection: dict[int, int] | None = None
    if filters.any or among is not None:
        with database.reading() as connection:
            selection = chosen(connection, filters, model.space_id)
    if selection is not None and among is not None:
        selection = {image: vector for image, vector in selection.items() if image in among}
    allowed = None if selection is None else set(selection.values())
    wanted = k if floor == -np.inf else min(k, FIRST_LOOK)
    while True:
        ids, scores = model.index.search(query, wanted, allowed)
        above = scores >= floor
        with database.reading() as connection:
            images = lookup.ids_of_embeddings(connection, ids[above].tolist())
        pairs = zip(ids[above].tolist(), scores[above].tolist(), strict=True)
        near = [
            Near(image_id, score)
            for vector_id, score in pairs
            for image_id in images.get(vector_id, [])
            if selection is None or image_id in selection
        ]
        if len(near) >= k or len(ids) < wanted or not above.all():
            return sorted(near, key=_best_first)[:k]
        wanted *= 4


def _best_first(near: Near) -> tuple[float, int]:
    return -near.score, near.id


def _mixed(model: Model, terms: Sequence[Term], likes: Sequence[np.ndarray]) -> np.ndarray:
    """The weighted sum of the texts' vectors and the pictures', as a unit vector [dim]."""
    total = np.zeros(model.space.dim, np.float32)
    if terms:
        total += np.array([term.weight for term in terms], np.float32) @ model.encoder.embed_texts([t.text for t in terms])
    for like in likes:
        total += like
    length = float(np.linalg.norm(total))
    if length < 1e-3:
        raise BadInput("The parts of this search cancel each other out; look for something else than what is taken away.")
    return total / length


def _judged(database: Database, model: Model, hits: list[Hit], scale: Scale, cut: float) -> list[Hit]:
    """The same hits with rank and margin."""
    with database.reading() as connection:
        vectors = lookup.vectors_of(connection, model.space_id, model.space.dim, [hit.image.content_hash for hit in hits])
    hits = [hit for hit in hits if hit.image.content_hash in vectors]  # one may have gone meanwhile
    if not hits:
        return []
    ranks = scale.ranks(np.array([hit.score for hit in hits]), np.stack([vectors[hit.image.content_hash] for hit in hits]))
    return [replace(hit, rank=float(rank), margin=hit.score - cut) for hit, rank in zip(hits, ranks, strict=True)]
