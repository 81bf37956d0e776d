"""Whether a model understands how the parts of a sentence belong together: pictures against captions.

`match` is the middle of CLIP's pseudo-code (Radford et al., 2021, Figure 3): every picture against every caption, softmax
both ways. The files of SugarCrepe (Hsieh et al., 2023) and Winoground (Thrush et al., 2022) are read as published. Recall
on captioned sets is in `retrieval.py`.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..encoding.stream import iter_embed
from ..errors import BadInput
from ..pictures.reading import FORMATS
from ..plain import parsed_json, read_plain_text
from ..progress import Step
from .intervals import points, share_interval
from .sets import fitting

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

ENDINGS = ("", ".png", ".jpg", *(f".{name.lower()}" for name in FORMATS))  # Winoground's files leave the ending out


@dataclass(frozen=True, eq=False)
class Match:
    """n pictures against m captions.

    cosines     float32 [n, m]
    by_picture  float32 [n, m]; each row is softmax over the captions: which caption fits this picture?
    by_caption  float32 [n, m]; each column is softmax over the pictures: which picture fits this caption?
    cut         captions that lost their last words because the model reads no more
    """

    captions: tuple[str, ...]
    cosines: np.ndarray
    by_picture: np.ndarray
    by_caption: np.ndarray
    cut: tuple[str, ...] = ()

    @property
    def best_captions(self) -> list[str]:
        """The caption that fits each picture best."""
        return [self.captions[i] for i in self.cosines.argmax(1)]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        arrays = {name: getattr(self, name).round(4).tolist() for name in ("cosines", "by_picture", "by_caption")}
        return {"captions": list(self.captions), **arrays, "best": self.best_captions, "cut": list(self.cut)}


def match(encoder: "Encoder", X: np.ndarray, captions: Sequence[str]) -> Match:
    """Unit vectors of pictures X [n, dim] against captions. Raises BadInput if there are none of either."""
    captions = [text for caption in captions if (text := " ".join(caption.split()))]
    if not len(X) or not captions:
        raise BadInput("There is nothing to match; give at least one picture and one caption.")
    texts, cut = _fitted(encoder, captions)
    cosines = X @ encoder.embed_texts(texts).T
    logits = encoder.logit_scale * cosines  # a bias, as SigLIP has one, is the same for all and changes no softmax
    return Match(tuple(captions), cosines, _softmax(logits, 1), _softmax(logits, 0), tuple(cut))


@dataclass(frozen=True)
class Score:
    """A share of `n` items that came out right, with its 95 % interval; guessing gives `chance`."""

    n: int
    share: float
    interval: tuple[float, float]
    chance: float

    def __str__(self) -> str:
        low, high = self.interval
        return f"{points(self.share):>7} (95 % interval {points(low)} to {points(high)}, guessing {points(self.chance)})"


@dataclass(frozen=True)
class CompositionReport:
    """Scores by name; `wrong` names the items that failed, `skipped` what could not be used, `cut` shortened captions."""

    name: str
    scores: Mapping[str, Score]
    wrong: tuple[str, ...]
    skipped: tuple[str, ...]
    cut: int = 0

    def __str__(self) -> str:
        return "\n".join(f"{name:12} {score}   {score.n:,} items" for name, score in self.scores.items())

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Contrast:
    """A SugarCrepe item: a picture, its caption, and one that is almost the same but wrong."""

    key: str
    image: Path
    caption: str
    negative: str


@dataclass(frozen=True)
class Quad:
    """A Winoground item: two pictures and two captions of the same words, caption i of picture i."""

    key: str
    images: tuple[Path, Path]
    captions: tuple[str, str]
    tag: str = ""


def read_sugarcrepe(path: Path, images: Path) -> list[Contrast]:
    """A SugarCrepe file, {"0": {"filename", "caption", "negative_caption"}, ...}, with pictures in the folder `images`."""
    data = _json(path)
    try:
        items = data.items() if isinstance(data, dict) else enumerate(data)
        return [
            Contrast(
                f"{path.stem}/{key}", _inside(images, row["filename"]), str(row["caption"]), str(row["negative_caption"])
            )
            for key, row in items
        ]
    except (KeyError, TypeError, AttributeError):
        raise BadInput(
            f"The file {path.name} lacks a filename, caption or negative_caption; name a file of SugarCrepe's kind."
        ) from None


def read_winoground(path: Path, images: Path) -> list[Quad]:
    """A Winoground file: objects with image_0, image_1, caption_0, caption_1, one a line or as a list."""
    data = _json(path)
    try:
        return [
            Quad(
                str(row.get("id", place)),
                (_inside(images, row["image_0"]), _inside(images, row["image_1"])),
                (str(row["caption_0"]), str(row["caption_1"])),
                str(row.get("tag", "")),
            )
            for place, row in enumerate(data)
        ]
    except (KeyError, TypeError, AttributeError):
        raise BadInput(
            f"The file {path.name} lacks an image_0, image_1, caption_0 or caption_1; name a file of Winoground's kind."
        ) from None


def read_items(path: Path, images: Path) -> list[Contrast] | list[Quad]:
    """A file of either kind, told apart by what its first item has."""
    data = _json(path)
    first: Any = next(iter(data.values() if isinstance(data, dict) else data), {})
    return read_winoground(path, images) if isinstance(first, dict) and "image_0" in first else read_sugarcrepe(path, images)


def iter_contrasts(encoder: "Encoder", name: str, items: Sequence[Contrast]) -> Generator[Step, None, CompositionReport]:
    """SugarCrepe: how often the picture is nearer to its caption than to the wrong one; a tie is a mistake."""
    vectors, skipped = yield from _pictures(encoder, [item.image for item in items])
    used = [item for item in items if item.image in vectors]
    _require(used)
    cosines, cut = _cosines(encoder, [[vectors[i.image]] for i in used], [(i.caption, i.negative) for i in used])
    right = cosines[:, 0, 0] > cosines[:, 0, 1]
    wrong = tuple(item.key for item, ok in zip(used, right, strict=True) if not ok)
    return CompositionReport(name, {"accuracy": score(right, 1 / 2)}, wrong, skipped, cut)


def iter_quads(encoder: "Encoder", name: str, items: Sequence[Quad]) -> Generator[Step, None, CompositionReport]:
    """Winoground's scores: `text` (each picture takes its caption), `image` (each caption its picture), `group` (both)."""
    vectors, skipped = yield from _pictures(encoder, [path for item in items for path in item.images])
    used = [item for item in items if all(path in vectors for path in item.images)]
    _require(used)
    pairs = [[vectors[path] for path in item.images] for item in used]
    c, cut = _cosines(encoder, pairs, [item.captions for item in used])  # [n, picture, caption]
    text = (c[:, 0, 0] > c[:, 0, 1]) & (c[:, 1, 1] > c[:, 1, 0])
    image = (c[:, 0, 0] > c[:, 1, 0]) & (c[:, 1, 1] > c[:, 0, 1])
    scores = {"text": score(text, 1 / 4), "image": score(image, 1 / 4), "group": score(text & image, 1 / 6)}
    for tag in sorted({item.tag for item in used if item.tag}):
        rows = np.array([item.tag == tag for item in used])
        scores[f"group, {tag}"] = score((text & image)[rows], 1 / 6)
    wrong = tuple(item.key for item, ok in zip(used, text & image, strict=True) if not ok)
    return CompositionReport(name, scores, wrong, skipped, cut)


def iter_composition(encoder: "Encoder", path: Path, images: Path) -> Generator[Step, None, CompositionReport]:
    """Measure on a SugarCrepe or Winoground file with its folder of pictures."""
    items = read_items(path, images)
    if items and isinstance(items[0], Quad):
        return (yield from iter_quads(encoder, path.stem, [item for item in items if isinstance(item, Quad)]))
    return (yield from iter_contrasts(encoder, path.stem, [item for item in items if isinstance(item, Contrast)]))


def _pictures(
    encoder: "Encoder", paths: Sequence[Path]
) -> Generator[Step, None, tuple[dict[Path, np.ndarray], tuple[str, ...]]]:
    """Each file's vector [dim], embedded once, and the sentences of those that could not be read."""
    embedded = yield from iter_embed(encoder, list(dict.fromkeys(paths)))
    return dict(zip(embedded.paths, embedded.vectors, strict=True)), tuple(map(str, embedded.skipped))


def _cosines(
    encoder: "Encoder", pictures: Sequence[Sequence[np.ndarray]], captions: Sequence[tuple[str, str]]
) -> tuple[np.ndarray, int]:
    """Cosines [n, pictures, captions] within each item, and how many captions were cut."""
    texts, cut = _fitted(encoder, [text for pair in captions for text in pair])
    T = encoder.embed_texts(texts).reshape(len(captions), 2, -1)
    return np.einsum("npd,ncd->npc", np.array(pictures), T), len(cut)


def _fitted(encoder: "Encoder", captions: Sequence[str]) -> tuple[list[str], list[str]]:
    texts = [fitting(encoder, caption) for caption in captions]
    return texts, [caption for caption, text in zip(captions, texts, strict=True) if text != " ".join(caption.split())]


def score(right: np.ndarray, chance: float) -> Score:
    """The score of items that came out right or not, bool [n]."""
    return Score(len(right), float(right.mean()), share_interval(right.sum(), len(right)), chance)


def _require(items: Sequence[object]) -> None:
    if not items:
        raise BadInput("None of the pictures could be read; name the folder that holds them.")


def _softmax(logits: np.ndarray, axis: int) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def _inside(folder: Path, name: Any) -> Path:
    """The picture of that name in the folder; a file from outside may not point elsewhere."""
    if not isinstance(name, str) or Path(name).is_absolute() or ".." in Path(name).parts:
        raise BadInput(f"The picture {str(name)[:60]!r} does not lie in the folder of pictures; write its name alone.")
    return next((path for end in ENDINGS if (path := folder / f"{name}{end}").is_file()), folder / name)


def _json(path: Path) -> Any:
    """The content of a JSON file, or of one with an object on each line."""
    try:
        text = read_plain_text(path, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"The file {path} cannot be read; check the path.") from None
    with suppress(ValueError):
        if isinstance(data := parsed_json(text), (dict, list)):
            return data
    try:
        return [parsed_json(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        raise BadInput(
            f"The file {path.name} is neither JSON nor JSON Lines; name a SugarCrepe or Winoground file."
        ) from None
