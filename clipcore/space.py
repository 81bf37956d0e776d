"""The space key: which model made a vector. Vectors, heads and caches carry it, and two different ones never meet."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import SpaceMismatch

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Space:
    """An embedding space: `key` is the fingerprint, `name` what people call the model, `dim` the length of a vector."""

    key: str
    name: str
    dim: int

    def require(self, other: "Space", what: str) -> None:
        """Raise `SpaceMismatch` unless `other`, the space of `what`, is this one."""
        if other.key != self.key and other.name == self.name:
            raise SpaceMismatch(
                f"{what} was made with another {other.name} ({other.key[:8]}) than the one in use ({self.key[:8]}); make it "
                "again with this one."
            )
        if other.key != self.key:
            raise SpaceMismatch(
                f"{what} was made with the model {other.name} ({other.key[:8]}), but the model in use is {self.name} "
                f"({self.key[:8]}): start Sayso with --model {other.name}, or make it again with this model.",
                page=f"{what} was made with {other.name}, and {self.name} is in use. Use the other one, or make it again.",
            )


def fingerprint(
    architecture: Mapping[str, Any], preprocess: Mapping[str, Any], weights: "Mapping[str, torch.Tensor]"
) -> str:
    """sha256 over architecture (activation and output size included), preprocessing and every weight, as 64 hex digits.

    The architecture stands for the model's name: the same model reached by another name or from a folder that was moved
    is the same space, so nothing has to be embedded again.
    """
    import torch

    digest = hashlib.sha256()
    for config in (architecture, preprocess):
        digest.update(json.dumps(config, sort_keys=True, default=str).encode())
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
