"""Gradients of a contrastive loss over more pictures than fit in memory, exact, by cached embeddings (GradCache: Gao et al.,
2021, section 3).

A contrastive loss compares everything with everything, so adding up the gradients of small batches is something else. But
the loss needs only the features. So: embed all parts without keeping anything, take the loss and its gradient with respect
to the features, then embed each part once more and hand it its share of that gradient. Several processes do the same with
their features gathered in between.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from ..distributed import World

Part = Callable[[], torch.Tensor]  # makes the features [k, d] of one part; asked twice, it must answer the same


def backward(
    model: nn.Module,
    pictures: Sequence[Part],
    captions: Sequence[Part],
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    world: World,
) -> torch.Tensor:
    """Leave in `model` the gradients of loss_of(features of all pictures [n, d], of all captions [m, d]); returns the loss.

    `pictures` and `captions` are the parts of this process; with one each, they are run once and the features keep their
    graphs. Parts must seed whatever dropout they use. Batch norm uses the statistics of one part at a time, so for such a
    tower the parts are what a batch is; its running statistics move once, not twice.
    """
    once = len(pictures) == len(captions) == 1
    if once:
        features = [pictures[0](), captions[0]()]
    else:
        with torch.no_grad(), unmoved(model):
            features = [torch.cat([part() for part in parts]) for parts in (pictures, captions)]
    everyone = [world.gather(own.detach()).requires_grad_() for own in features]

    # every process has the whole loss: what it says of the temperature would be counted `size` times
    loss = loss_of(*everyone)
    (loss / world.size).backward()
    for parts, own, gathered in zip((pictures, captions), features, everyone, strict=True):
        assert gathered.grad is not None
        gradient = world.own(gathered.grad, len(own)) * world.size
        for part in parts:
            again = own if once else part()
            if again.requires_grad:  # a process may have no caption of its own
                again.backward(gradient[: len(again)])
            gradient = gradient[len(again) :]
    world.add_gradients(model)
    world.share_statistics(model)
    return loss.detach()


@contextmanager
def unmoved(model: nn.Module) -> Iterator[None]:
    """Whatever runs in here leaves the model's buffers, such as batch norm's running statistics, as they were."""
    before = [buffer.clone() for buffer in model.buffers()]
    yield
    with torch.no_grad():
        for buffer, value in zip(model.buffers(), before, strict=True):
            buffer.copy_(value)
