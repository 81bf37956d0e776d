"""What comes after the image tower, in torch, so that it becomes a part of an ONNX file: shares, figures, and the answer.

It says what `answers.decide` says in NumPy; `onnx_file` holds the two against each other before a file is kept.
"""

from typing import Any

import torch

from .answers import NONE, UNSURE, stand_alone, thresholds
from .classifier import Classifier
from .figure import LEEWAY, first_guess

OUTPUTS = ("shares", "vectors", "figures", "none", "chosen", "places")


class Answering(torch.nn.Module):
    """Tower, unit length, head and decision as one module; what it gives is named by `OUTPUTS`."""

    weight: torch.Tensor
    bias: torch.Tensor
    halves: torch.Tensor

    def __init__(self, visual: Any, classifier: Classifier) -> None:
        super().__init__()
        self.visual, self.decision = visual, classifier.decision
        self.sigmoid, self.alone = classifier.activation == "sigmoid", stand_alone(classifier)
        self.odds = classifier.decision.odds or first_guess()
        halves = torch.from_numpy(thresholds(classifier.decision, len(classifier.labels), 0.5)).float()
        self.register_buffer("weight", torch.from_numpy(classifier.weight.T * classifier.scale).float())
        self.register_buffer("bias", torch.from_numpy(classifier.bias).float())
        self.register_buffer("halves", halves.logit(1e-6))

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Of pixels float32 [n, 3, h, w]: shares [n, labels], vectors [n, dim], figures [n, labels], none [n], chosen
        bool [n, labels], places int64 [n]."""
        found = self.visual(pixels)
        vectors = torch.nn.functional.normalize(found[0] if isinstance(found, tuple) else found, dim=-1)  # CoCa's has two
        logits = vectors @ self.weight + self.bias
        z = logits / self.decision.temperature
        shares = z.sigmoid() if self.sigmoid else z.softmax(-1)
        alone = self._alone(logits, z, shares)
        none = self._none(logits, alone, shares)
        if self.alone:
            figures = _whole(alone - self.halves)
        else:
            best = torch.nn.functional.one_hot(z.argmax(-1), z.shape[1]).bool()
            figures = torch.where(best, _whole(self._told(z, none))[:, None], 0.0)
        reached = (100 * figures).round() >= 100 * self.decision.sure - 1e-6
        first = torch.nn.functional.one_hot(figures.argmax(-1), z.shape[1]).bool()
        answered = (reached & first).any(-1)
        places = torch.where(answered, figures.argmax(-1), torch.where(none > 0.5, NONE, UNSURE))
        return shares, vectors, figures, none, reached if self.decision.many else reached & first, places

    def _alone(self, logits: torch.Tensor, z: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        """Log odds of each label by itself."""
        if self.sigmoid:
            return z
        if self.decision.level is None:
            return shares.logit(1e-6)
        above = (logits - (self.decision.level - torch.tensor(float(logits.shape[1])).log())) / self.decision.temperature
        return self.odds.alone_constant + self.odds.alone * above

    def _none(self, logits: torch.Tensor, alone: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        if self.sigmoid:
            return 1 - shares.amax(-1)
        if self.decision.level is None:
            return torch.zeros_like(shares[:, 0])
        if self.alone:
            return 1 - alone.sigmoid().amax(-1)
        return ((self.decision.level - LEEWAY - logits.logsumexp(-1)) / self.decision.temperature).sigmoid()

    def _told(self, z: torch.Tensor, none: torch.Tensor) -> torch.Tensor:
        """Log odds that the best of several labels is right."""
        best, places = z.topk(2, dim=-1)
        rest = z.scatter(1, places[:, :1], float("-inf")).logsumexp(-1)
        fit = (1 - none).clamp_min(1e-9).log()
        odds = self.odds
        return odds.constant + odds.share * (best[:, 0] - rest) + odds.lead * (best[:, 0] - best[:, 1]) + odds.fit * fit


def _whole(log_odds: torch.Tensor) -> torch.Tensor:
    return (100 * log_odds.clamp(-30, 30).sigmoid()).round().clamp(1, 99) / 100
