"""Which models there are, and how one becomes an `Encoder`. Loading never touches the network; `fetch` does, when asked.

A model is named in one of five ways:

    starter                      the small model that ships with Sayso
    ViT-B-32/laion2b_s34b_b79k   an open_clip architecture and the tag of its weights
    ViT-B-32/path/to/file.pt     an open_clip architecture and a checkpoint file
    local-dir:path/to/folder     a folder with open_clip_config.json and weights
    hf-hub:org/repo              an open_clip model on the Hugging Face hub
"""

import os
import pickle
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from importlib.util import find_spec
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
    ModelInfo(
        "xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k",
        "reads about a hundred languages; wants the package transformers",
        1465,
        62.4,
    ),
    ModelInfo("ViT-B-16/openai", "the one of the CLIP paper", 599, 68.3),
)


@dataclass(frozen=True)
class _Source:
    """Where a model's parts lie on this computer, ready for open_clip."""

    display_name: str  # without the folders of this computer: where a file lies is nobody's business in a saved file
    model_name: str  # what open_clip calls it: an architecture, or local-dir:...
    pretrained: str | None = None  # a weight file, for an architecture
    tag: dict[str, Any] = field(default_factory=dict)  # open_clip's entry for the tag: preprocessing and activation


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

    from .device import PRECISIONS, choose_precision, pick_device
    from .space import Space, fingerprint

    if precision not in PRECISIONS:
        raise BadInput(f"There is no precision {precision!r}; use one of {', '.join(PRECISIONS)}.")
    chosen = pick_device(device)
    source = _locate(name)
    config = _architecture(source)
    model, preprocess, tokenizer = _create(name, source, config)
    preprocess_config = dict(open_clip.model.get_model_preprocess_cfg(model))
    key = fingerprint(config, preprocess_config, model.state_dict())
    space = Space(key, source.display_name, int(config["embed_dim"]))
    model = model.to(chosen).eval()
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}.get(precision)
    if dtype is None:
        size = preprocess_config["size"]
        height, width = (size, size) if isinstance(size, int) else size
        dtype = choose_precision(model.visual, (height, width), chosen, key)
    return Encoder(model, preprocess, tokenizer, space, chosen, dtype)


def load_to_train(name: str) -> tuple[Any, Any, dict[str, Any]]:
    """For those who train it further: open_clip's model itself (float32, on the CPU), its tokenizer, and its config as
    {"model_cfg", "preprocess_cfg"}. Raises as `load` does."""
    import open_clip

    source = _locate(name)
    config = _architecture(source)
    model, _, tokenizer = _create(name, source, config)
    preprocess = dict(open_clip.model.get_model_preprocess_cfg(model))
    preprocess.pop("size", None)  # the architecture says it
    return model, tokenizer, {"model_cfg": config, "preprocess_cfg": preprocess}


def _create(name: str, source: _Source, config: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The model with its weights, its preprocessing and its tokenizer."""
    import open_clip

    from . import towers

    towers.register()
    try:
        # "from_pretrained" raises where there are no weights: random ones must never be used without anyone noticing
        model, preprocess = open_clip.create_model_from_pretrained(
            source.model_name,
            source.pretrained,
            force_quick_gelu=config["quick_gelu"],
            image_mean=source.tag.get("mean"),
            image_std=source.tag.get("std"),
            image_interpolation=source.tag.get("interpolation"),
            image_resize_mode=source.tag.get("resize_mode"),
            weights_only=True,
        )
        tokenizer = open_clip.get_tokenizer(source.model_name)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"The weights of {name} are damaged, or hold program code, which is never run; get them as safetensors."
        ) from error
    except Exception as error:  # open_clip, safetensors and timm raise nearly anything on a file that does not fit
        raise ModelError(
            f"The model {name} cannot be loaded: its weights are damaged or belong to another architecture "
            f"({_shortened(error)}); fetch it again or choose another."
        ) from error
    return model, preprocess, tokenizer


def iter_fetch(name: str) -> Generator[Step, None, None]:
    """Download a model into the hub's own cache; steps count megabytes. Does nothing if the model is here.

    Raises UnknownModel, or ModelError where the network, the hub or the disk refuses.
    """
    try:
        _locate(name)
    except ModelNotHere:
        if name == STARTER or name.startswith("local-dir:"):
            raise  # these lie nowhere else
    else:
        yield Step(1, 1, f"{name} is already here")
        return
    import open_clip

    yield Step(0, 0, f"asking for {name}")
    try:
        if name.startswith("hf-hub:"):
            yield from _fetch_files(name, name.removeprefix("hf-hub:"), (CONFIG_FILE,))
        else:
            architecture, tag = _split(name)
            repo, _, filename = open_clip.get_pretrained_cfg(architecture, tag)["hf_hub"].rpartition("/")
            yield from _fetch_files(name, repo, (), _twins(filename))
            open_clip.get_tokenizer(architecture)
        _locate(name)
    except Exception as error:  # the hub's client raises its own, its transport's and the operating system's errors
        raise ModelError(
            f"The model {name} could not be fetched ({_shortened(error)}); check network, name and free space."
        ) from error
    yield Step(1, 1, f"{name} is here")


def _fetch_files(
    name: str, repo: str, needed: tuple[str, ...], weight_files: tuple[str, ...] = WEIGHT_FILES
) -> Generator[Step, None, None]:
    """Download one weight file of a repository, and where a description is `needed`, it and the tokenizer's small files."""
    from huggingface_hub import HfApi, hf_hub_download
    from tqdm import tqdm

    sizes = {file.rfilename: file.size or 0 for file in HfApi().model_info(repo, files_metadata=True).siblings or ()}
    weights = next((file for file in weight_files if file in sizes), None)  # many hold the same weights twice
    if weights is None or not set(needed) <= set(sizes):
        raise UnknownModel(f"{repo} is not an open_clip model: it has no {CONFIG_FILE} or no weights.")
    small = [file for file in sizes if needed and "/" not in file and file.endswith((".json", ".txt", ".model"))]
    total = sum(sizes[file] for file in [*small, weights])
    received, cancelled = 0, False

    class Meter(tqdm):
        """Counts bytes for the steps, draws nothing, and ends the download when nobody waits for it any more."""

        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*args, **options | {"disable": True})

        def update(self, n: float | None = 1) -> None:
            nonlocal received
            received += int(n or 0)
            if cancelled:
                raise InterruptedError

    def download() -> None:
        for file in [*small, weights]:
            hf_hub_download(repo, file, tqdm_class=Meter)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(download)
        try:
            while wait([done], timeout=0.5).not_done:
                yield Step(received // 10**6, total // 10**6, f"fetching {name}")
            done.result()
        finally:
            cancelled = True


def _locate(name: str) -> _Source:
    """The parts of a model on this computer. Raises UnknownModel or ModelNotHere."""
    if name == STARTER:
        if not _has_starter():
            raise ModelNotHere(f"The starter's weights are missing from {STARTER_FOLDER}; get a complete copy of Sayso.")
        return _Source(STARTER, f"local-dir:{STARTER_FOLDER}")
    if name.startswith("local-dir:"):
        folder = Path(os.path.expanduser(name.removeprefix("local-dir:"))).absolute()
        return _local_dir(folder, f"local-dir:{folder.name}")
    if name.startswith("hf-hub:"):
        repo = name.removeprefix("hf-hub:")
        config = _cached(repo, CONFIG_FILE)
        if not config or not any(_cached(repo, weights) for weights in WEIGHT_FILES):
            raise _not_here(name)
        return _local_dir(config.parent, name)
    import open_clip

    architecture, tag = _split(name)
    if architecture not in open_clip.list_models():
        raise UnknownModel(f"There is no model named {name!r}; `python app.py models --all` lists them.")
    config_of_tag = open_clip.get_pretrained_cfg(architecture, tag)
    if config_of_tag:
        weights = _cached_weights(config_of_tag)
        if not weights:
            raise _not_here(name)
        return _Source(name, architecture, str(weights.absolute()), config_of_tag)
    file = Path(os.path.expanduser(tag)).absolute()  # absolute, so that open_clip never takes it for a tag
    if not os.path.isfile(file):
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)) or "none"
        raise UnknownModel(f"{architecture} has no weights called {tag!r} and there is no such file; its tags are: {tags}.")
    return _Source(f"{architecture}/{file.name}", architecture, str(file))


def _local_dir(folder: Path, display_name: str) -> _Source:
    if not os.path.isfile(folder / CONFIG_FILE):
        raise UnknownModel(f"The folder {folder} holds no {CONFIG_FILE}; name one that open_clip or `pretrain` wrote.")
    if not any(file.suffix in (".safetensors", ".bin", ".pth") for file in folder.iterdir()):
        raise ModelNotHere(f"The folder {folder} describes a model but holds no weights; copy them into it.")
    return _Source(display_name, f"local-dir:{folder}")


def _architecture(source: _Source) -> dict[str, Any]:
    """The model's own config, as open_clip wants it, with the activation that it will run with."""
    import open_clip

    try:
        config = dict(open_clip.get_model_config(source.model_name))
        vision, text = dict(config["vision_cfg"]), dict(config["text_cfg"])
        int(config["embed_dim"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"The {CONFIG_FILE} of {source.display_name} does not describe a model ({_shortened(error)}); write it again."
        ) from error
    if ":" in str(vision.get("timm_model_name", "")):
        raise ModelError(
            f"The model {source.display_name} asks for a tower from the network; Sayso does not fetch one unasked."
        )
    if (text.get("hf_model_name") or text.get("hf_tokenizer_name")) and not find_spec("transformers"):
        raise ModelError(
            f"The model {source.display_name} needs one more package; install it with: pip install transformers."
        )
    config["quick_gelu"] = bool(source.tag.get("quick_gelu") or config.get("quick_gelu"))
    return config


def _split(name: str) -> tuple[str, str]:
    architecture, _, tag = name.partition("/")
    return architecture, tag


def _shortened(error: Exception) -> str:
    return " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__


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
        for candidate in _twins(filename):
            if path := _cached(repo, candidate):
                return path
    url = str(tag.get("url") or "")
    if url and "openaipublic" not in url:  # OpenAI's own files are TorchScript: programs, which are never run
        path = Path(os.path.expanduser("~/.cache/clip")) / url.rpartition("/")[2]
        if path.is_file():
            return path
    return None


def _twins(filename: str) -> tuple[str, ...]:
    """The names that a weight file may have on the hub, the safe format first."""
    return (str(Path(filename).with_suffix(".safetensors")), filename) if filename else WEIGHT_FILES


def _has_starter() -> bool:
    return (STARTER_FOLDER / WEIGHT_FILES[0]).is_file()


def _starter_size() -> int | None:
    return round((STARTER_FOLDER / WEIGHT_FILES[0]).stat().st_size / 1e6) if _has_starter() else None
