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
loads = open_clip_model if name == "starter" else open_clip.create_model_from_pretrained
model, preprocess = loads(*((name, None) if ":" in name else name.split("/", 1)))[:2]
for path in asked.pictures:
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    with torch.no_grad():
        x = model.eval().encode_image(preprocess(image)[None], normalize=True).numpy()[0]
    score, how = head["scale"] * weight @ x + bias, head.get("decision", {})
    z, odds, level = score / how.get("temperature", 1), how.get("odds"), how.get("level")
    shares = np.exp(z - np.logaddexp.reduce(z)) if head["activation"] == "softmax" else 1 / (1 + np.exp(-z))
    figure, rest = shares.max(), np.sort(z)[:-1]
    if odds and head["activation"] == "softmax" and not how["many"] and len(rest):  # how likely right, as Sayso shows it
        fit = 0 if level is None else -np.logaddexp(0, (level - 2 - np.logaddexp.reduce(score)) / how["temperature"])
        tells = np.array([1, z.max() - np.logaddexp.reduce(rest), z.max() - rest[-1], fit])
        figure = np.clip(np.round(100 / (1 + np.exp(-tells @ list(odds.values())[:4]))), 1, 99) / 100
    print(path, head["labels"][shares.argmax()] if figure >= how.get("sure", 0) else "unsure", f"{figure:.4f}", sep="\t")
