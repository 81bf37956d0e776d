"""A run that joins two pretrained towers: locked-image tuning (Zhai et al., 2022) and its relatives, from files to a model.

    caches        each source's pictures at its own size, so that small ones stay small
    lexicon       the text tower learns from WordNet what rare nouns mean (`training.towers.lexicon`), if that is asked for
    distillation  the image tower learns from itself and from words (`training.towers.distill`), unless it is locked
    features      of all pictures, by the tower that is to stay
    joining       the head, and what lies behind the text tower unless that is locked (`training.towers.join`)
    reading       the head and the text tower's last layers learn from captions, if asked for (`training.towers.reading`)

What each stage made lies in OUT, and a run that goes on begins where it is missing.
"""

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from open_clip.model import CustomTextCLIP
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

from clipcore.encoding.folding import folded
from clipcore.errors import BadInput
from clipcore.models.towers import NamedTower
from clipcore.progress import Step

from ..data.captions import TEMPLATES
from ..data.pixels import Pixels, iter_cache
from ..data.samples import Pair
from ..data.styles import grey
from ..data.views import resized
from ..towers.clip import Tokenizer, encode_captions, export
from ..towers.distill import Distillation, Source, iter_distill, mixed
from ..towers.join import Joining, Seen, iter_join
from ..towers.lexicon import Lexicon, iter_learn_nouns, nouns
from ..towers.pretrained import Classifier, join
from ..towers.reading import Reading, iter_read

LOCKS = ("image", "text", "none")
MIRRORED, GREY = 0.5, 0.2  # of the further views of captioned pictures


@dataclass(frozen=True)
class Towers:
    """Which two towers, and how they are tuned to each other.

    image: timm's name and the weights file, as NAME:FILE; text: a sentence encoder's folder; lock: the tower that stays as
    it is.
    side: of the pictures that the model will see, in pixels; pixels: of the cached pictures of each source, `side` unless
    told.
    classes: names of the classifier's classes, in its order; class_of: which of them a label of the data is.
    share: of the way from the untouched tower to the tuned one (WiSE-FT).
    views: of each captioned picture for joining, besides the whole: cut at random and perhaps mirrored, some of them grey.
    nouns: what captions commonly name, with synonyms and hypernyms, for `Joining.nouns`.
    """

    image: str
    text: str
    lock: str = "none"
    side: int = 144
    pixels: Mapping[str, int] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    class_of: Mapping[str, int] = field(default_factory=dict)
    share: float = 1.0
    views: int = 0
    nouns: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    lexicon: Lexicon = field(default_factory=Lexicon)
    distillation: Distillation = field(default_factory=Distillation)
    joining: Joining = field(default_factory=Joining)
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        if self.lock not in LOCKS:
            raise BadInput(f"--lock says which tower stays as it is: {', '.join(LOCKS)}.")
        if ":" not in self.image:
            raise BadInput("Say with --image-tower what timm calls the tower, and the file of its weights: NAME:FILE.")
        if not self.text:
            raise BadInput("Say with --text-tower which sentence encoder reads the words: its folder.")

    def joined(self) -> tuple[dict[str, Any], CustomTextCLIP, Tokenizer]:
        """The two towers put together, untrained. Raises BadInput for files that do not fit."""
        name, _, file = self.image.partition(":")
        classifier = Classifier.load(name, file)
        classes = self.classes or (IMAGENET_CLASSNAMES if len(classifier.bias) == len(IMAGENET_CLASSNAMES) else ())
        if not classes:
            raise BadInput(
                f"{name} knows {len(classifier.bias)} classes; name them, in its order, in the recipe's classes.json."
            )
        return join(classifier, self.text, classes, TEMPLATES[:1] + TEMPLATES[3:4], self.side)

    @classmethod
    def of(cls, said: Mapping[str, Any], folder: Path, **told: Any) -> "Towers":
        """From a recipe's `towers`, and the files that it names in its `folder`; `told` comes from the command line."""
        parts = dict(said) | {name: value for name, value in told.items() if value}
        for key in ("classes", "class_of", "nouns"):
            if isinstance(parts.get(key), str):
                parts[key] = json.loads((folder / parts[key]).read_text(encoding="utf-8"))
        distillation, joining = dict(parts.pop("distillation", {})), dict(parts.pop("joining", {}))
        lexicon, reading = Lexicon(**parts.pop("lexicon", {})), Reading(**parts.pop("reading", {}))
        for name in ("sizes", "frozen"):
            if name in distillation:
                distillation[name] = tuple(distillation[name])
        if "templates" in joining:
            joining["templates"] = tuple(joining["templates"])
        parts["classes"] = tuple(parts.get("classes", ()))
        joined = Joining(**joining)
        return cls(**parts, lexicon=lexicon, distillation=Distillation(**distillation), joining=joined, reading=reading)

    def lasting(self, minutes: float | None) -> "Towers":
        """The same with so many minutes of distillation."""
        return replace(self, distillation=replace(self.distillation, minutes=minutes)) if minutes else self


def iter_joined(
    towers: Towers, pairs: Mapping[str, Iterable[Pair]], names: Mapping[str, Mapping[str, Sequence[str]]], out: Path
) -> Generator[Step, None, Path]:
    """Join and tune `towers` on `pairs`, by source; returns the folder of the model. names: synonyms and hypernyms."""
    out.mkdir(parents=True, exist_ok=True)
    config, model, tokenizer = towers.joined()
    mean, std = config["preprocess_cfg"]["mean"], config["preprocess_cfg"]["std"]
    cached: dict[str, Pixels] = {}
    for name, theirs in pairs.items():
        cached[name] = yield from iter_cache(theirs, out / "cache" / name, towers.pixels.get(name, towers.side))
    parts = {name: part for source, pixels in cached.items() for name, part in _by_kind(source, pixels)}
    if not any(part.pairs[0].name is None for part in parts.values()):
        raise BadInput(
            "Joining two towers takes pictures with captions, besides any with class names; add some with --data."
        )

    if towers.lock != "text" and towers.lexicon.steps:
        yield from _iter_lexicon(towers, model, tokenizer, list(parts.values()), names, out / "text.pt")
    if towers.lock != "image":
        yield Step(0, message="reading names and captions")
        sources = [_source_of(name, part, model, tokenizer, towers) for name, part in parts.items()]
        start = towers.joined()[1].visual.trunk
        tuned = yield from iter_distill(model.visual.trunk, sources, out / "distillation", towers.distillation, mean, std)
        model.visual.trunk = mixed(start, tuned, towers.share)
        # the head is learned anew: the one that the distillation taught has unlearned classes without pictures
        head = model.visual.trunk
        head.table, head.log_temperature, head.rest = start.table, start.log_temperature, start.rest

    seen = []
    for name, part in parts.items():
        features = yield from _iter_features(towers, model.visual.trunk, name, part, out / "features", mean, std)
        seen.append(Seen(features, part.pairs))
    joining = replace(towers.joining, text_rate=0.0) if towers.lock == "text" else towers.joining
    classes = towers.classes or IMAGENET_CLASSNAMES
    yield from iter_join(model, tokenizer, seen, classes, names, joining, towers.nouns)
    if towers.lock != "text" and towers.reading.steps:
        words = [word for table in (names, towers.nouns) for word in _words_of(table)]
        yield from iter_read(model, tokenizer, seen, classes, words, towers.reading)
    export(model, config, out / "model", tokenizer)
    return out / "model"


def _iter_features(
    towers: Towers,
    tower: NamedTower,
    name: str,
    part: Pixels,
    folder: Path,
    mean: Sequence[float],
    std: Sequence[float],
) -> Generator[Step, None, np.ndarray]:
    """What the trunk says of the pictures, float16 [views, n, num_features]; kept in `folder`, a file for each view."""
    trunk = folded(tower.trunk.eval(), torch.zeros(1, 3, towers.side, towers.side))
    folder.mkdir(exist_ok=True)
    found = []
    for view in range(1 + (towers.views if part.pairs[0].name is None else 0)):
        path = folder / (f"{name}-{view}.npy" if view else f"{name}.npy")
        if not path.exists():
            said = []
            for rows in np.array_split(np.arange(len(part)), max(1, len(part) // 64)):
                x = torch.cat(
                    [
                        resized(_seen_from(picture, view, int(i)), towers.side)
                        for i, picture in zip(rows, part.at(rows), strict=True)
                    ]
                )
                x = (x / 255 - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)
                with torch.inference_mode():
                    said.append(trunk(x.contiguous(memory_format=torch.channels_last)).half().numpy())
                yield Step(int(rows[-1]) + 1, len(part), f"features of {name}")
            with path.with_suffix(".part").open("wb") as file:
                np.save(file, np.concatenate(said))
            path.with_suffix(".part").replace(path)
        found.append(np.load(path))
    return np.stack(found)


def _seen_from(picture: np.ndarray, view: int, which: int) -> torch.Tensor:
    """A uint8 picture [side, side, 3] as floats [1, 3, h, w], 0-255: whole, or another view of it."""
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    if not view:
        return x
    rng, side = np.random.default_rng([view, which]), len(picture)
    area, ratio = rng.uniform(0.45, 1), np.exp(rng.uniform(-0.2, 0.2))
    height, width = (min(side, round(side * np.sqrt(area * r))) for r in (ratio, 1 / ratio))
    top, left = rng.integers(side - height + 1), rng.integers(side - width + 1)
    x = x[:, :, top : top + height, left : left + width]
    x = x.flip(3) if rng.random() < MIRRORED else x
    return grey(x).contiguous() if rng.random() < GREY else x


def _words_of(table: Mapping[str, Mapping[str, Sequence[str]]]) -> list[str]:
    """The names of a table, their synonyms and what they are kinds of."""
    return [*table, *(word for said in table.values() for words in said.values() for word in words)]


def _iter_lexicon(
    towers: Towers,
    model: CustomTextCLIP,
    tokenizer: Tokenizer,
    parts: Sequence[Pixels],
    names: Mapping[str, Mapping[str, Sequence[str]]],
    kept: Path,
) -> Generator[Step, None, None]:
    """Teach the text tower nouns, or take what an earlier run taught it from the file `kept`. What pictures are told by, and
    the classifier's classes, are held; as many captions as names."""
    if not kept.exists():
        words = dict.fromkeys(towers.classes or IMAGENET_CLASSNAMES)
        words |= dict.fromkeys(pair.name for part in parts for pair in part.pairs if pair.name)
        words |= dict.fromkeys(word for table in (names, towers.nouns) for word in _words_of(table))
        captions = list(dict.fromkeys(caption for part in parts for pair in part.pairs for caption in pair.captions))
        some = np.random.default_rng(towers.lexicon.seed).permutation(len(captions))[: len(words)]
        yield from iter_learn_nouns(model, tokenizer, nouns(), [*words, *(captions[i] for i in some)], towers.lexicon)
        torch.save(model.text.state_dict(), kept.with_suffix(".part"))
        kept.with_suffix(".part").replace(kept)
    model.text.load_state_dict(torch.load(kept, weights_only=True))


def _by_kind(source: str, pixels: Pixels) -> list[tuple[str, Pixels]]:
    """The captioned and the labelled pictures of a source, apart."""
    told = [i for i, pair in enumerate(pixels.pairs) if pair.name is None]
    named = [i for i, pair in enumerate(pixels.pairs) if pair.name is not None]
    if told and named:
        return [(f"{source}-told", pixels.take(told)), (f"{source}-named", pixels.take(named))]
    return [(source, pixels)] if told or named else []


def _source_of(name: str, pixels: Pixels, model: CustomTextCLIP, tokenizer: Tokenizer, towers: Towers) -> Source:
    classes = list(towers.classes or IMAGENET_CLASSNAMES)
    at = {label: i for i, label in enumerate(classes)} | dict(towers.class_of)
    if pixels.pairs[0].name is None:
        sentences = list(dict.fromkeys(caption for pair in pixels.pairs for caption in pair.captions))
        column = {sentence: i for i, sentence in enumerate(sentences)}
        most = max(len(pair.captions) for pair in pixels.pairs)
        own = np.array([[column[pair.captions[k % len(pair.captions)]] for k in range(most)] for pair in pixels.pairs])
        with torch.no_grad():
            words = torch.cat(
                [encode_captions(model, tokenizer(sentences[i : i + 256])) for i in range(0, len(sentences), 256)]
            )
        return Source(name, pixels, words, own, np.full(len(pixels), -1))
    labels = sorted({pair.name for pair in pixels.pairs if pair.name})
    column = {label: i for i, label in enumerate(labels)}
    with torch.no_grad():
        packs = [encode_captions(model, tokenizer([t.replace("{label}", label) for label in labels])) for t in TEMPLATES[:6]]
    own = np.array([[column[str(pair.name)]] for pair in pixels.pairs])
    known = np.array([at.get(str(pair.name), -1) for pair in pixels.pairs])
    return Source(name, pixels, F.normalize(torch.stack(packs).mean(0), dim=1), own, known)
