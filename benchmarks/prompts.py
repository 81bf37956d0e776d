"""Building a zero-shot head: ours (trimmed to the longest prompt of a batch, sorted) against open_clip's own function."""

import open_clip
import torch

from clipcore import pack, zero_shot_classifier
from clipcore.encoder import Encoder
from clipcore.space import Space
from clipcore.text_cache import MemoryCache

from .pairs import Row, timed_pair

OTHER = "open_clip.build_zero_shot_classifier, 10 classes a batch"


def run(quick: bool) -> list[Row]:
    """ViT-B-32's text tower with random weights: speed does not depend on what they are."""
    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32")
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    encoder = Encoder(model, preprocess, tokenizer, Space("0" * 64, "ViT-B-32", 512), torch.device("cpu"))
    labels = [name for name in open_clip.IMAGENET_CLASSNAMES if name.isascii()]
    labels = list(dict.fromkeys(label.lower() for label in labels))[: 10 if quick else 50]
    rows = []
    for name in ("seven",) if quick else ("seven", "imagenet80"):
        templates = list(pack(name).templates)

        def ours(name: str = name) -> object:
            encoder.text_cache = MemoryCache()  # nothing may come from the cache here
            return zero_shot_classifier(encoder, labels, name)

        def other(templates: list[str] = templates) -> object:
            calls = [lambda c, t=t: t.replace("{label}", c) for t in templates]
            return open_clip.build_zero_shot_classifier(model, tokenizer, labels, calls, device="cpu")

        rows.append(timed_pair(f"{len(labels)} classes x {len(templates)} templates", ours, other, 5))
    return rows
