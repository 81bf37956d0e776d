"""Which models there are, and what is known of each before it is loaded."""

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import ModelNotHere
from . import locate as places
from .locate import CONFIG_FILE, STARTER, WEIGHT_FILES, has_starter, is_here, locate, split_name
from .speed import remembered_speed
from .terms import terms


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model before it is loaded; None where it is not.

    megabytes   of its weight file
    memory      megabytes of the loaded weights, four bytes each; working memory comes on top
    imagenet    zero-shot top-1 on ImageNet in %, as published at `source`
    gflops      billions of operations for one picture (a multiplication and an addition are two)
    speed       images a second on this machine, if that was measured
    restricted  its licence forbids commercial use
    pareto      of the models with known figures none is both more accurate and cheaper
    languages, licence   "" where they are not known; `page` then is the place to look, if the model has one
    """

    name: str
    about: str
    megabytes: int | None = None
    imagenet: float | None = None
    here: bool = False
    image_size: int | None = None
    gflops: float | None = None
    languages: str = ""
    licence: str = ""
    speed: float | None = None
    pareto: bool = False
    memory: int | None = None
    page: str = ""
    restricted: bool = False
    source: str = ""


# The choice, by what it is for: of each family of today the ones that are best for their cost. What is known of them stands
# in `_tables` and `terms`.
CHOICE = {
    "ViT-B-32-256/datacomp_s34b_b86k": "for a laptop without a GPU: a fast all-rounder, free for any use",
    "MobileCLIP2-S0/dfndr2b": "for a laptop: the least work of these",
    "MobileCLIP2-S2/dfndr2b": "for a laptop: far better than its cost; wants twice the time of S0",
    "PE-Core-S-16-384/meta": "for a laptop: sees fine detail, and free for any use",
    "ViT-B-32-SigLIP2-256/webli": "reads about a hundred languages, at a laptop's cost",
    "xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k": "reads about a hundred languages",
    "PE-Core-B-16/meta": "for a good desktop: clearly better, four times the work",
    "ViT-B-16-SigLIP2-256/webli": "for a good desktop: the best of its size, and reads about a hundred languages",
    "ViT-B-16/dfn2b": "for a good desktop",
    "ViT-L-16-SigLIP2-256/webli": "for a GPU: very good, and reads about a hundred languages",
    "PE-Core-L-14-336/meta": "for a GPU: the best of these",
    "ViT-L-14-quickgelu/metaclip_fullcc": "for a GPU: learned from open data, made by a published recipe",
    "ViT-B-16/openai": "the one of the CLIP paper, to compare with",
}
CURATED = tuple(CHOICE)
OPEN_CLIP = "https://github.com/mlfoundations/open_clip/blob/main/docs/openclip_results.csv"


def catalogue(everything: bool = False) -> list[ModelInfo]:
    """The starter and a choice of models of today; with `everything`, each architecture and tag that open_clip knows."""
    about = "ships with Sayso: works at once, on any computer"
    card = "see its model card"
    starter = ModelInfo(STARTER, about, starter_megabytes(), None, has_starter(), _starter_side(), 0.11, "English", card)
    infos = [starter, *(replace(_published(name), about=said) for name, said in CHOICE.items())]
    if everything:
        import open_clip

        known = {info.name for info in infos}
        names = (f"{architecture}/{tag}" for architecture, tag in open_clip.list_pretrained())
        infos += [_published(name) for name in names if name not in known]
    best = _pareto(infos)
    return [
        replace(
            info,
            here=info.here or (info.name != STARTER and is_here(info.name)),
            speed=remembered_speed(info.name),
            pareto=info.name in best,
            page=info.page or terms(info.name).page,
            memory=_memory(places.STARTER_FOLDER / WEIGHT_FILES[0]) if info.name == STARTER else info.megabytes,
        )
        for info in infos
    ]


@cache
def _tables() -> tuple[dict[str, tuple[float, str]], dict[str, tuple[float, float]]]:
    """Zero-shot accuracy on ImageNet in % and where it is published, by model; and millions of weights and billions of
    operations for a picture by architecture.

    published.csv and architectures.csv are columns of open_clip's docs/openclip_results.csv and docs/model_profile.csv. For
    models that are not there, published_by_authors.csv has what their authors say, and `python -m benchmarks towers
    --profile` counted weights and operations in the same way.
    """
    here = Path(__file__)
    accuracy: dict[str, tuple[float, str]] = {}
    for table in ("published_by_authors.csv", "published.csv"):  # measured alike by one team: that goes before
        with here.with_name(table).open(encoding="utf-8", newline="") as file:
            accuracy |= {row["name"]: (float(row["imagenet"]), row.get("source", OPEN_CLIP)) for row in csv.DictReader(file)}
    with here.with_name("architectures.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["architecture"]: (float(row["mparams"]), float(row["image_gflops"])) for row in csv.DictReader(file)}
    return accuracy, rows


def _published(name: str) -> ModelInfo:
    """What open_clip publishes of one of its models."""
    accuracy, architectures = _tables()
    architecture = split_name(name)[0]
    weights, gflops = architectures.get(architecture, (None, None))
    size, told = round(4 * weights) if weights else None, terms(name)
    imagenet, source = accuracy.get(name, (None, ""))
    return ModelInfo(
        name,
        "",
        size,
        imagenet,
        image_size=image_side(name),
        gflops=gflops,
        languages=told.languages,
        licence=told.licence,
        page=told.page,
        restricted=told.restricted,
        source=source,
    )


def describe(name: str) -> ModelInfo:
    """What is known of a model of any kind by its name, before it is loaded. Raises UnknownModel."""
    known = next((info for info in catalogue() if info.name == name), None)
    if known:
        return known
    try:
        source = locate(name)
    except ModelNotHere:
        return _published(name)
    folder = Path(source.model_name.removeprefix("local-dir:"))
    files = [Path(source.pretrained)] if source.pretrained else [folder / file for file in WEIGHT_FILES]
    file = next((file for file in files if file.is_file()), None)
    size, memory = (round(file.stat().st_size / 1e6), _memory(file)) if file else (None, None)
    here: dict[str, Any] = {"here": True, "image_size": image_side(source.model_name), "speed": remembered_speed(name)}
    return replace(_published(name), megabytes=size, memory=memory, **here)


def _pareto(infos: Sequence[ModelInfo]) -> set[str]:
    """The names of those that no other model beats in accuracy at the same cost or less."""
    known = [(info.name, info.imagenet, info.gflops) for info in infos if info.imagenet and info.gflops]
    return {
        name
        for name, accuracy, cost in known
        if not any(a >= accuracy and c <= cost and (a, c) != (accuracy, cost) for _, a, c in known)
    }


def image_side(name: str) -> int | None:
    """The side of the pictures that a model looks at, by its architecture; None if its config does not say."""
    import open_clip

    try:
        config = open_clip.get_model_config(name if ":" in name else split_name(name)[0])
        size = config["vision_cfg"].get("image_size", 224)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return max(size) if isinstance(size, (list, tuple)) else size if isinstance(size, int) else None


def _starter_side() -> int | None:
    try:
        return json.loads((places.STARTER_FOLDER / CONFIG_FILE).read_text())["model_cfg"]["vision_cfg"]["image_size"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def starter_megabytes() -> int | None:
    return round((places.STARTER_FOLDER / WEIGHT_FILES[0]).stat().st_size / 1e6) if has_starter() else None


def _memory(file: Path) -> int | None:
    """Megabytes of the weights in a safetensors file at four bytes each, from its header; None for another file."""
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(length)) if length < 10**8 else {}
        numbers = sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return round(4 * numbers / 1e6) or None
