"""Two pretrained towers put together: a classifier of timm's and an open_clip text tower or a sentence encoder's folder.

Nothing is downloaded: the files are the user's. `join` gives what `iter_pretrain` and `iter_distill` begin with.
"""

import math
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import timm
import torch
import torch.nn.functional as F
from open_clip.model import CustomTextCLIP

from clipcore.errors import BadInput
from clipcore.models.towers import NAMED

from .clip import Tokenizer, build, encode_captions

CONTEXT = 64  # tokens that a sentence encoder reads; longer sentences are refused


@dataclass(frozen=True)
class Classifier:
    """A classifier of timm's: its name there, its weights but for the last layer, and that layer."""

    name: str
    trunk: Mapping[str, torch.Tensor]
    weight: torch.Tensor  # [classes, features]
    bias: torch.Tensor

    @classmethod
    def load(cls, name: str, file: str | Path) -> "Classifier":
        """Read the weights `file` (.pth or .safetensors) of timm's architecture `name`.

        Tensors are found by their names or, in a file with other names, by their order: their shapes are the check. Raises
        BadInput if it cannot be read, or is of another architecture.
        """
        if not timm.is_model(name):
            raise BadInput(f"timm knows no model {name}; see timm.list_models() for its names.")
        model: Any = timm.create_model(name, pretrained=False)
        own, given = model.state_dict(), _read(file)
        if own.keys() != given.keys():
            if [v.shape for v in given.values()] != [v.shape for v in own.values()]:
                raise BadInput(
                    f"The weights in {file} are not those of {name}; name the architecture that they were made for."
                )
            given = dict(zip(own, given.values(), strict=True))
        try:
            model.load_state_dict(given)
        except RuntimeError as error:
            raise BadInput(
                f"The weights in {file} are not those of {name}; name the architecture that they were made for."
            ) from error
        last = model.get_classifier()
        if not isinstance(last, torch.nn.Linear) or last.bias is None:
            raise BadInput(f"{name} is no classifier with a linear last layer; choose another.")
        model.reset_classifier(0)
        return cls(name, model.state_dict(), last.weight.detach(), last.bias.detach())


def _read(file: str | Path) -> dict[str, torch.Tensor]:
    path = Path(file).expanduser()
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        given = torch.load(path, map_location="cpu", weights_only=True)
        return dict(given.get("state_dict", given))
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise BadInput(f"The file {path} holds no weights that can be read; check its path.") from error


def sentence_config(folder: str | Path, side: int, vision: Mapping[str, Any], dim: int) -> dict[str, Any]:
    """open_clip's config of a model with the sentence encoder of `folder` (Hugging Face's files) for a text tower."""
    return {
        "model_cfg": {
            "embed_dim": dim,
            "vision_cfg": {**vision, "image_size": side},
            "text_cfg": {
                "hf_model_name": str(Path(folder).expanduser().absolute()),
                "hf_tokenizer_name": str(Path(folder).expanduser().absolute()),
                "hf_proj_type": "linear",
                "hf_pooler_type": "mean_pooler",
                "context_length": CONTEXT,
            },
        },
        "preprocess_cfg": {
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }


@torch.no_grad()
def join(
    classifier: Classifier, folder: str | Path, names: Sequence[str], templates: Sequence[str], side: int
) -> tuple[dict[str, Any], CustomTextCLIP, Tokenizer]:
    """The classifier, whose classes are called `names`, with the sentence encoder of `folder`: config, model and tokenizer.

    Untrained it answers by ConSE: probabilities times the names' vectors. Those, and with them all that the text tower
    gives, have the names' mean taken off, for sentences share most of theirs. Raises BadInput for a folder that holds no
    sentence encoder.
    """
    from transformers import AutoConfig, AutoModel

    if len(names) != len(classifier.bias):
        raise BadInput(
            f"{classifier.name} knows {len(classifier.bias)} classes, and {len(names)} names are given; give one for each."
        )
    try:
        dim = int(AutoConfig.from_pretrained(str(folder), local_files_only=True).hidden_size)
        encoder = AutoModel.from_pretrained(str(folder), local_files_only=True, add_pooling_layer=False)
        tokenizer = open_clip.tokenizer.HFTokenizer(str(folder), context_length=CONTEXT)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise BadInput(
            f"{folder} holds no sentence encoder: config.json, tokenizer.json and model.safetensors are needed."
        ) from error
    vision = {"timm_model_name": f"{NAMED}{len(names)}_{classifier.name}", "timm_pool": "avg", "timm_proj": ""}
    config = sentence_config(folder, side, vision, dim)
    model = build(config).eval()
    tower, text = model.visual.trunk, model.text
    tower.trunk.load_state_dict(classifier.trunk)
    tower.classes.weight.copy_(classifier.weight)
    tower.classes.bias.copy_(classifier.bias)
    text.transformer.load_state_dict(encoder.state_dict())
    text.proj.weight.copy_(torch.eye(dim))

    lengths = text(tokenizer(list(names[:64]))).norm(dim=1).mean()
    vectors = torch.stack(
        [encode_captions(model, tokenizer([t.replace("{label}", n) for n in names])) for t in templates]
    ).mean(0)
    last: Any = [module for module in text.transformer.modules() if isinstance(module, torch.nn.LayerNorm)][-1]
    last.bias -= lengths * F.normalize(vectors, dim=1).mean(0)
    tower.table.copy_(F.normalize(vectors - vectors.mean(0), dim=1))
    tower.log_temperature.fill_(math.log(2))
    torch.nn.init.zeros_(tower.rest.weight)
    torch.nn.init.zeros_(tower.rest.bias)
    return config, model, tokenizer
