"""Small CLIP models with random weights, written as folders that open_clip and Sayso load alike."""

import json
import math
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file

from clipcore.models.locate import text_config_in

CLIP = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
SIGLIP = {
    **CLIP,
    "custom_text": True,
    "init_logit_bias": -10,
    "text_cfg": {**CLIP["text_cfg"], "context_length": 32, "no_causal_mask": True, "pool_type": "last", "proj_bias": True},
}
COCA = {**CLIP, "custom_text": True, "text_cfg": {**CLIP["text_cfg"], "embed_cls": True}}


def write_model(folder: Path, config: dict = CLIP, seed: int = 0, preprocess: dict | None = None) -> str:
    """Write a model with random weights; the answer is its name for `load`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": preprocess or {}}))
    torch.manual_seed(seed)
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    with torch.no_grad():
        model.logit_scale.fill_(math.log(50))
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


def theirs(name: str, **options):
    """The same folder through open_clip alone: model, preprocess, tokenizer. A text tower that is described beside the
    weights is named by its path, for open_clip would look for it where the program runs."""
    said = json.loads((Path(name.removeprefix("local-dir:")) / "open_clip_config.json").read_text())["model_cfg"]
    if own := text_config_in(name, said):
        options["text_cfg"] = own
    model, preprocess = open_clip.create_model_from_pretrained(name, **options)
    return model.eval(), preprocess, open_clip.get_tokenizer(name)


def pictures(count: int, size: tuple[int, int] = (50, 40)) -> list[Image.Image]:
    """Pictures of random colours and stripes, each another."""
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (count, 5, 5, 3), dtype=np.uint8)
    return [Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC) for pixels in small]


@torch.no_grad()
def their_image_vectors(model, preprocess, images) -> np.ndarray:
    return model.encode_image(torch.stack([preprocess(image) for image in images]), normalize=True).numpy()


@torch.no_grad()
def their_text_vectors(model, tokenizer, texts) -> np.ndarray:
    return model.encode_text(tokenizer(texts), normalize=True).numpy()
