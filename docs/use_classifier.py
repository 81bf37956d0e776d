"""Classify pictures with a classifier file of Sayso: python use_classifier.py FILE PICTURE... [--model local-dir:PATH]"""

import argparse, importlib, json, open_clip, pathlib, sys, numpy as np  # fmt: skip  # noqa: E401, I001
from PIL import Image, ImageOps
from safetensors import safe_open

parser, lse, likely = argparse.ArgumentParser(), np.logaddexp.reduce, lambda odds: np.exp(-np.logaddexp(0, -odds))
parser.add_argument("file"), parser.add_argument("pictures", nargs="+"), parser.add_argument("--model")
parser.add_argument("--sayso", default=pathlib.Path(__file__).resolve().parents[1])  # whose folder has the starter's towers
with safe_open((asked := parser.parse_args()).file, "numpy") as file:
    head, weight, bias = json.loads(file.metadata()["sayso"]), file.get_tensor("weight"), file.get_tensor("bias")
sys.path.append(str(asked.sayso)), (name := asked.model or head["space"]["name"])  # only the model it was made with fits
ours = importlib.import_module("clipcore.models") if name == "starter" else None
loads = ours.open_clip_model if ours else open_clip.create_model_from_pretrained
model, preprocess = loads(*((name, None) if ":" in name else name.split("/", 1)))[:2]
T, level, odds, n = (how := head["decision"])["temperature"], how["level"], how.get("odds"), len(bias)
for path in asked.pictures:
    x = model.eval().encode_image(preprocess(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))[None], normalize=True)
    score, alone = head["scale"] * weight @ x.detach().numpy()[0] + bias, head["activation"] == "sigmoid"
    z, rest = score / T, np.sort(score)[:-1] / T
    if how["many"] or n == 1:  # each label by itself: log odds, none of them
        z = z if alone or level is None else odds["alone_constant"] + odds["alone"] * (score - level + np.log(n)) / T
        none, told = 1 - likely(z).max(), z - [np.log(t / (1 - t)) for t in how["thresholds"] or [0.5] * n]
    else:  # the best one, by its share, its lead, and how well any of them fits
        none = 1 - likely(z.max()) if alone else 0 if level is None else likely((level - 2 - lse(score)) / T)
        tells = np.array([1, z.max() - lse(rest), z.max() - rest[-1], np.log(max(1 - none, 1e-9))])
        told = np.where(z == z.max(), tells @ list(odds.values())[:4] if odds else tells[1], -np.inf)
    sure = np.round(100 * likely(told)).clip(1, 99) * np.isfinite(told)
    said = ", ".join(np.array(head["labels"])[sure >= max(100 * how["sure"] - 1e-6, 1)])
    print(path, said or ("none of these" if none > 0.5 else "unsure"), f"{sure.max() / 100:.2f}", sep="\t")
