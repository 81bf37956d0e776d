"""A recipe is a folder that makes a model: `recipe.json` (architecture, settings, which data) and `names.json`.

    python -m training.recipe RECIPE --data DIR --out DIR

decodes the data once into OUT/cache, keeps the held-out pictures apart, trains, and leaves the model in OUT/model. Started
again, it goes on where it stopped.
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
from .contrastive import Settings, iter_pretrain
from .pairs import Pair, read_pairs
from .pixels import Pixels, iter_cache


@dataclass(frozen=True)
class Recipe:
    """What `recipe.json` says. sources: file pattern in the data folder -> share held out, chosen by `is_held_out`."""

    config: Mapping[str, Any]  # open_clip's: model_cfg and preprocess_cfg
    settings: Settings
    names: Mapping[str, Any]
    sources: Mapping[str, float]
    pixels: int

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
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{folder} is not a recipe: {error}") from error


def is_held_out(key: str, share: float) -> bool:
    """Whether the pair `key` belongs to the held-out share: by its hash, so that everyone holds out the same pictures."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) < share * 2**32


def iter_run(recipe: Recipe, data: str | Path, out: str | Path) -> Generator[Step, None, Path]:
    """Train `recipe` on the sources found in the folder `data`; returns the folder of the model."""
    data, out = Path(data), Path(out)
    skipped: Counter[str] = Counter()
    cached = yield from iter_cache(_pairs(recipe, data, skipped), out / "cache", recipe.pixels, skipped)
    yield Step(0, message=f"{len(cached)} pictures, skipped: {dict(skipped) or 'none'}")
    train, held_out = split(cached, recipe.sources)
    return (yield from iter_pretrain(recipe.config, train, recipe.names, out, settings=recipe.settings, held_out=held_out))


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
    parser.add_argument("--threads", type=int, default=0, help="processor cores to use; all if not given")
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    try:
        model = drain(iter_run(Recipe.load(options.recipe), options.data, options.out), _show)
    except BadInput as error:
        sys.exit(f"{error}")
    print(model)


def _show(step: Step) -> None:
    numbers = "  ".join(f"{name} {value:.4g}" for name, value in step.metrics.items())
    print(f"{step.done}  {step.message}{numbers}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
