"""What a picture's pixels look like in four kilobytes, to tell copies that are not the same file: resaved, resized or so.

A small hash is the same for every receipt, chat and white page. So a pair that looks alike at 8 x 8 places is laid on each
other, which undoes a crop of a hundredth or two, and compared at 64 x 64 places, window by window: a copy agrees in nearly
all of them, while another text, message or place of a dot is a window that does not. What is asked of a window is the
structural similarity of Wang et al. 2004 (https://doi.org/10.1109/TIP.2003.819861) without its brightness. The limits were
chosen on the pictures of `benchmarks/duplicates.py`.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ..files import write_beside
from .near import near_parts

PLACES, SIDE = 8, 64
# Other fields are another version: a file that has not these is made again.
FINGERPRINT = np.dtype([("content", "S64"), ("grey", "u1", (SIDE, SIDE)), ("colours", "u1", 3 * PLACES * PLACES)])
MAX_ASPECT = 1.03  # how much longer one of two same pictures may be, for its height, than the other
NEAR = 0.85  # least cosine of the grey of 8 x 8 places; a crop of gravel has that
NEAR_FINER = 0.6  # and that of 16 x 16
FLAT = 2.0  # a contrast, 0 to 255, that says nothing: pictures with less are near one another whatever it is
MAX_COLOUR, MAX_COLOUR_BARE = 20.0, 8.0  # mean difference of the colours, 0 to 255
MAX_PLACE = 64  # and the greatest at one place
MAX_MOVED = 0.025  # of the side, that two copies may lie apart
NOISE = 12.0  # a variance of grey, 0 to 255, that comes from saving with loss
LEAST_SURE, LEAST_WINDOWS, LEAST_WINDOW = 0.91, 0.8, 0.5  # similarity of the whole, of 95 % of the windows, of 98 %
MAY_MOVE, MAY_MOVE_WINDOWS = 0.7, 0.2  # before one is laid on the other; less than a crop of 2 % has
BUSY = 0.045  # of the windows, more than a dot is in; what has less is bare, and not moved: a dot can be laid on any other
LEAST_SURE_BARE = 0.99
AT_ONCE, BATCH = 32, 512


def fingerprint(content: str, thumbnail: bytes) -> np.ndarray:
    """The fingerprint, a FINGERPRINT, of a picture's thumbnail as encoded bytes."""
    with Image.open(io.BytesIO(thumbnail)) as image:
        small = image.convert("RGB")
    grey = np.asarray(small.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX))
    colours = np.asarray(small.resize((PLACES, PLACES), Image.Resampling.BOX))
    return np.array((content.encode(), grey, colours.ravel()), FINGERPRINT)


def alike(prints: np.ndarray, shapes: np.ndarray | None = None) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Pairs of rows i < j of FINGERPRINTs [n] that show the same pixels, some rows at a time, and how many rows are done.

    `shapes` [n] are the pictures' widths divided by their heights, where they are known.
    """
    if len(prints) < 2:
        return
    finer = _directions(prints["grey"], 2 * PLACES)
    parts = list[tuple[np.ndarray, np.ndarray, np.ndarray]]()
    for done, ended, i, j in near_parts(_directions(prints["grey"], PLACES), NEAR):
        cosine = np.einsum("nd,nd->n", finer[i], finer[j])
        keep = cosine >= NEAR_FINER
        if shapes is not None:
            ratio = shapes[i] / shapes[j]
            keep &= np.maximum(ratio, 1 / ratio) <= MAX_ASPECT
        i, j, cosine = i[keep], j[keep], cosine[keep]
        apart = np.abs(prints["colours"][i].astype(np.int16) - prints["colours"][j])
        keep = (apart.mean(1) <= MAX_COLOUR) & (apart.max(1) <= MAX_PLACE)
        parts.append((i[keep], j[keep], cosine[keep]))
        if ended:
            yield done, _nearest_first(prints, *map(np.concatenate, zip(*parts, strict=True)))
            parts = []


def _nearest_first(prints: np.ndarray, i: np.ndarray, j: np.ndarray, cosine: np.ndarray) -> list[tuple[int, int]]:
    """The pairs that are the same; of each i the nearest are asked first, and the others only as long as some were the same.

    Copies are nearer than what only has the same layout, of which a library of receipts has thousands for each.
    """
    order = np.lexsort((-cosine, i))
    i, j = i[order], j[order]
    rank = np.arange(len(i)) - np.searchsorted(i, i)
    going = np.unique(i)
    pairs: list[tuple[int, int]] = []
    for turn in range(int(rank.max(initial=-1)) // AT_ONCE + 1):
        asked = np.flatnonzero((rank // AT_ONCE == turn) & np.isin(i, going))
        same = [_same(prints[i[some]], prints[j[some]]) for some in np.split(asked, range(BATCH, len(asked), BATCH))]
        found = asked[np.concatenate(same)]
        pairs += zip(i[found].tolist(), j[found].tolist(), strict=True)
        going = np.unique(i[found])
        if not len(going):
            break
    return pairs


def _directions(grey: np.ndarray, places: int) -> np.ndarray:
    """Unit vectors float32 [n, places² + 1] of what is brighter and what darker; those of flat pictures hardly differ."""
    size = SIDE // places
    rows = np.empty((len(grey), places * places + 1), np.float32)
    for start in range(0, len(grey), 1024):  # a mean in floating point takes four times the bytes
        some = grey[start : start + 1024]
        rows[start : start + 1024, :-1] = (
            some.reshape(-1, places, size, places, size).mean((2, 4), np.float32).reshape(len(some), -1)
        )
    rows[:, :-1] -= rows[:, :-1].mean(1, keepdims=True)
    rows[:, -1] = FLAT * places
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _same(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether each of FINGERPRINTs [n] shows the same as the other, bool [n]."""
    a, b = ones["grey"].astype(np.float32), others["grey"].astype(np.float32)
    seen = _agree(_smooth(a), _smooth(b), 0)
    same = seen.whole >= LEAST_SURE
    same &= (seen.most >= LEAST_WINDOWS) & (seen.nearly_all >= LEAST_WINDOW)
    bare = np.flatnonzero(same & ~seen.busy)
    if len(bare):
        apart = np.abs(ones["colours"][bare].astype(np.int16) - others["colours"][bare]).mean(1)
        same[bare] = (_agree(a[bare], b[bare], 0).whole >= LEAST_SURE_BARE) & (apart <= MAX_COLOUR_BARE)
    again = np.flatnonzero(~same & seen.busy & (seen.whole >= MAY_MOVE) & (seen.most >= MAY_MOVE_WINDOWS))
    if len(again):
        laid = _agree(_smooth(_laid_on(a[again], b[again])), _smooth(b[again]), 2)
        same[again] = (laid.whole >= LEAST_SURE) & (laid.most >= LEAST_WINDOWS) & (laid.nearly_all >= LEAST_WINDOW)
    return same


class _Seen(NamedTuple):
    """How alike pairs are, each [n]: as a whole, what 95 % and 98 % of the windows reach, and whether much is in them."""

    whole: np.ndarray
    most: np.ndarray
    nearly_all: np.ndarray
    busy: np.ndarray


def _agree(a: np.ndarray, b: np.ndarray, edge: int) -> _Seen:
    """How alike greys float32 [n, SIDE, SIDE] are, leaving out `edge` places at each side."""
    blocks = (SIDE - 2 * edge) // 4

    def windows(x: np.ndarray) -> np.ndarray:
        """Means of 8 x 8 places at every fourth, [n, windows]."""
        x = x[:, edge : edge + 4 * blocks, edge : edge + 4 * blocks].reshape(-1, blocks, 4, blocks, 4).mean((2, 4))
        return ((x[:, 1:, 1:] + x[:, :-1, 1:] + x[:, 1:, :-1] + x[:, :-1, :-1]) / 4).reshape(len(x), -1)

    mean_a, mean_b = windows(a), windows(b)
    both = windows(a * b) - mean_a * mean_b
    of_a, of_b = np.maximum(windows(a * a) - mean_a**2, 0), np.maximum(windows(b * b) - mean_b**2, 0)
    similar = np.sort((2 * both + NOISE) / (of_a + of_b + NOISE), axis=1)
    whole = (2 * both.sum(1) + NOISE) / (of_a.sum(1) + of_b.sum(1) + NOISE)
    count = similar.shape[1]
    busy = np.minimum((of_a > NOISE).mean(1), (of_b > NOISE).mean(1)) >= BUSY
    return _Seen(whole, similar[:, count // 20], similar[:, count // 50], busy)


def _smooth(x: np.ndarray) -> np.ndarray:
    """Greys [n, h, w] weighed 1 : 2 : 1 both ways, so that a copy that was sharper or lay between two places is the same."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="edge")
    x = (x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]) / 4
    return (x[:, :, :-2] + 2 * x[:, :, 1:-1] + x[:, :, 2:]) / 4


def _laid_on(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Each of a [n, SIDE, SIDE] moved and stretched a little to where it differs least from b (Lucas and Kanade 1981)."""
    half = SIDE // 2
    small, target = (x.reshape(-1, half, 2, half, 2).mean((2, 4)) for x in (a, b))
    places = ((np.arange(half) - (half - 1) / 2) / (half / 2)).astype(np.float32)  # -1 to 1
    at = np.zeros((len(a), 4), np.float32)  # moved and stretched across, then down, as a share of half the side
    moved, inner = small, slice(2, -2)
    for _ in range(3):
        down, across = np.gradient(moved, axis=(1, 2))
        columns = (across, across * places, down, down * places[:, None], moved, np.ones_like(moved))
        matrix = np.stack(columns, -1)[:, inner, inner].reshape(len(a), -1, 6)
        wanted = target[:, inner, inner].reshape(len(a), -1, 1)
        turned = matrix.transpose(0, 2, 1)
        weight = np.array([half * half / 2] * 4 + [1e-2] * 2)  # where nothing is seen, nothing moves
        found = np.linalg.solve((turned @ matrix).astype(np.float64) + np.diag(weight), turned @ wanted)[:, :, 0]
        gain = np.clip(found[:, 4:5], 0.5, 2)
        at = np.clip(at + found[:, :4] / gain / (half / 2), -2 * MAX_MOVED, 2 * MAX_MOVED).astype(np.float32)
        moved = _moved(small, at)
    return _moved(a, at)


def _moved(x: np.ndarray, at: np.ndarray) -> np.ndarray:
    """x [n, side, side] read at other places, in between by halves of both."""
    side = x.shape[1]
    places = np.arange(side, dtype=np.float32)
    centred = places - (side - 1) / 2

    def weights(move: np.ndarray, stretch: np.ndarray) -> np.ndarray:
        read = centred * (1 + stretch[:, None]) + move[:, None] * side / 2 + (side - 1) / 2
        return np.maximum(0, 1 - np.abs(np.clip(read, 0, side - 1)[:, :, None] - places)).astype(np.float32)

    across, down = weights(at[:, 0], at[:, 1]), weights(at[:, 2], at[:, 3])
    return down @ x @ across.transpose(0, 2, 1)


def load(file: Path) -> dict[str, np.ndarray]:
    """The fingerprints that were kept, by content; none if the file is missing, damaged or of another version."""
    try:
        rows = np.load(file, allow_pickle=False)
        return {row["content"].decode(): row for row in rows} if rows.dtype == FINGERPRINT else {}
    except (OSError, ValueError, EOFError):
        return {}


def save(file: Path, prints: Mapping[str, np.ndarray]) -> None:
    """Keep fingerprints for the next time."""
    buffer = io.BytesIO()
    np.save(buffer, np.array(list(prints.values()), FINGERPRINT))
    write_beside(file, buffer.getvalue(), durable=False)
