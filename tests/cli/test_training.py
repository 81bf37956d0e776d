"""The commands `pretrain` and `evaluate`, on generated pictures; where signals matter, in a process of its own."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from clipcore import load
from tests.support.commands import sayso
from tests.support.processes import fork
from tests.support.server import command_line
from tests.training.towers.test_contrastive import CONFIG, squares
from tests.training.towers.test_distributed import write_shards


@pytest.fixture(autouse=True, scope="module")
def on_the_cpu() -> Iterator[None]:
    """Small pictures are not worth a GPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        yield


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`colours` has class folders, `shards` two shards of the same, `told.jsonl` captions of the folders' pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    data = squares(60, 0)
    rows = []
    for i, (image, pair) in enumerate(zip(data.images, data.pairs, strict=True)):
        path = folder / "colours" / str(pair.name) / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
        rows.append(
            {"image": str(path.relative_to(folder)), "captions": [f"a {pair.name} square", f"the colour {pair.name}"]}
        )
    (folder / "colours/red/bad.png").write_text("no picture")
    (folder / "told.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_shards(folder / "shards", 2, 20)
    return folder


def write_recipe(folder: Path, **settings: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"batch_size": 20, "chunk": 20, "steps": 60, "ema": 0.9, "log_every": 10, "text_steps": 10, **settings}
    recipe = {"config": CONFIG, "settings": wanted, "held_out": 0.2}
    (folder / "recipe.json").write_text(json.dumps(recipe))
    return folder


@pytest.fixture(scope="module")
def trained(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]], str]:
    """A finished run of the command: its folder, its rows and what it said."""
    recipe = write_recipe(tmp_path_factory.mktemp("recipe"))
    out = tmp_path_factory.mktemp("run") / "out"
    rows, errors = sayso("pretrain", "--data", pictures / "colours", "--recipe", recipe, "--out", out, "--json")
    return out, rows, errors


def test_pretrain_then_classify_with_the_result(trained: Any, pictures: Path, tmp_path: Path) -> None:
    out, rows, _ = trained
    assert [row["step"] for row in rows[:-1]] == [10, 20, 30, 40, 50, 60]
    assert all({"loss", "logit_scale", "lr", "images_per_s"} <= set(row) for row in rows[:-1])
    assert rows[-2]["zero_shot/colours"] == 1
    assert rows[-1] == {"model": f"local-dir:{out / 'model'}"}
    names = "red, green, blue, yellow, grey"
    model = rows[-1]["model"]
    answers, _ = sayso("classify", pictures / "colours", "--labels", names, "--model", model, "--json", "--home", tmp_path)
    right = [Path(answer["path"]).parent.name == answer["label"] for answer in answers]
    assert len(right) == 60
    assert np.mean(right) > 0.9


def test_evaluate_several_sets_in_one_table(trained: Any, pictures: Path, tmp_path: Path) -> None:
    model = trained[1][-1]["model"]
    sets = [pictures / "colours", pictures / "shards", pictures / "told.jsonl"]
    packs = ["--pack", "bare", "--pack", "seven"]
    rows, errors = sayso("evaluate", *sets, *packs, "--model", model, "--json", "--home", tmp_path)
    expected = [
        ("colours", "bare"),
        ("colours", "seven"),
        ("shards", "bare"),
        ("shards", "seven"),
        ("told.jsonl", "captions"),
    ]
    assert [(row["set"], row["prompts"]) for row in rows] == expected
    keys = [
        "set",
        "prompts",
        "classes",
        "n",
        "top1",
        "top5",
        "interval",
        "mean_per_class_recall",
        "recall",
        "support",
        "skipped",
    ]
    assert all([key for key in row if key in keys] == keys for row in rows[:4])
    assert [row["n"] for row in rows] == [60, 60, 40, 40, 60]
    assert all(row["top1"] > 0.8 for row in rows[:4])
    assert rows[0]["skipped"] == 1
    assert "skipped colours/red/bad.png: " in errors
    captions = rows[4]
    assert captions["captions"] == 120
    # 12 pictures share each caption, and ties count against: the tenth is found now and then, by the noise
    assert 0 < captions["text_to_image"]["10"] <= 1
    assert captions["text_to_image"]["1"] <= captions["text_to_image"]["5"] <= captions["text_to_image"]["10"]


def test_a_run_is_never_overwritten(trained: Any, pictures: Path, tmp_path: Path) -> None:
    out, _, _ = trained
    before = (out / "checkpoint.pt").stat().st_mtime_ns
    recipe, data = write_recipe(tmp_path / "recipe"), pictures / "colours"
    other = write_recipe(tmp_path / "other", batch_size=10)
    for arguments, sentence in (
        (["--data", data, "--recipe", recipe, "--out", out], "holds a finished run"),
        (["--data", data, "--recipe", other, "--out", out, "--resume"], "a run of another recipe"),
        (
            ["--data", pictures / "shards", "--recipe", recipe, "--out", out, "--resume"],
            "a run of another recipe, model or data",
        ),
        (["--data", data, "--recipe", recipe, "--out", pictures], "holds other files"),
        (["--data", data, "--recipe", recipe, "--out", pictures / "told.jsonl"], "is a file"),
        (["--data", data, "--recipe", "nowhere", "--out", tmp_path / "new"], "no recipe nowhere"),
        (["--data", data, "--recipe", "finetune", "--out", tmp_path / "new"], "--model"),
        (["--data", tmp_path / "gone", "--out", tmp_path / "new"], "does not exist"),
        (["--out", tmp_path / "new"], "--data"),
    ):
        _, errors = sayso("pretrain", *arguments, code=2)
        assert sentence in errors
        assert len(errors.strip().splitlines()) == 1
    assert (out / "checkpoint.pt").stat().st_mtime_ns == before


def test_ctrl_c_leaves_a_checkpoint_and_resume_goes_on(pictures: Path, tmp_path: Path) -> None:
    recipe, out = write_recipe(tmp_path / "recipe", log_every=1, steps=300, text_steps=0), tmp_path / "out"
    command = ["pretrain", "--data", pictures / "shards", "--recipe", recipe, "--out", out, "--stream", "--json"]
    said = tmp_path / "said"
    process = fork(command_line, list(map(str, command)), output=said)
    while said.read_text().count('"step"') < 3 if said.exists() else True:
        assert process.exitcode is None, said.read_text()
        time.sleep(0.01)
    assert process.pid
    os.kill(process.pid, signal.SIGINT)
    process.join(60)
    lines = said.read_text().splitlines()
    assert process.exitcode == 130, lines
    assert any(f"To go on: python app.py pretrain --resume --out {out}" in line for line in lines)
    done = max(json.loads(line)["step"] for line in lines if line.startswith("{"))
    assert done < 300
    assert load(f"local-dir:{out / 'model'}", "cpu", "fp32").dim == 32
    recipe_text = (recipe / "recipe.json").read_text()
    (recipe / "recipe.json").write_text(recipe_text.replace('"steps": 300', f'"steps": {done + 3}'))
    rows, _ = sayso("pretrain", "--resume", "--out", out, "--json")
    assert [row.get("step") for row in rows] == [done + 1, done + 2, done + 3, None]


def test_a_model_is_trained_further_by_captions(trained: Any, pictures: Path, tmp_path: Path) -> None:
    model = trained[1][-1]["model"]
    recipe = tmp_path / "further"
    recipe.mkdir()
    (recipe / "recipe.json").write_text(
        json.dumps({"settings": {"steps": 4, "batch_size": 20, "accumulate": 2, "log_every": 2}})
    )
    out = tmp_path / "out"
    data = ["--data", pictures / "told.jsonl", "--data", pictures / "shards"]
    rows, _ = sayso("pretrain", *data, "--model", model, "--recipe", recipe, "--out", out, "--json")
    assert [row.get("step") for row in rows] == [2, 4, None]
    encoder = load(rows[-1]["model"], "cpu", "fp32")
    vectors = [m.embed_texts(["a red square"]) for m in (encoder, load(model, "cpu", "fp32"))]
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)  # it learned
    assert float((vectors[0] * vectors[1]).sum()) > 0.3  # from where it was
