"""Where the parts of a model lie on this computer, by its name; see `clipcore.models`. Never touches the network."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import BadInput, ModelError, ModelNotHere, UnknownModel

STARTER = "starter"
STARTER_FOLDER = Path(__file__).parents[1] / "starter"
CONFIG_FILE = "open_clip_config.json"
WEIGHT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class Source:
    """Where a model's parts lie on this computer, ready for open_clip."""

    display_name: str  # without the folders of this computer: where a file lies is nobody's business in a saved file
    model_name: str  # what open_clip calls it: an architecture, or local-dir:...
    pretrained: str | None = None  # a weight file, for an architecture
    tag: dict[str, Any] = field(default_factory=dict)  # open_clip's entry for the tag: preprocessing and activation


def is_here(name: str) -> bool:
    """Whether the model can be loaded without the network."""
    try:
        locate(name)
    except (ModelError, BadInput):
        return False
    return True


def locate(name: str) -> Source:
    """The parts of a model on this computer. Raises UnknownModel or ModelNotHere."""
    if name == STARTER:
        if not has_starter():
            raise ModelNotHere(f"The starter's weights are missing from {STARTER_FOLDER}; get a complete copy of Sayso.")
        return Source(STARTER, f"local-dir:{STARTER_FOLDER}")
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

    architecture, tag = split_name(name)
    if architecture not in open_clip.list_models():
        error = UnknownModel(f"There is no model named {name!r}; choose one from the list of models.")
        error.add_note("At the command line: python app.py models --all")
        raise error
    config_of_tag = open_clip.get_pretrained_cfg(architecture, tag)
    if config_of_tag:
        weights = _cached_weights(config_of_tag)
        if not weights:
            raise _not_here(name)
        return Source(name, architecture, str(weights.absolute()), config_of_tag)
    file = Path(os.path.expanduser(tag)).absolute()  # absolute, so that open_clip never takes it for a tag
    if not os.path.isfile(file):
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(architecture)) or "none"
        raise UnknownModel(f"{architecture} has no weights called {tag!r} and there is no such file; its tags are: {tags}.")
    return Source(f"{architecture}/{file.name}", architecture, str(file))


def _local_dir(folder: Path, display_name: str) -> Source:
    if not os.path.isfile(folder / CONFIG_FILE):
        raise UnknownModel(
            f"The folder {folder} holds no {CONFIG_FILE}; name one that open_clip or `pretrain` wrote.",
            page=f"The folder {folder} holds no {CONFIG_FILE}. Name one that open_clip or Sayso wrote.",
        )
    if odd := next((file for file in folder.iterdir() if file.exists() and not file.is_file() and not file.is_dir()), None):
        raise ModelError(f"{odd.name} in the folder {folder} is no plain file; take it out, then load the model.")
    if not any(file.suffix in (".safetensors", ".bin", ".pth") for file in folder.iterdir()):
        raise ModelNotHere(f"The folder {folder} describes a model but holds no weights; copy them into it.")
    return Source(display_name, f"local-dir:{folder}")


def architecture_of(source: Source) -> dict[str, Any]:
    """The model's own config, as open_clip wants it, with the activation that it will run with."""
    import open_clip

    try:
        config = dict(open_clip.get_model_config(source.model_name))
        vision, text = dict(config["vision_cfg"]), dict(config["text_cfg"])
        int(config["embed_dim"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"The {CONFIG_FILE} of {source.display_name} does not describe a model ({shortened(error)}); write it again."
        ) from error
    if ":" in str(vision.get("timm_model_name", "")):
        raise ModelError(
            f"The model {source.display_name} asks for a tower from the network; Sayso does not fetch one unasked."
        )
    if (text.get("hf_model_name") or text.get("hf_tokenizer_name")) and not find_spec("transformers"):
        raise ModelError(
            f"The model {source.display_name} needs one more package; install it with: pip install transformers.",
            page=f"{source.display_name} needs the package transformers. Whoever installed Sayso can add it.",
        )
    config["quick_gelu"] = bool(source.tag.get("quick_gelu") or config.get("quick_gelu"))
    return config


def text_config_in(model_name: str, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """The `text_cfg` of a model whose text tower is described in its own folder (`"hf_model_name": "."`, by a config.json of
    Hugging Face's), with the folder's path; None for all others."""
    if config["text_cfg"].get("hf_model_name") != "." or not model_name.startswith("local-dir:"):
        return None
    return {**config["text_cfg"], "hf_model_name": model_name.removeprefix("local-dir:"), "hf_model_pretrained": False}


def split_name(name: str) -> tuple[str, str]:
    architecture, _, tag = name.partition("/")
    return architecture, tag


def shortened(error: Exception) -> str:
    return " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__


def _not_here(name: str) -> ModelNotHere:
    error = ModelNotHere(f"The weights of {name} are not on this computer; get them first.")
    error.add_note(f"At the command line: python app.py models --get {name}")  # said there, and not on the page
    return error


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
        for candidate in twins(filename):
            if path := _cached(repo, candidate):
                return path
    url = str(tag.get("url") or "")
    if url and "openaipublic" not in url:  # OpenAI's own files are TorchScript: programs, which are never run
        path = Path(os.path.expanduser("~/.cache/clip")) / url.rpartition("/")[2]
        if path.is_file():
            return path
    return None


def twins(filename: str) -> tuple[str, ...]:
    """The names that a weight file may have on the hub, the safe format first."""
    return (str(Path(filename).with_suffix(".safetensors")), filename) if filename else WEIGHT_FILES


def has_starter() -> bool:
    return (STARTER_FOLDER / WEIGHT_FILES[0]).is_file()
