"""Draws docs/predictions.png: 40 pictures and what the starter says of them, as in Figure 21 of Radford et al. (2021).

    python -m docs.predictions [--model NAME]

The 17 photographs ship with scikit-image, scikit-learn and matplotlib (public domain, CC0 and CC BY; of the last, china.jpg
by danielbuechele and flower.jpg by vultilion, both from Flickr, CC BY 2.0). The 23 drawings are glyphs of Noto Color Emoji
(SIL Open Font License; Debian package fonts-noto-color-emoji). The labels of each are those of all the
others of its kind.
"""

from pathlib import Path
from typing import Annotated

import typer
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
PHOTOGRAPHS = {
    "skimage/data/astronaut.png": "astronaut",
    "skimage/data/brick.png": "brick wall",
    "skimage/data/camera.png": "man with a camera",
    "skimage/data/chelsea.png": "cat",
    "skimage/data/clock_motion.png": "clock",
    "skimage/data/coffee.png": "cup of coffee",
    "skimage/data/coins.png": "coins",
    "skimage/data/grass.png": "grass",
    "skimage/data/gravel.png": "gravel",
    "skimage/data/hubble_deep_field.jpg": "galaxies",
    "skimage/data/moon.png": "surface of the moon",
    "skimage/data/motorcycle_left.png": "motorcycle",
    "skimage/data/page.png": "page of a book",
    "skimage/data/rocket.jpg": "rocket",
    "sklearn/datasets/images/china.jpg": "temple",
    "sklearn/datasets/images/flower.jpg": "flower",
    "matplotlib/mpl-data/sample_data/grace_hopper.jpg": "woman in uniform",
}
DRAWINGS = {
    "🐕": "dog",
    "🐈": "cat",
    "🐘": "elephant",
    "🐎": "horse",
    "🐄": "cow",
    "🐪": "camel",
    "🐻": "bear",
    "🐟": "fish",
    "🐝": "bee",
    "🦋": "butterfly",
    "🐌": "snail",
    "🐸": "frog",
    "🍄": "mushroom",
    "🍕": "pizza",
    "🍊": "orange",
    "🚌": "bus",
    "🚲": "bicycle",
    "🚀": "rocket",
    "🏠": "house",
    "⌚": "watch",
    "🪑": "chair",
    "🌻": "sunflower",
    "☂": "umbrella",
}
OUT = Path(__file__).with_name("predictions.png")
RIGHT, WRONG, OTHER = "#2a9d4a", "#e08214", "#b8b8b8"


def drawing(glyph: str) -> Image.Image:
    """A glyph on white paper."""
    paper = Image.new("RGB", (160, 160), "white")
    font = ImageFont.truetype(FONT, 109)  # the one size its pictures have
    ImageDraw.Draw(paper).text((80, 80), glyph, font=font, embedded_color=True, anchor="mm")
    return paper


def photograph(path: str) -> Image.Image:
    """A file inside an installed package."""
    package, rest = path.split("/", 1)
    with Image.open(Path(__import__(package).__file__).parent / rest) as image:
        return image.convert("RGB")


def main(
    model: Annotated[str, typer.Option(help="As in clipcore.models.")] = "starter",
    out: Annotated[Path, typer.Option(help="The file to draw.")] = OUT,
) -> None:
    """Draw the page and print how many answers are right."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    import clipcore

    clip = clipcore.load(model)
    sets = {
        "photo": ([photograph(path) for path in PHOTOGRAPHS], list(PHOTOGRAPHS.values())),
        "drawing": ([drawing(glyph) for glyph in DRAWINGS], list(DRAWINGS.values())),
    }
    figure, axes = plt.subplots(8, 10, figsize=(20, 16), width_ratios=[1, 1.1] * 5, layout="constrained")
    cells = iter(axes.reshape(-1, 2))
    for kind, (images, names) in sets.items():
        classifier = clipcore.zero_shot_classifier(clip, sorted(set(names)))
        predictions = list(classifier.predict(clip.embed_images(images)))
        right = sum(prediction.label == name for prediction, name in zip(predictions, names, strict=True))
        print(f"{kind}s: {right} of {len(names)} right, among {len(classifier.labels)} labels")
        for image, name, prediction in zip(images, names, predictions, strict=True):
            left, bars = next(cells)
            left.imshow(image)
            left.set_title(name, fontsize=11, loc="left", fontweight="bold")
            left.axis("off")
            top = prediction.top(5)[::-1]
            best = prediction.label
            colours = [RIGHT if label == name else WRONG if label == best else OTHER for label, _ in top]
            bars.barh(range(5), [share for _, share in top], color=colours)
            for i, (label, share) in enumerate(top):
                bars.text(0.02, i, f"{label}  {share:.0%}", va="center", fontsize=9.5)
            bars.set_xlim(0, 1)
            bars.axis("off")
    figure.savefig(out, dpi=60)


if __name__ == "__main__":
    typer.run(main)
