"""A CLIP model in hand while it learns: build it, encode with it, score it, write it out. Torch tensors throughout.

`clipcore.Encoder` is the calm way to use a finished model; this is the one with gradients.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from open_clip.model import CLIP
from safetensors.torch import save_file
from torch.nn.attention import SDPBackend, sdpa_kernel

from clipcore import towers

from .pixels import Pixels, prepare


def build(config: Mapping[str, Any]) -> CLIP:
    """A freshly initialised model of an open_clip config ({"model_cfg", "preprocess_cfg"})."""
    towers.register()
    model = CLIP(**config["model_cfg"])
    model.visual.image_mean = tuple(config["preprocess_cfg"]["mean"])
    model.visual.image_std = tuple(config["preprocess_cfg"]["std"])
    return model.to(memory_format=torch.channels_last)


def tokenizer_of(model: CLIP) -> open_clip.SimpleTokenizer:
    """CLIP's byte-pair encoding at the model's context length; makes int64 [n, context] of n sentences."""
    return open_clip.SimpleTokenizer(context_length=model.context_length)


def encode_captions(model: CLIP, tokens: torch.Tensor, chunk: int = 128) -> torch.Tensor:
    """Unit vectors [n, d] of int tokens [n, context], each chunk trimmed to its longest caption.

    The text tower is causal and reads its answer at the end-of-text token, so leaving out the padding behind it is exact.
    """
    lengths = tokens.argmax(1) + 1
    order = lengths.argsort()
    words = model.token_embedding(tokens[:, : int(lengths.max())])  # once: its gradient is as large as the vocabulary
    features = []
    for part in order.split(chunk):
        n = int(lengths[part].max())
        x = words[part, :n] + model.positional_embedding[:n]
        with sdpa_kernel(SDPBackend.MATH):  # for so short sequences the plain way is twice as fast, backwards, on a CPU
            x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:n, :n]))
        features.append(x[torch.arange(len(part)), lengths[part] - 1] @ model.text_projection)
    return F.normalize(torch.cat(features).float()[order.argsort()], dim=-1)


def encode_pictures(
    model: CLIP, images: np.ndarray, size: int, chunk: int, rng: np.random.Generator | None = None
) -> torch.Tensor:
    """Unit vectors [n, d] of uint8 pictures [n, h, w, 3] at `size`; augmented if `rng` is given.

    They pass the tower in equal parts of at most `chunk`, and in training mode batch norm sees one part at a time.
    """
    mean, std = model.visual.image_mean, model.visual.image_std
    parts = np.array_split(images, -(-len(images) // chunk))
    features = [model.visual(prepare(part, size, mean, std, rng)) for part in parts]
    return F.normalize(torch.cat(features).float(), dim=-1)


@torch.no_grad()
def zero_shot_accuracy(model: CLIP, pictures: Pixels, size: int) -> float:
    """Share of labelled `pictures` whose own name is the nearest of all their names, with "a photo of a {label}."."""
    model.eval()
    labels = sorted({pair.name for pair in pictures.pairs if pair.name})
    text_features = encode_captions(model, tokenizer_of(model)([f"a photo of a {label}." for label in labels]))
    answers = (encode_pictures(model, pictures.images, size, chunk=256) @ text_features.T).argmax(1)
    return float(
        np.mean([labels[answer] == pair.name for answer, pair in zip(answers.tolist(), pictures.pairs, strict=True)])
    )


def load_fitting(model: torch.nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Take over the weights whose name and shape fit; the rest stay as they were initialised."""
    own = model.state_dict()
    fitting = {name: w for name, w in weights.items() if name in own and w.shape == own[name].shape}
    model.load_state_dict(fitting, strict=False)


def export(model: torch.nn.Module, config: Mapping[str, Any], folder: Path) -> None:
    """Write an open_clip `local-dir` model: open_clip_config.json and float16 weights, each written beside and renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: (w.half() if w.is_floating_point() else w).contiguous() for name, w in model.state_dict().items()}
    save_file(weights, folder / "weights.part", metadata={"format": "pt"})
    (folder / "weights.part").replace(folder / "open_clip_model.safetensors")
    (folder / "config.part").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "config.part").replace(folder / "open_clip_config.json")
