"""The optimiser's small change: which weights decay, how the rate moves, a running average of the weights."""

import copy
from typing import Any

import torch
from torch import nn


def decay_groups(
    model: nn.Module, learning_rate: float, weight_decay: float, text_rate: float = 1.0
) -> list[dict[str, Any]]:
    """AdamW parameter groups: matrices decay; biases, gains, embeddings and the temperature do not (paper, section 2.5).

    Embeddings are tables, not maps: decay would pull the rows of words that training never meets towards nothing.
    `text_rate` multiplies the rate of everything outside the image tower.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        decays = parameter.ndim >= 2 and "embedding" not in name
        groups.setdefault((decays, name.startswith("visual.")), []).append(parameter)
    return [
        {"params": params, "weight_decay": weight_decay * decays, "peak": learning_rate * (1.0 if visual else text_rate)}
        for (decays, visual), params in groups.items()
    ]


def one_cycle(progress: float, warmup: float) -> float:
    """Share of the peak rate at `progress` in 0..1: linear up during `warmup`, then half a cosine down to nothing."""
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1 + float(torch.cos(torch.tensor((progress - warmup) / (1 - warmup) * torch.pi))))


class Ema:
    """A running average of a model's weights and batch statistics; its `model` is what is evaluated and shipped."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after `step` steps; early on the memory is short, so that the start is soon forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step))
        source = model.state_dict()
        averaged = [(mine, source[name]) for name, mine in self.model.state_dict().items()]
        floats = [(mine, theirs) for mine, theirs in averaged if mine.is_floating_point()]
        torch._foreach_lerp_([mine for mine, _ in floats], [theirs for _, theirs in floats], 1 - decay)
        for mine, theirs in averaged:
            if not mine.is_floating_point():
                mine.copy_(theirs)
