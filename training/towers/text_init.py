"""A good start for the text tower, before it meets a picture."""

from collections.abc import Generator

import numpy as np
import torch
from open_clip.model import CLIP

from clipcore.progress import Step

from ..data.captions import Captioner
from .clip import Tokenizer, encode_captions
from .loss import contrastive_loss
from .settings import Settings


def iter_spread_names(
    model: CLIP, captioner: Captioner, tokenizer: Tokenizer, settings: Settings, bf16: bool = False
) -> Generator[Step, None, None]:
    """Teach the text tower alone that two captions of one name belong together and captions of different names do not.

    A fresh text tower puts all captions in one place, and for minutes the image tower has nothing to aim at. A few dozen
    cheap steps (`settings.text_steps`) on sentences spread the names out, each near its hypernyms. Without names in the data
    it does nothing.
    """
    if not captioner.subjects:
        return
    device = model.logit_scale.device
    tower = [p for name, p in model.named_parameters() if not name.startswith("visual.") and not name.startswith("logit_")]
    optimizer = torch.optim.AdamW(tower, lr=1e-3, betas=settings.betas, weight_decay=0.0)
    for step in range(settings.text_steps):
        first, second, targets = captioner.twice(np.random.default_rng([settings.seed, step, 1]))
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            features = encode_captions(model, tokenizer(first + second))
        one, other = features.split(len(first))
        logits = model.logit_scale.detach().exp() * one @ other.T
        loss = contrastive_loss(logits, *targets.on(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % settings.log_every == 0:
            yield Step(0, message="spreading the names", metrics={"text_loss": float(loss.detach())})
