"""The two contrastive losses, both aware of what else is true: InfoNCE (Radford et al., 2021, Fig. 3) and the sigmoid loss
(Zhai et al., 2023, section 3.2).

Throughout, logits [n, m] are pictures by captions, already scaled; positives [n, m] are weights, 0 where a caption is not
known to be true; negatives bool [n, m] are the captions known to be false. Where neither holds, nobody knows, and nothing
is learned from the pair.
"""

import torch
import torch.nn.functional as F


def contrastive_loss(logits: torch.Tensor, positives: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    """The symmetric cross-entropy of the paper where a picture may have several true captions and a caption several
    pictures.

    Each true caption is told from the false ones only, never from another true one. With the identity as positives and all
    else negative this is the paper's loss exactly.
    """
    return (_one_way(logits, positives, negatives) + _one_way(logits.T, positives.T, negatives.T)) / 2


def _one_way(logits: torch.Tensor, positives: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    # -log(e^p / (e^p + sum of e^n)) = softplus(logsumexp(n) - p)
    wrong = logits.masked_fill(~negatives, torch.finfo(logits.dtype).min).logsumexp(1, keepdim=True)
    weight = positives.sum(1)
    losses = (F.softplus(wrong - logits) * positives).sum(1)
    has_positive = weight > 0
    return (losses[has_positive] / weight[has_positive]).mean()


def sigmoid_loss(logits: torch.Tensor, positives: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    """Each pair judged by itself, as true or false: -log sigmoid(x) where true, -log sigmoid(-x) where false, summed and
    divided by the n pictures. The logits include the learned bias."""
    return (positives * F.softplus(-logits) + negatives * F.softplus(logits)).sum() / len(logits)


def loss_of_guessing(positives: torch.Tensor, negatives: torch.Tensor, sigmoid: bool = False) -> float:
    """The loss of a model that tells nothing apart: of equal logits, for the sigmoid loss of the best equal ones.

    With the identity as positives and all else negative, for InfoNCE, it is ln(n).
    """
    logits = torch.zeros_like(positives)
    if not sigmoid:
        return float(contrastive_loss(logits, positives, negatives))
    right = positives.sum() / (positives.sum() + negatives.sum())
    return float(sigmoid_loss(logits + torch.logit(right, eps=1e-6), positives, negatives))
