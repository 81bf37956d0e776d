"""Two pretrained towers joined by the command: tiny ones, made here with random weights."""

import json
from pathlib import Path

import numpy as np
import open_clip
import pytest
import timm
import torch
from PIL import Image

import clipcore
from clipcore.errors import BadInput
from clipcore.progress import drain
from tests.support.sentence_encoder import sentence_encoder
from training.runs import joined
from training.runs.request import Plan

COLOURS = {"red": (200, 30, 30), "green": (30, 180, 40), "blue": (40, 50, 200), "white": (240, 240, 240)}
WORDS = [*COLOURS, "a", "photo", "of", "the", "square", "colour", "dull"]


@pytest.fixture(scope="module")
def towers(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """What to say for --image-tower and --text-tower."""
    folder = tmp_path_factory.mktemp("towers")
    torch.manual_seed(0)
    weights = timm.create_model("test_efficientnet", pretrained=False).state_dict()
    torch.save({f"renamed.{i}": value for i, value in enumerate(weights.values())}, folder / "classifier.pth")
    return f"test_efficientnet:{folder / 'classifier.pth'}", str(sentence_encoder(folder / "sentences", WORDS))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Squares of four colours: in class folders, and with captions."""
    folder, rng, rows = tmp_path_factory.mktemp("data"), np.random.default_rng(0), []
    for i in range(48):
        name, colour = list(COLOURS.items())[i % 4]
        picture = np.clip(np.array(colour) + rng.normal(0, 12, (32, 32, 3)), 0, 255).astype(np.uint8)
        path = folder / "named" / name / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
        rows.append({"image": str(path.relative_to(folder)), "captions": [f"a {name} square", f"the colour {name}"]})
    (folder / "told.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return [folder / "named", folder / "told.jsonl"]


def recipe(folder: Path, lock: str) -> Path:
    folder.mkdir()
    said = {
        "lock": lock,
        "side": 32,
        "views": 1,
        "nouns": "nouns.json",
        "lexicon": {"steps": 2, "batch_size": 8},
        "distillation": {"steps": 6, "sizes": [32], "head_steps": 4, "teacher_side": 32, "crops": 2, "log_every": 2},
        "joining": {"steps": 60, "batch_size": 32, "negatives": 16, "learning_rate": 0.01, "imagined": 0.1, "log_every": 20},
        "reading": {"steps": 20, "batch_size": 16, "held_size": 8, "other_pictures": 16},
    }
    said["joining"]["nouns"] = 0.5
    (folder / "nouns.json").write_text(json.dumps({name: {"hypernyms": ["colour"]} for name in COLOURS}), encoding="utf-8")
    (folder / "recipe.json").write_text(json.dumps({"towers": {"image": "", "text": "", **said}}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("lock", ["image", "none"])
def test_joined_towers_know_what_they_were_told(
    lock: str, towers: tuple[str, str], data: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(joined, "nouns", lambda: [("square", ("colour",)), ("photo", ("square", "colour"))])
    image, text = towers
    plan = Plan.of(data, str(recipe(tmp_path / "recipe", lock)), image_tower=image, text_tower=text)
    folder = drain(plan.iter_run(tmp_path / "out"))
    model = clipcore.load(f"local-dir:{folder}", device="cpu", precision="fp32")
    names = list(COLOURS)
    pictures = [Image.new("RGB", (40, 40), COLOURS[name]) for name in names]
    answers = clipcore.zero_shot_classifier(model, names, "photo").predict(model.embed_images(pictures))
    assert [answer.label for answer in answers] == names

    # the image tower stayed as it was, or did not
    weights = torch.load(image.partition(":")[2], weights_only=True)
    own = timm.create_model("test_efficientnet", pretrained=False)
    own.load_state_dict(dict(zip(own.state_dict(), weights.values(), strict=True)))
    plain, _, _ = open_clip.create_model_and_transforms(
        f"local-dir:{folder}", text_cfg=clipcore.models.locate.text_config_in(f"local-dir:{folder}", _config(folder))
    )
    moved = max(
        float((value.detach() - own.state_dict()[key]).abs().max())
        for key, value in plain.visual.trunk.trunk.named_parameters()
        if key in own.state_dict()
    )
    assert (moved > 1e-3) == (lock == "none")  # but for what float16 rounds


def _config(folder: Path) -> dict:
    return json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))["model_cfg"]


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ({"image_tower": "test_efficientnet"}, "NAME:FILE"),
        ({"image_tower": "no_such_net:x.pth", "text_tower": "x"}, "timm knows no model"),
        ({"image_tower": "test_efficientnet:nowhere.pth", "text_tower": "x"}, "no weights that can be read"),
        ({"image_tower": "test_efficientnet:x.pth"}, "--text-tower"),
        ({"image_tower": "test_efficientnet:x.pth", "text_tower": "x", "lock": "both"}, "--lock"),
    ],
)
def test_what_cannot_be_joined_is_said(said: dict[str, str], remedy: str, data: list[Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=remedy):
        drain(Plan.of(data, **said).iter_run(tmp_path / "out"))
