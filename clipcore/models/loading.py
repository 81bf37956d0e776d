"""How a model becomes an `Encoder`. Loading never touches the network; `fetch` does, when asked.

A model is named in one of five ways:

    starter                      the small model that ships with Sayso
    ViT-B-32/laion2b_s34b_b79k   an open_clip architecture and the tag of its weights
    ViT-B-32/path/to/file.pt     an open_clip architecture and a checkpoint file
    local-dir:path/to/folder     a folder with open_clip_config.json and weights
    hf-hub:org/repo              an open_clip model on the Hugging Face hub
"""

import copy
import logging
import os
import pickle
from typing import TYPE_CHECKING, Any

from ..errors import BadInput, ModelError
from .locate import STARTER, Source, architecture_of, locate, shortened, text_config_in

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder


def load(name: str = STARTER, device: str = "auto", precision: str = "auto") -> "Encoder":
    """The model as an `Encoder`. `precision` is auto, fp32, bf16 or int8, and concerns the image tower only.

    auto is what the variable SAYSO_PRECISION says; without it fp32 or bf16, measured once per machine. Raises UnknownModel,
    ModelNotHere (its note is the command that fetches it) or ModelError (damaged or unfitting weights).
    """
    import open_clip
    import torch

    from ..encoding.device import (
        PRECISIONS,
        choose_batch_size,
        choose_precision,
        generated_pictures,
        pick_device,
    )
    from ..encoding.encoder import Encoder
    from ..encoding.engine import engine_for
    from ..encoding.folding import folded
    from ..encoding.int8 import quantized
    from ..space import Space, fingerprint

    if precision == "auto":
        precision = os.environ.get("SAYSO_PRECISION") or "auto"
    if precision not in PRECISIONS:
        raise BadInput(f"There is no precision {precision!r}; use one of {', '.join(PRECISIONS)}.")
    chosen = pick_device(device)
    source = locate(name)
    config = architecture_of(source)
    model, preprocess, tokenizer = _create(name, source, config)
    preprocess_config = dict(open_clip.model.get_model_preprocess_cfg(model))
    key = fingerprint(config, preprocess_config, model.state_dict())
    space = Space(key, source.display_name, int(config["embed_dim"]))
    model, chosen = _placed(model, chosen, device, name)
    size = preprocess_config["size"]
    height, width = (size, size) if isinstance(size, int) else size
    if chosen.type == "cpu":
        model.visual = folded(model.visual, generated_pictures(2, (height, width)))
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "int8": torch.float32}.get(precision)
    if dtype is None:
        dtype = choose_precision(model.visual, (height, width), chosen, key)
    if precision == "int8" and chosen.type != "cpu":
        raise BadInput(f"The precision int8 is for the CPU, and {name} runs on {chosen.type.upper()}; leave it at auto.")
    tower: Any = None
    if precision == "int8":
        tower = quantized(model.visual, generated_pictures(8, (height, width)))
    elif precision == "auto" and chosen.type == "cpu":
        exact = model.visual if dtype == torch.float32 else copy.deepcopy(model.visual)
        tower = engine_for(model.visual, exact, (height, width), dtype, key)
    encoder = Encoder(model, preprocess, tokenizer, space, chosen, dtype, tower)
    encoder.batch_size = choose_batch_size(
        tower if precision == "int8" else model.visual,
        (height, width),
        chosen,
        dtype,
        f"int8-{key}" if precision == "int8" else key,
    )
    return encoder


def _placed(model: Any, chosen: Any, asked: str, name: str) -> tuple[Any, Any]:
    """The model on its device; on the CPU, and a word about it, where it does not fit on one that nobody asked for."""
    import torch

    try:
        return model.to(chosen).eval(), chosen
    except (RuntimeError, AssertionError) as error:  # out of memory is a RuntimeError, too
        if chosen.type == "cpu" or asked != "auto":
            raise ModelError(f"{name} cannot be put on {chosen} ({shortened(error)}); choose the device cpu.") from error
        logging.warning("%s cannot be put on %s (%s); it runs on the CPU.", name, chosen.type.upper(), shortened(error))
    return model.to("cpu").eval(), torch.device("cpu")


def load_to_train(name: str) -> tuple[Any, Any, dict[str, Any]]:
    """For those who train it further: open_clip's model itself (float32, on the CPU), its tokenizer, and its config as
    {"model_cfg", "preprocess_cfg"}. Raises as `load` does."""
    import open_clip

    source = locate(name)
    config = architecture_of(source)
    model, _, tokenizer = _create(name, source, config)
    preprocess = dict(open_clip.model.get_model_preprocess_cfg(model))
    preprocess.pop("size", None)  # the architecture says it
    config = {**config, "text_cfg": text_config_in(source.model_name, config) or config["text_cfg"]}
    return model, tokenizer, {"model_cfg": config, "preprocess_cfg": preprocess}


def open_clip_model(name: str) -> tuple[Any, Any, Any]:
    """open_clip's own model (float32, on the CPU), preprocessing and tokenizer, as its functions take them; also of the
    starter, whose towers open_clip does not know. Raises as `load` does."""
    source = locate(name)
    return _create(name, source, architecture_of(source))


def _create(name: str, source: Source, config: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The model with its weights, its preprocessing and its tokenizer."""
    import open_clip

    from . import towers

    towers.register_for(config)
    own = text_config_in(source.model_name, config)
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
            **({"text_cfg": own} if own else {}),
        )
        tokenizer = open_clip.get_tokenizer(source.model_name)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"The weights of {name} are damaged, or hold program code, which is never run; get them as safetensors."
        ) from error
    except Exception as error:  # open_clip, safetensors and timm raise nearly anything on a file that does not fit
        raise ModelError(
            f"The weights of {name} are damaged or belong to another architecture ({shortened(error)}); fetch it again or "
            "choose another."
        ) from error
    return model, preprocess, tokenizer
