"""Fine-tuning from folders of pictures to a model and a classifier, through the command line's own plan."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import app
from clipcore import BadInput, Classifier, load
from clipcore.progress import Step, drain
from tests.support.small_clip import write_model
from training.heads.cross_validation import Measured
from training.runs import finetune_run
from training.runs.finetune_run import TARGET, TunePlan, choose_mixture, iter_tune
from training.runs.verdict import verdict
from training.towers.finetune import Learner, Tuned, Tuning

COLOURS = {"red": (220, 40, 40), "blue": (40, 40, 220)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Class folders to learn from, and darker ones as a shift."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for kind, count, dim in (("photos", 20, 1.0), ("dark", 6, 0.5)):
        for name, colour in COLOURS.items():
            (root / kind / name).mkdir(parents=True)
            for i in range(count):
                pixels = (np.array(colour) * dim + rng.integers(-30, 30, (32, 32, 3))).clip(0, 255)
                Image.fromarray(pixels.astype(np.uint8)).save(root / kind / name / f"{i}.png")
    return root


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return write_model(tmp_path_factory.mktemp("model"))


def plan_of(folders, model, **changes) -> TunePlan:
    tuning = Tuning(learning_rate=3e-3, epochs=2, batch_size=8)
    given = {"data": (str(folders / "photos"),), "shifts": (str(folders / "dark"),), "tuning": tuning}
    return TunePlan(model=model, **{**given, **changes})


def test_a_plan_survives_being_written_down(folders, model):
    plan = plan_of(folders, model)
    assert TunePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_from_folders_to_a_model_and_another_mixture_of_it(folders, model, tmp_path, monkeypatch):
    monkeypatch.setattr(Learner, "teach_head", lambda *args: None)  # which is all that these colours need
    plan = plan_of(folders, model, tuning=Tuning("image", learning_rate=3e-3, epochs=6, batch_size=8))
    report = drain(iter_tune(plan, tmp_path))
    assert report.classifier.labels == ("blue", "red")
    assert set(report.sweep[0.5]) == {TARGET, "dark"}
    assert report.sweep[0.5]["dark"].n == 12
    assert (report.kept, report.alpha) == ("tower", 0.5)
    half = load(report.model)
    half.space.require(Classifier.load(tmp_path / "classifier.safetensors").space, "The classifier")

    again = drain(iter_tune(plan, tmp_path))  # nothing is left to do, and nothing changes
    assert again.sweep == report.sweep

    zero_shot = choose_mixture(tmp_path, 0.0)
    assert zero_shot.space.key != report.classifier.space.key
    assert np.allclose(np.linalg.norm(zero_shot.weight, axis=1), 1, atol=1e-5)
    assert json.loads((tmp_path / "tune.json").read_text())["alpha"] == 0.0
    assert choose_mixture(tmp_path, 0.5) == report.classifier


def test_where_nothing_is_better_there_is_no_new_model_and_that_is_said(folders, model, tmp_path, monkeypatch):
    def hopeless(start, head, train, held_out, out, tuning, device):
        yield Step(0)
        end = torch.from_numpy(np.array(head.weight)), torch.from_numpy(np.array(head.bias))
        return Tuned(dict(start.weights), *end, 0.5, 0.5, "nothing")

    monkeypatch.setattr(finetune_run, "iter_finetune", hopeless)
    report = drain(iter_tune(plan_of(folders, model), tmp_path))
    assert (report.kept, report.model, report.classifier) == ("nothing", model, None)
    assert report.sentence.startswith("Nothing was better than what you had; the model is unchanged. Only ")
    assert list(report.sweep) == [0.0]
    assert not (tmp_path / "model").exists()
    assert not (tmp_path / "classifier.safetensors").exists()
    assert json.loads((tmp_path / "tune.json").read_text())["sentence"] == report.sentence
    told = (tmp_path / "MODEL_CARD.md").read_text()
    assert report.sentence in told
    assert f"| 0 | {100 * report.sweep[0.0][TARGET].accuracy:.1f} %" in told


@pytest.mark.parametrize(
    ("kept", "right", "n", "alpha", "sentence"),
    [
        (
            "tower",
            (2, 3, 3),
            4,
            0.5,
            "The new model is the mixture 0.5. Only 4 images are held out: the share of right "
            "answers lies between 30 and 95 %. Label more to know.",
        ),
        (
            "head",
            (0, 1, 1),
            1,
            0.5,
            "Only the classifier learned; the model itself is unchanged. Only 1 image is held out: "
            "the share of right answers lies between 21 and 100 %. Label more to know.",
        ),
        (
            "tower",
            (60, 90, 95),
            100,
            0.5,
            "The new model is the mixture 0.5. Right on held-out images: 60.0 % before, 90.0 % now (between 83 and 94 %).",
        ),
        (
            "tower",
            (60, 62, 62),
            100,
            0.5,
            "The new model is the mixture 0.5. Right on held-out images: 60.0 % before, 62.0 % "
            "now (between 52 and 71 %). The gain may be chance.",
        ),
        (
            "tower",
            (60, 55, 80),
            100,
            0.5,
            "The new model is the mixture 0.5. Right on held-out images: 60.0 % before, 55.0 % "
            "now (between 45 and 64 %). That is no gain; the mixture 1 has most right.",
        ),
        (
            "nothing",
            (69,),
            100,
            0.0,
            "Nothing was better than what you had; the model is unchanged. It has 69.0 % of 100 "
            "held-out images right (between 59 and 77 %).",
        ),
    ],
)
def test_the_verdict_says_no_more_than_the_pictures_show(kept, right, n, alpha, sentence):
    sweep = {a: {TARGET: Measured.of(np.arange(n) < r)} for a, r in zip((0.0, 0.5, 1.0), right, strict=False)}
    assert verdict(kept, sweep, alpha, TARGET) == sentence


def test_folders_that_hold_something_else_are_left_alone(folders, model, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match="empty folder"):
        drain(iter_tune(plan_of(folders, model), tmp_path))
    with pytest.raises(BadInput, match="at least two"):
        drain(iter_tune(plan_of(folders, model, labels=("red",)), tmp_path / "one"))
    with pytest.raises(BadInput, match="held out must lie between"):
        plan_of(folders, model, held_out=1.0)
    with pytest.raises(BadInput, match="another run"):
        drain(iter_tune(plan_of(folders, model), tmp_path / "one"))
    with pytest.raises(BadInput, match="no finished"):
        choose_mixture(tmp_path / "nothing", 0.5)


def test_command_line_draws_the_table_of_mixtures(folders, model, tmp_path):
    options = ["--data", folders / "photos", "--shift", folders / "dark", "--epochs", "1", "--model", model]
    done = CliRunner().invoke(app.commands, ["finetune", "--out", str(tmp_path / "run"), "--json", *map(str, options)])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["mixture"] for row in rows] == [round(0.1 * i, 1) for i in range(11)]
    assert all(0 <= row["dark"][0] <= 1 and row["dark"][3] == 12 for row in rows)

    remixed = CliRunner().invoke(app.commands, ["finetune", "--out", str(tmp_path / "run"), "--remix", "--mix", "1"])
    assert remixed.stdout.strip() == str(tmp_path / "run" / "classifier.safetensors")  # only the classifier learned
    assert "Only the classifier learned; the model itself is unchanged." in done.stderr
    assert "is the mixture 1;" in done.stderr  # all of what was taught, where nobody asked otherwise
    unsaid = CliRunner().invoke(app.commands, ["finetune", "--out", str(tmp_path / "run"), "--remix"])
    assert "Say with --mix" in unsaid.output
    bare = CliRunner().invoke(app.commands, ["finetune", "--out", str(tmp_path / "none")])
    assert bare.exit_code == 2
    assert "--data" in bare.output
    wrong = CliRunner().invoke(
        app.commands, ["finetune", "--out", str(tmp_path / "none"), *map(str, options), "--rate", "0"]
    )
    assert wrong.exit_code == 2
    assert "learning rate must be above 0" in wrong.output
    assert not (tmp_path / "none").exists()
