"""Classify pictures with a classifier file of Sayso: python use_classifier.py FILE PICTURE... [--model local-dir:PATH]"""

import argparse, json, open_clip, torch  # fmt: skip  # noqa: E401, I001
import numpy as np
from PIL import Image, ImageOps
from safetensors import safe_open

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("file"), parser.add_argument("pictures", nargs="+"), parser.add_argument("--model")
asked = parser.parse_args()
with safe_open(asked.file, "numpy") as file:
    head, weight, bias = json.loads(file.metadata()["sayso"]), file.get_tensor("weight"), file.get_tensor("bias")
name = asked.model or head["space"]["name"]  # the very model that the classifier was made with, or its numbers mean nothing
if name == "starter":  # Sayso's own small model: its towers are not open_clip's, so the Sayso folder must be here
    from clipcore.models import open_clip_model

    model, preprocess, _ = open_clip_model(name)
else:
    architecture, _, tag = (name, "", None) if ":" in name else name.partition("/")
    model, preprocess = open_clip.create_model_from_pretrained(architecture, tag)
for path in asked.pictures:
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    with torch.no_grad():
        x = model.eval().encode_image(preprocess(image)[None], normalize=True).numpy()[0]
    logits = (head["scale"] * weight @ x + bias) / head.get("decision", {}).get("temperature", 1)
    powers = np.exp(logits - logits.max())
    shares = powers / powers.sum() if head["activation"] == "softmax" else 1 / (1 + np.exp(-logits))
    sure = shares.max() >= head.get("decision", {}).get("sure", 0)
    print(path, head["labels"][shares.argmax()] if sure else "unsure", f"{shares.max():.4f}", sep="\t")
