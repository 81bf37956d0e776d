"""A recipe is a folder that makes a model: `recipe.json` (architecture, settings, which data) and `names.json`.

    python -m training.recipe RECIPE --data DIR --out DIR

decodes the data once into OUT/cache, keeps the held-out pictures apart, trains, defines unseen words by WordNet if
the recipe says so, and leaves the model in OUT/model. Started again, it goes on where it stopped.
"""

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from clipcore.errors import BadInput
from clipcore.progress import Step, drain

from .captions import load_names
from .clip import build, export
from .contrastive import Settings, iter_pretrain
from .dictionary import iter_define, read_nouns, without
from .pairs import Pair, read_pairs
from .pixels import Pixels, iter_cache

WORDNET = Path("/usr/share/wordnet")  # where Debian's package wordnet-base puts it


@dataclass(frozen=True)
class Recipe:
    """What `recipe.json` says. sources: file pattern in the data folder -> share held out, chosen by `is_held_out`."""

    config: Mapping[str, Any]  # open_clip's: model_cfg and preprocess_cfg
    settings: Settings
    names: Mapping[str, Any]
    sources: Mapping[str, float]
    pixels: int
    dictionary: Mapping[str, Any] | None  # `held_out` names and the arguments of `training.dictionary.iter_define`

    @classmethod
    def load(cls, folder: str | Path) -> "Recipe":
        """Read a recipe folder. Raises BadInput if it is none."""
        folder = Path(folder)
        try:
            recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
            return cls(
                config=recipe["config"],
                settings=Settings(**recipe["settings"]),
                names=load_names(folder / "names.json"),
                sources=recipe["sources"],
                pixels=recipe["pixels"],
                dictionary=recipe.get("dictionary"),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{folder} is not a recipe: {error}") from error


def is_held_out(key: str, share: float) -> bool:
    """Whether the pair `key` belongs to the held-out share: by its hash, so that everyone holds out the same pictures."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) < share * 2**32


def iter_run(
    recipe: Recipe, data: str | Path, out: str | Path, wordnet: str | Path = WORDNET
) -> Generator[Step, None, Path]:
    """Train `recipe` on the sources found in the folder `data`; returns the folder of the model.

    `wordnet` is needed only by a recipe with a dictionary, and only after training, but is looked for at once.
    """
    data, out = Path(data), Path(out)
    if recipe.dictionary and not (Path(wordnet) / "data.noun").exists():
        raise BadInput(f"{wordnet} holds no WordNet; install the package wordnet-base or name its folder.")
    skipped: Counter[str] = Counter()
    cached = yield from iter_cache(_pairs(recipe, data, skipped), out / "cache", recipe.pixels, skipped)
    yield Step(0, message=f"{len(cached)} pictures, skipped: {dict(skipped) or 'none'}")
    train, held_out = split(cached, recipe.sources)
    folder = yield from iter_pretrain(recipe.config, train, recipe.names, out, settings=recipe.settings, held_out=held_out)
    if recipe.dictionary:
        yield from _define(recipe, train, out, wordnet)
    return folder


def split(cached: Pixels, sources: Mapping[str, float]) -> tuple[Pixels, dict[str, Pixels]]:
    """The pictures to train on, and the held-out labelled ones of each source (named by its pattern's first part)."""
    shares = {_source(pattern): share for pattern, share in sources.items()}
    held: dict[str, list[int]] = {}
    train: list[int] = []
    for i, pair in enumerate(cached.pairs):
        source = _source(pair.key)
        kept_apart = is_held_out(pair.key, shares.get(source, 0))
        (held.setdefault(source, []) if kept_apart else train).append(i)
    return cached.take(train), {source: cached.take(items) for source, items in held.items() if cached.pairs[items[0]].name}


def _define(recipe: Recipe, train: Pixels, out: Path, wordnet: str | Path) -> Generator[Step, None, None]:
    model = build(recipe.config)
    model.load_state_dict(torch.load(out / "checkpoint.pt", weights_only=True)["ema"])
    options = dict(recipe.dictionary or {})
    nouns = without(read_nouns(wordnet), options.pop("held_out", ()))
    subjects = [word for name, entry in recipe.names.items() for word in (name, *entry["synonyms"], *entry["hypernyms"])]
    captions = [caption for pair in train.pairs for caption in pair.captions]
    yield from iter_define(model.eval(), nouns, subjects, captions, **options)
    export(model, recipe.config, out / "model")


def _pairs(recipe: Recipe, data: Path, skipped: Counter[str]) -> Iterator[Pair]:
    for pattern in recipe.sources:
        paths = sorted(data.glob(pattern))
        if not paths:
            raise BadInput(f"{data} holds nothing that fits {pattern}, which the recipe needs.")
        for path in paths:
            yield from read_pairs(path, skipped)


def _source(key: str) -> str:
    # "cifar10-half-00000/00000000017" and "cifar10-half-*.tar" are both of "cifar10-half"
    return re.sub(r"[-_]?[\d*]*(\.tar.*)?$", "", key.split("/")[0])


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.recipe", description="Train a model by its recipe.")
    parser.add_argument("recipe", type=Path, help="folder with recipe.json and names.json")
    parser.add_argument("--data", type=Path, required=True, help="folder with the sources that the recipe names")
    parser.add_argument("--out", type=Path, required=True, help="folder for cache, log, checkpoint and model")
    parser.add_argument("--wordnet", type=Path, default=WORDNET, help=f"WordNet's folder (default {WORDNET})")
    parser.add_argument("--threads", type=int, default=0, help="processor cores to use; all if not given")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        model = drain(iter_run(Recipe.load(options.recipe), options.data, options.out, options.wordnet), _show)
    except BadInput as error:
        sys.exit(f"{error}")
    print(model)


def _show(step: Step) -> None:
    numbers = "  ".join(f"{name} {value:.4g}" for name, value in step.metrics.items())
    print(f"{step.done}  {step.message}  {numbers}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
