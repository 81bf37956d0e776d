"""Which models there are, and how one becomes an `Encoder`. Loading never touches the network; `fetch` does, when asked.

A model is named in one of five ways:

    starter                      the small model that ships with Sayso
    ViT-B-32/laion2b_s34b_b79k   an open_clip architecture and the tag of its weights
    ViT-B-32/path/to/file.pt     an open_clip architecture and a checkpoint file
    local-dir:path/to/folder     a folder with open_clip_config.json and weights
    hf-hub:org/repo              an open_clip model on the Hugging Face hub
"""

import json
import pickle
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .encoder import Encoder
from .errors import BadInput, ModelError, ModelNotHere, UnknownModel
from .progress import Step

STARTER = "starter"
STARTER_FOLDER = Path(__file__).with_name("starter")
CONFIG_FILE = "open_clip_config.json"
WEIGHT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model before it is loaded. `megabytes` and `imagenet` (zero-shot top-1, %) may be unknown."""

    name: str
    about: str
    megabytes: int | None = None
    imagenet: float | None = None
    here: bool = False


# Sizes are parameters times four bytes; accuracies are open_clip's published table (docs/openclip_results.csv).
CURATED = (
    ModelInfo("ViT-B-32/laion2b_s34b_b79k", "a fast all-rounder", 605, 66.6),
    ModelInfo("ViT-B-32-256/datacomp_s34b_b86k", "nearly as fast and clearly better", 605, 72.8),
    ModelInfo("ViT-B-16/datacomp_xl_s13b_b90k", "sees finer detail, four times the work", 599, 73.5),
    ModelInfo("ViT-L-14/datacomp_xl_s13b_b90k", "the most accurate of these; wants a GPU", 1710, 79.2),
    ModelInfo("xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k", "reads about a hundred languages", 1465, 62.4),
    ModelInfo("ViT-B-16/openai", "the one of the CLIP paper", 599, 68.3),
)


@dataclass(frozen=True)
class _Source:
    """Where a model's parts lie on this computer, ready for open_clip."""

    model_name: str  # what open_clip calls it: an architecture, or local-dir:...
    pretrained: str | None  # a weight file, for an architecture
    tag: dict[str, Any]  # open_clip's entry for the tag: preprocessing and activation


def catalogue(everything: bool = False) -> list[ModelInfo]:
    """The starter and six tried models; with `everything`, each architecture and tag that open_clip knows."""
    infos = [ModelInfo(STARTER, "ships with Sayso: works at once, on any computer", _starter_size(), here=_has_starter())]
    infos += [ModelInfo(i.name, i.about, i.megabytes, i.imagenet, is_here(i.name)) for i in CURATED]
    if everything:
        import open_clip

        known = {info.name for info in infos}
        names = (f"{architecture}/{tag}" for architecture, tag in open_clip.list_pretrained())
        infos += [ModelInfo(name, "", here=is_here(name)) for name in names if name not in known]
    return infos


def is_here(name: str) -> bool:
    """Whether the model can be loaded without the network."""
    try:
        _locate(name)
    except (ModelError, BadInput):
        return False
    return True


def load(name: str = STARTER, device: str = "auto", precision: str = "auto") -> Encoder:
    """The model as an `Encoder`. `precision` is auto, fp32 or bf16 (image tower only); auto measures once per machine.

    Raises UnknownModel, ModelNotHere (with the command that fetches it) or ModelError (damaged or unfitting weights).
    """
    import open_clip
    import torch

    from . import towers
    from .device import PRECISIONS, choose_precision, pick_device
    from .space import Space, fingerprint

    if precision not in PRECISIONS:
        raise BadInput(f"There is no precision {precision!r}; use one of {', '.join(PRECISIONS)}.")
    source = _locate(name)
    towers.register()
    config = _architecture(source)
    try:
        model = open_clip.create_model(
            source.model_name,
            pretrained=source.pretrained,
            force_quick_gelu=bool(source.tag.get("quick_gelu", config.get("quick_gelu", False))),
            force_preprocess_cfg={k: source.tag[k] for k in ("mean", "std", "interpolation", "resize_mode") if k in source.tag},
            require_pretrained=True,  # random weights must never be used without anyone noticing
            weights_only=True,
        )
        tokenizer = open_clip.get_tokenizer(source.model_name)
    except (RuntimeError, ValueError, KeyError, TypeError, OSError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"The model {name} cannot be loaded: its weights are damaged or belong to another architecture "
            f"({' '.join(str(error).split())[:160]}); fetch it again or choose another."
        ) from error
    preprocess_config = dict(open_clip.get_model_preprocess_cfg(model))
    preprocess = open_clip.transform.image_transform_v2(open_clip.transform.PreprocessCfg(**preprocess_config), is_train=False)
    key = fingerprint(config, preprocess_config, model.state_dict())
    space = Space(key, _display_name(name), int(config["embed_dim"]))
    chosen = pick_device(device)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}.get(precision)
    if dtype is None:
        size = preprocess_config["size"]
        height, width = (size, size) if isinstance(size, int) else size
        model = model.to(chosen).eval()
        dtype = choose_precision(model.visual, (height, width), chosen, key)
    return Encoder(model, preprocess, tokenizer, space, chosen, dtype)


def iter_fetch(name: str) -> Iterator[Step]:
    """Download a model into the hub's own cache, reporting what is being fetched; does nothing if it is here."""
    if is_here(name):
        yield Step(1, 1, f"{name} is already here")
        return
    import open_clip

    architecture, tag = _split(name)
    yield Step(0, 1, f"fetching {name}")
    try:
        if name.startswith("hf-hub:"):
            from huggingface_hub import snapshot_download

            snapshot_download(name.removeprefix("hf-hub:"), allow_patterns=["*.json", "*.txt", "*.model", *WEIGHT_FILES])
        else:
            open_clip.download_pretrained(open_clip.get_pretrained_cfg(architecture, tag))
            open_clip.get_tokenizer(architecture)
    except Exception as error:  # the hub's client raises its own, requests' and the operating system's errors
        raise ModelError(
            f"{name} could not be fetched ({' '.join(str(error).split())[:160]}); check network, name and free space."
        ) from error
    yield Step(1, 1, f"{name} is here")


def _locate(name: str) -> _Source:
    """The parts of a model on this computer. Raises UnknownModel or ModelNotHere."""
    if name == STARTER:
        if not _has_starter():
            raise ModelNotHere(f"The starter's weights are missing from {STARTER_FOLDER}; get a complete copy of Sayso.")
        return _Source(f"local-dir:{STARTER_FOLDER}", None, {})
    if name.startswith("local-dir:"):
        return _local_dir(Path(name.removeprefix("local-dir:")).expanduser())
    if name.startswith("hf-hub:"):
        repo = name.removeprefix("hf-hub:")
        config = _cached(repo, CONFIG_FILE)
        if not config or not any(_cached(repo, weights) for weights in WEIGHT_FILES):
            raise _not_here(name)
        return _local_dir(config.parent)
    import open_clip

    architecture, tag = _split(name)
    if architecture not in open_clip.list_models():
        raise UnknownModel(f"There is no model named {name!r}; `python app.py models --all` lists them.")
    if Path(tag).expanduser().is_file():
        return _Source(architecture, str(Path(tag).expanduser()), {})
    config_of_tag = open_clip.get_pretrained_cfg(architecture, tag)
    if not config_of_tag:
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)) or "none"
        raise UnknownModel(f"{architecture} has no weights called {tag!r} and there is no such file; its tags are: {tags}.")
    weights = _cached_weights(config_of_tag)
    if not weights:
        raise _not_here(name)
    return _Source(architecture, str(weights), config_of_tag)


def _local_dir(folder: Path) -> _Source:
    if not (folder / CONFIG_FILE).is_file():
        raise UnknownModel(f"{folder} holds no {CONFIG_FILE}; name a folder that open_clip or `pretrain` wrote.")
    return _Source(f"local-dir:{folder}", None, {})


def _architecture(source: _Source) -> dict[str, Any]:
    """The model's own config, as open_clip wants it."""
    import open_clip

    if source.model_name.startswith("local-dir:"):
        path = Path(source.model_name.removeprefix("local-dir:")) / CONFIG_FILE
        try:
            config = json.loads(path.read_text(encoding="utf-8"))["model_cfg"]
            int(config["embed_dim"])
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{path} is not a model description of open_clip ({error!r}); write it again.") from error
        return dict(config)
    return deepcopy(dict(open_clip.get_model_config(source.model_name)))


def _split(name: str) -> tuple[str, str]:
    architecture, _, tag = name.partition("/")
    return architecture, tag


def _display_name(name: str) -> str:
    """A folder's model is called by the folder's own name: where it lies is nobody's business in a saved file."""
    if name.startswith("local-dir:"):
        return f"local-dir:{Path(name.removeprefix('local-dir:')).expanduser().resolve().name}"
    return name


def _not_here(name: str) -> ModelNotHere:
    return ModelNotHere(
        f"The weights of {name} are not on this computer; fetch them with: python app.py models --get {name}"
    )


def _cached(repo: str, filename: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        path = try_to_load_from_cache(repo, filename)
    except HFValidationError:
        raise UnknownModel(f"{repo!r} is not a name on the hub; it should look like org/repo.") from None
    return Path(path) if isinstance(path, str) else None


def _cached_weights(tag: dict[str, Any]) -> Path | None:
    """The weight file of an open_clip tag, from the hub's cache or from open_clip's own."""
    repo, _, filename = str(tag.get("hf_hub", "")).rpartition("/")
    if repo:
        for candidate in [filename] if filename else WEIGHT_FILES:
            if path := _cached(repo, candidate):
                return path
    if url := tag.get("url"):
        path = Path("~/.cache/clip").expanduser() / str(url).rpartition("/")[2]
        if path.is_file():
            return path
    return None


def _has_starter() -> bool:
    return (STARTER_FOLDER / WEIGHT_FILES[0]).is_file()


def _starter_size() -> int | None:
    return round((STARTER_FOLDER / WEIGHT_FILES[0]).stat().st_size / 1e6) if _has_starter() else None
