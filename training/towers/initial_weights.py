"""A model to begin with: fine-tuning is pre-training from somewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from clipcore.models import load_to_train

from .clip import Tokenizer


@dataclass(frozen=True)
class Start:
    """A model by `name` (as in `clipcore.models`): open_clip's config of it, its weights on the CPU and its tokenizer."""

    name: str
    config: Mapping[str, Any]
    weights: Mapping[str, torch.Tensor]
    tokenizer: Tokenizer

    @classmethod
    def load(cls, name: str) -> "Start":
        """Any open_clip model that is on this computer. Raises UnknownModel, ModelNotHere or ModelError."""
        model, tokenizer, config = load_to_train(name)
        return cls(name, config, model.state_dict(), tokenizer)
