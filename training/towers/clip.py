"""A CLIP model in hand while it learns: build it, encode with it, score it, write it out. Torch tensors throughout.

`clipcore.Encoder` is the calm way to use a finished model; this is the one with gradients.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from open_clip.model import CLIP, CustomTextCLIP
from safetensors.torch import save_file
from torch.nn.attention import SDPBackend, sdpa_kernel

from clipcore.encoding.text_tower import ends, pads, tower_of
from clipcore.errors import BadInput
from clipcore.measure.retrieval import recall_at
from clipcore.models import towers

from ..data.pixels import Pixels, prepare

Tokenizer = Callable[[list[str]], torch.Tensor]  # n sentences to int64 [n, context]


def build(config: Mapping[str, Any]) -> CLIP:
    """A freshly initialised model of an open_clip config ({"model_cfg", "preprocess_cfg"}).

    With `init_logit_bias` in the model config it learns by the sigmoid loss. Raises BadInput if the config describes no
    model with two towers.
    """
    towers.register_for(config["model_cfg"])
    architecture = dict(config["model_cfg"])
    text = {**architecture["text_cfg"], "hf_model_pretrained": False}  # weights come from `start`, never from the network
    vision = {**architecture["vision_cfg"], "timm_model_pretrained": False}
    kind = CustomTextCLIP if architecture.pop("custom_text", False) or text.get("hf_model_name") else CLIP
    if "multimodal_cfg" in architecture:
        raise BadInput("Models that also write captions (CoCa) cannot be trained here; choose one with two towers.")
    try:
        model = kind(**{**architecture, "text_cfg": text, "vision_cfg": vision})
    except (TypeError, ValueError, RuntimeError, KeyError) as error:
        raise BadInput(f"The model config describes no model: {error}.") from error
    open_clip.model.set_model_preprocess_cfg(model, dict(config["preprocess_cfg"]))
    return model.to(memory_format=torch.channels_last)


def side_of(config: Mapping[str, Any]) -> int:
    """The side of the square pictures that a model of `config` sees, in pixels. Raises BadInput if they are not square."""
    size = config["model_cfg"]["vision_cfg"].get("image_size", 224)
    if not isinstance(size, int):
        if len(set(size)) > 1:
            raise BadInput(
                f"This model sees {size[0]} x {size[1]} pixels; only models of square pictures can be trained here."
            )
        size = size[0]
    return int(size)


def tokenizer_of(model: CLIP) -> open_clip.SimpleTokenizer:
    """CLIP's byte-pair encoding at the model's context length; makes int64 [n, context] of n sentences."""
    return open_clip.SimpleTokenizer(context_length=model.context_length)


def encode_captions(model: CLIP, tokens: torch.Tensor, chunk: int = 128, unit: bool = True) -> torch.Tensor:
    """Unit vectors [n, d] of int tokens [n, context], each chunk trimmed to its longest caption where the tower allows it.

    Without `unit`, which only sentence encoders do, vectors keep their length.

    A text tower that is causal and reads its answer at the end-of-text token never looks at the padding behind it, and a
    sentence encoder never looks at padding, so leaving that out is exact.
    """
    tokens = tokens.to(model.logit_scale.device)
    mask = getattr(model, "attn_mask", None)
    projection = getattr(model, "text_projection", None)
    causal = mask is not None and bool(torch.isinf(mask[0, -1])) and model.text_pool_type == "argmax"
    if pads(tower_of(model)) is not None:
        last = ends(tower_of(model), tokens)
        order = last.argsort()
        parts = [model.encode_text(tokens[part, : int(last[part].max()) + 1]) for part in order.split(chunk)]
        vectors = torch.cat(parts).float()[order.argsort()]
        return F.normalize(vectors, dim=-1) if unit else vectors
    if mask is None or not causal or not isinstance(projection, torch.Tensor):
        return F.normalize(torch.cat([model.encode_text(part) for part in tokens.split(chunk)]).float(), dim=-1)
    lengths = tokens.argmax(1) + 1
    order = lengths.argsort()
    words = model.token_embedding(tokens[:, : int(lengths.max())])  # once: its gradient is as large as the vocabulary
    features = []
    for part in order.split(chunk):
        n = int(lengths[part].max())
        x = words[part, :n] + model.positional_embedding[:n]
        with sdpa_kernel(SDPBackend.MATH) if x.device.type == "cpu" else nullcontext():
            # for so short sequences the plain way is twice as fast, backwards, on a CPU
            x = model.ln_final(model.transformer(x, attn_mask=mask[:n, :n]))
        features.append(x[torch.arange(len(part)), lengths[part] - 1] @ projection)
    return F.normalize(torch.cat(features).float()[order.argsort()], dim=-1)


def encode_pictures(
    model: CLIP, images: np.ndarray, size: int, rng: np.random.Generator | None = None, restyled: float = 0.0
) -> torch.Tensor:
    """Unit vectors [n, d] of uint8 pictures [n, h, w, 3] at `size`; with `rng` augmented, and a share of them `restyled`."""
    mean, std = model.visual.image_mean, model.visual.image_std
    features = model.visual(prepare(images, size, mean, std, rng, model.logit_scale.device, restyled))
    return F.normalize(features.float(), dim=-1)


@torch.no_grad()
def score(model: CLIP, pictures: Pixels, size: int, tokenizer: Tokenizer) -> dict[str, float]:
    """What the model makes of held-out `pictures`.

    Labelled ones: "zero_shot", the share whose own name is the nearest of all their names, with "a photo of a {label}.".
    Captioned ones: "recall5", the share of first captions whose picture is among the five nearest.
    """
    model.eval()
    labels = sorted({pair.name for pair in pictures.pairs if pair.name})
    parts = np.array_split(np.arange(len(pictures)), -(-len(pictures) // 256))
    images = torch.cat([encode_pictures(model, pictures.at(part), size) for part in parts])
    if labels:
        texts = encode_captions(model, tokenizer([f"a photo of a {label}." for label in labels]))
        answers = zip((images @ texts.T).argmax(1).tolist(), pictures.pairs, strict=True)
        return {"zero_shot": float(np.mean([labels[answer] == pair.name for answer, pair in answers if pair.name]))}
    texts = encode_captions(model, tokenizer([pair.captions[0] for pair in pictures.pairs]))
    return {"recall5": recall_at(texts.cpu().numpy(), images.cpu().numpy(), np.arange(len(pictures)), 5)}


def load_fitting(model: torch.nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Take over the weights whose name and shape fit; the rest stay as they were initialised."""
    own = model.state_dict()
    fitting = {name: w for name, w in weights.items() if name in own and w.shape == own[name].shape}
    model.load_state_dict(fitting, strict=False)


def export(model: torch.nn.Module, config: Mapping[str, Any], folder: Path, tokenizer: object = None) -> None:
    """Write an open_clip `local-dir` model: open_clip_config.json and float16 weights, each written beside and renamed.

    A tokenizer that is not CLIP's own is written along, if it can be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: (w.half() if w.is_floating_point() else w).contiguous() for name, w in model.state_dict().items()}
    save_file(weights, folder / "weights.part", metadata={"format": "pt"})
    (folder / "weights.part").replace(folder / "open_clip_model.safetensors")
    if hasattr(tokenizer, "save_pretrained"):
        tokenizer.save_pretrained(str(folder))
    text: Any = getattr(model, "text", None)
    if hasattr(text, "config"):  # one of Hugging Face's: described beside the weights
        text.config.save_pretrained(str(folder))
        names = {"hf_model_name": ".", "hf_tokenizer_name": "."}
        config = {**config, "model_cfg": {**config["model_cfg"], "text_cfg": {**config["model_cfg"]["text_cfg"], **names}}}
    (folder / "config.part").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "config.part").replace(folder / "open_clip_config.json")
