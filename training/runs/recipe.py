"""A recipe is a folder that makes a model: `recipe.json`, and `names.json` if it knows more of the class names.

    {"config":   {"model_cfg": {...}, "preprocess_cfg": {...}},  as open_clip has it; left out, --model must say which
     "settings": {"batch_size": 256, "minutes": 30, ...},        see training.towers.settings; what is left out is as there
     "sources":  {"tiny-imagenet-train-*.tar*": 0.01, ...},      file patterns in the data folders, each with the share that
                                                                 is held out; left out, all that the data folders hold
     "held_out": 0.05,                                           that share where there are no sources
     "pixels":   64,                                             side of the decoded pictures; the model's unless given
     "names":    "../other/names.json",                          where its class names are, if not in its own names.json
     "dictionary": {"held_out": [...], ...},                     see training.towers.dictionary; left out, no word is defined
     "towers":   {"image": "NAME:FILE", "text": "FOLDER", ...}}  two pretrained towers to be joined, instead of a config;
                                                                 see training.runs.joined

`iter_run` decodes the data once into OUT/cache (or streams it), keeps the held-out pictures apart, trains, defines unseen
words by WordNet if the recipe says so, and leaves the model in OUT/model. Called again, it goes on where it stopped. On the
command line: python app.py pretrain.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clipcore.errors import BadInput
from clipcore.plain import read_json
from clipcore.progress import Step

from ..data.captions import load_names
from ..data.pairs import find_sources, read_pairs
from ..data.pixels import Pixels, iter_cache
from ..data.samples import Pair, learns
from ..data.streamed import Stream
from ..distributed import World
from ..towers.checkpoint import load_checkpoint
from ..towers.clip import build, encode_pictures, export, side_of
from ..towers.contrastive import iter_pretrain
from ..towers.dictionary import iter_define, read_nouns, without
from ..towers.initial_weights import Start
from ..towers.settings import Settings
from .joined import Towers, iter_joined

RECIPES = Path(__file__).parents[1] / "recipes"
WORDNET = Path("/usr/share/wordnet")  # where Debian's package wordnet-base puts it
HELD_OUT_MOST = 1000  # pictures of a stream that are kept in memory to be scored
SAMPLE = 4096  # pictures from which the mean one is known


@dataclass(frozen=True)
class Recipe:
    """What `recipe.json` says. sources: file pattern in a data folder -> share held out, chosen by `is_held_out`."""

    config: Mapping[str, Any]  # open_clip's: model_cfg and preprocess_cfg
    settings: Settings
    names: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, float] = field(default_factory=dict)
    held_out: float = 0.0
    pixels: int = 0
    dictionary: Mapping[str, Any] | None = None  # `held_out` names and the arguments of `towers.dictionary.iter_define`
    start: Start | None = None
    towers: Towers | None = None

    @classmethod
    def load(cls, recipe: str | Path, start: Start | None = None, **towers: str) -> "Recipe":
        """Read a recipe by its folder, or its name among `training/recipes`; with `start`, that model is trained further.

        towers: what the command line says of two towers to be joined (image, text, lock). Raises BadInput if it is no
        recipe, or if neither it nor `start` nor `towers` says which model.
        """
        folder = Path(recipe).expanduser()
        if not folder.is_dir() and (RECIPES / str(recipe)).is_dir():
            folder = RECIPES / str(recipe)
        if not (folder / "recipe.json").is_file():
            known = ", ".join(sorted(path.parent.name for path in RECIPES.glob("*/recipe.json"))) or "none"
            raise BadInput(f"There is no recipe {recipe}; give a folder with a recipe.json, or one of: {known}.")
        try:
            said = read_json(folder / "recipe.json")
            names = folder / said.get("names", "names.json")
            config = start.config if start else said.get("config")
            joined = said.get("towers") if not start else None
            if joined is None and any(towers.values()):
                raise BadInput(f"The recipe {folder.name} joins no towers; leave --recipe out, or name one that does.")
            settings = Settings(**said.get("settings", {})) if joined is not None else Settings(**said["settings"])
            if config is None and joined is None:
                raise BadInput(
                    f"The recipe {folder.name} trains a model further; say which one with --model.",
                    page=f"The recipe {folder.name} trains a model further. Say which one.",
                )
            if start and "config" in said:  # what it says of sizes and words is meant for a model of its own
                said |= {"pixels": side_of(config), "dictionary": None}
                settings = replace(settings, sizes=())
            return cls(
                config=config or {},
                settings=settings,
                names=load_names(names) if names.exists() else {},
                sources=said.get("sources", {}),
                held_out=float(said.get("held_out", 0)),
                pixels=int(said.get("pixels", 0)),
                dictionary=said.get("dictionary"),
                start=start,
                towers=None if joined is None else Towers.of(joined, folder, **towers),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{folder} is not a recipe: {error}.") from error

    def trains_on(self, pair: Pair) -> bool:
        """Whether a pair is learned from, and not held out to be scored."""
        shares = {_source(pattern): share for pattern, share in self.sources.items()}
        return learns(pair, is_held_out(pair.key, shares.get(_source(pair.key), 0.0) if shares else self.held_out))

    def lasting(self, minutes: float | None) -> "Recipe":
        """The same recipe on a schedule of so many minutes; unchanged for None."""
        if not minutes:
            return self
        towers = self.towers.lasting(minutes) if self.towers else None
        return replace(self, settings=replace(self.settings, minutes=minutes), towers=towers)


def is_held_out(key: str, share: float) -> bool:
    """Whether the pair `key` belongs to the held-out share: by its hash, so that everyone holds out the same pictures."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) < share * 2**32


def iter_run(
    recipe: Recipe,
    data: str | Path | Sequence[str | Path],
    out: str | Path,
    wordnet: str | Path = WORDNET,
    stream: bool = False,
    device: str = "auto",
) -> Generator[Step, None, Path]:
    """Train `recipe` on `data`: one or several folders or files. Returns the folder of the model.

    With `stream`, pictures are read and decoded while the model learns, and nothing is written to OUT/cache. `wordnet` is
    needed only by a recipe with a dictionary, and only after training, but is looked for at once. Raises BadInput for data
    that cannot be read.
    """
    if recipe.dictionary and not (Path(wordnet) / "data.noun").exists():
        raise BadInput(
            f"{wordnet} holds no WordNet; install the package wordnet-base or name its folder with --wordnet.",
            page="This recipe needs WordNet, which is not on this computer. Choose another recipe.",
        )
    if recipe.dictionary and stream:
        raise BadInput("This recipe has a dictionary, which needs to know all captions; leave --stream out.")
    data, out = [data] if isinstance(data, (str, Path)) else list(data), Path(out)
    if recipe.towers:
        return (yield from _iter_joined(recipe, recipe.towers, data, out, stream))
    world = World.join(device)
    skipped: Counter[str] = Counter()
    sources = sources_of(recipe, data)
    side = recipe.pixels or side_of(recipe.config)
    train: Pixels | Stream
    if stream:
        train = Stream(sources, side, recipe.trains_on, recipe.settings.shuffle, skipped=skipped)
        sample = train.sample(HELD_OUT_MOST) if world.is_first else None
        held_out = split(sample, recipe)[1] if sample else {}
        yield Step(0, message=f"streaming, {sum(map(len, held_out.values()))} pictures held out")
    else:
        if world.is_first:
            cached = yield from iter_cache(_pairs(sources, skipped), out / "cache", side, skipped)
        world.wait()
        if not world.is_first:
            cached = yield from iter_cache((), out / "cache", side)
        yield Step(0, message=f"{len(cached)} pictures, skipped: {dict(skipped) or 'none'}")
        train, held_out = split(cached, recipe)
        if not len(train):
            raise BadInput("All pictures of this data are held out; give more of them, or a recipe that holds out fewer.")
    weights, tokenizer = (recipe.start.weights, recipe.start.tokenizer) if recipe.start else (None, None)
    folder = yield from iter_pretrain(
        recipe.config, train, recipe.names, out, recipe.settings, held_out, weights, tokenizer, device
    )
    if recipe.dictionary and isinstance(train, Pixels) and world.is_first:
        yield from _define(recipe, train, out, wordnet)
    return folder


def _iter_joined(
    recipe: Recipe, towers: Towers, data: Sequence[str | Path], out: Path, stream: bool
) -> Generator[Step, None, Path]:
    if stream:
        raise BadInput("Joining two towers looks at each picture several times; leave --stream out.")
    found: dict[str, list[Path]] = {}
    for path in sources_of(recipe, data):
        found.setdefault(_source(path.name), []).append(path)
    pairs = {name: (p for p in _pairs(paths, Counter()) if recipe.trains_on(p)) for name, paths in found.items()}
    return (yield from iter_joined(towers, pairs, recipe.names, out))


def split(cached: Pixels, recipe: Recipe) -> tuple[Pixels, dict[str, Pixels]]:
    """The pictures to train on, and the held-out ones of each source (named by its pattern's or its key's first part).

    A source with names is scored by them, one with captions only by those.
    """
    held: dict[str, list[int]] = {}
    train: list[int] = []
    for i, pair in enumerate(cached.pairs):
        (train if recipe.trains_on(pair) else held.setdefault(_source(pair.key), [])).append(i)
    return cached.take(train), {source: cached.take(items) for source, items in held.items()}


def _define(recipe: Recipe, train: Pixels, out: Path, wordnet: str | Path) -> Generator[Step, None, None]:
    model = build(recipe.config)
    state = load_checkpoint(out)
    assert state is not None
    model.load_state_dict(state["ema"])
    options = dict(recipe.dictionary or {})
    nouns = without(read_nouns(wordnet), options.pop("held_out", ()))
    subjects = [word for name, entry in recipe.names.items() for word in (name, *entry["synonyms"], *entry["hypernyms"])]
    captions = [caption for pair in train.pairs for caption in pair.captions]
    some = np.sort(np.random.default_rng(0).permutation(len(train))[:SAMPLE])
    with torch.no_grad():
        parts = np.array_split(some, -(-len(some) // 256))
        pictures = torch.cat([encode_pictures(model.eval(), train.at(part), side_of(recipe.config)) for part in parts])
    yield from iter_define(
        model, nouns, subjects, captions, centre=pictures.mean(0), bf16=bool(recipe.settings.bf16), **options
    )
    export(model, recipe.config, out / "model")


def sources_of(recipe: Recipe, data: Sequence[str | Path]) -> list[Path]:
    """The folders and files to read: those that fit the recipe's patterns, or without patterns `data` itself."""
    folders = [Path(path).expanduser() for path in data]
    if not recipe.sources:
        return [source for folder in folders for source in find_sources(folder)]
    found: list[Path] = []
    for pattern in recipe.sources:
        paths = [path for folder in folders for path in sorted(folder.glob(pattern))]
        if not paths:
            raise BadInput(f"{folders[0]} holds nothing that fits {pattern}, which the recipe needs.")
        found += paths
    return found


def _pairs(sources: Sequence[Path], skipped: Counter[str]) -> Iterator[Pair]:
    for path in sources:
        yield from read_pairs(path, skipped)


def _source(key: str) -> str:
    # "cifar10-half-00000/00000000017" and "cifar10-half-*.tar" are both of "cifar10-half"
    return re.sub(r"[-_]?[\d*]*(\.tar.*)?$", "", key.split("/")[0])
