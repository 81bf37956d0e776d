"""Building a zero-shot head: ours (trimmed to the longest prompt of a batch, sorted) against open_clip's own function."""

import copy
from dataclasses import replace
from typing import Any

import open_clip
import torch

from clipcore import Classifier, pack, zero_shot_classifier
from clipcore.encoding.device import choose_precision
from clipcore.encoding.encoder import Encoder
from clipcore.encoding.text_cache import MemoryCache
from clipcore.space import Space

from .pairs import Row, timed_pair

OTHER = "open_clip.build_zero_shot_classifier, 10 classes a batch"


def run(quick: bool) -> list[Row]:
    """ViT-B-32's text tower with random weights: speed does not depend on what they are."""
    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32")
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    cpu = torch.device("cpu")
    dtype = choose_precision(model.visual, (224, 224), cpu, "benchmark-vit-b-32")
    encoder = Encoder(copy.deepcopy(model), preprocess, tokenizer, Space("0" * 64, "ViT-B-32", 512), cpu, dtype)
    labels = [name for name in open_clip.IMAGENET_CLASSNAMES if name.isascii()]
    labels = list(dict.fromkeys(label.lower() for label in labels))[: 10 if quick else 26]
    rows = []
    for name in ("seven",) if quick else ("seven", "imagenet80"):
        templates = list(pack(name).templates)

        def ours(name: str = name) -> Classifier:
            encoder.text_cache = MemoryCache()  # nothing may come from the cache here
            return zero_shot_classifier(encoder, labels, name)

        def other(templates: list[str] = templates) -> Any:
            calls = [lambda c, t=t: t.replace("{label}", c) for t in templates]
            return open_clip.build_zero_shot_classifier(model, tokenizer, labels, calls, device="cpu")

        row = timed_pair("", ours, other, 5)
        least = float((ours().weight * other().T.numpy()).sum(1).min())
        case = f"{len(labels)} classes x {len(templates)} templates (least cosine of a class {least:.5f})"
        rows.append(replace(row, case=case))
    return rows
