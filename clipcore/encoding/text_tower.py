"""A text tower, faster: cut to the tokens that matter, and, for many texts at once, in half precision."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

# Trimming. In a causal text tower that reads its answer at the end-of-text token, later positions are never looked at:
# leaving them out changes nothing and saves most of the work, because prompts have about 10 tokens of the 77. Sentence
# encoders of Hugging Face's look at all tokens but padding, so padding that all texts of a batch share may go.


def is_causal(tower: Any) -> bool:
    """Whether each token sees only those before it, and the answer is read at the end-of-text token."""
    mask = getattr(tower, "attn_mask", None)
    return (
        isinstance(mask, torch.Tensor)
        and mask.ndim == 2
        and torch.equal(mask, torch.full_like(mask, -torch.inf).triu(1))
        and getattr(tower, "cls_emb", None) is None
        and _pool_type(tower) in ("argmax", "eos")
    )


def pads(tower: Any) -> int | None:
    """The token that fills up short texts, for a tower that looks at all others alike; else None."""
    if type(getattr(tower, "pooler", None)).__name__ not in ("MeanPooler", "ClsPooler", "ClsLastHiddenStatePooler"):
        return None
    return getattr(getattr(tower, "config", None), "pad_token_id", None)


def ends(tower: Any, tokens: torch.Tensor) -> torch.Tensor:
    """The column of the last token of each text that its tower looks at, in tokens [n, context]; int [n]."""
    if (pad := pads(tower)) is not None:
        return (tokens != pad).sum(1) - 1
    if _pool_type(tower) == "argmax":
        return tokens.argmax(1)
    end = int(getattr(tower, "eos_id", None) or tower.text_eos_id)
    return tokens.eq(end).int().argmax(1)


@contextmanager
def shortened(tower: Any, length: int) -> Iterator[None]:
    """Let the tower read `length` positions; nobody else may use it meanwhile."""
    if pads(tower) is not None:  # reads as many as it is given
        yield
        return
    positions, mask = tower.positional_embedding, tower.attn_mask
    tower.positional_embedding = nn.Parameter(positions[:length], requires_grad=False)
    tower.attn_mask = mask[:length, :length]
    try:
        yield
    finally:
        tower.positional_embedding, tower.attn_mask = positions, mask


def tower_of(model: Any) -> Any:
    """The part of an open_clip model that reads texts: a module of its own, or the model itself."""
    return getattr(model, "text", model)


def _pool_type(tower: Any) -> str:
    return str(getattr(tower, "pool_type", None) or getattr(tower, "text_pool_type", ""))


def reduced(model: Any, dtype: torch.dtype) -> Any:
    """A copy of the model in another type, without its image tower."""
    return copy.deepcopy(model, {id(model.visual): nn.Identity()}).to(dtype)
