"""Fine-tuning from folders of pictures to a model and a classifier, through the command line's own plan."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import app
from clipcore import BadInput, Classifier, load
from clipcore.progress import drain
from tests.support.small_clip import write_model
from training.runs.finetune_run import TARGET, TunePlan, choose_mixture, iter_tune
from training.towers.finetune import Tuning

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


def test_from_folders_to_a_model_and_another_mixture_of_it(folders, model, tmp_path):
    report = drain(iter_tune(plan_of(folders, model), tmp_path))
    assert report.classifier.labels == ("blue", "red")
    assert set(report.sweep[0.5]) == {TARGET, "dark"}
    assert report.sweep[0.5]["dark"].n == 12
    half = load(f"local-dir:{report.folder}")
    half.space.require(Classifier.load(tmp_path / "classifier.safetensors").space, "The classifier")

    again = drain(iter_tune(plan_of(folders, model), tmp_path))  # nothing is left to do, and nothing changes
    assert again.sweep == report.sweep

    zero_shot = choose_mixture(tmp_path, 0.0)
    assert zero_shot.space.key != report.classifier.space.key
    assert np.allclose(np.linalg.norm(zero_shot.weight, axis=1), 1, atol=1e-5)
    assert json.loads((tmp_path / "tune.json").read_text())["alpha"] == 0.0
    assert choose_mixture(tmp_path, 0.5) == report.classifier


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
    assert remixed.stdout.strip() == f"local-dir:{tmp_path / 'run' / 'model'}"
    bare = CliRunner().invoke(app.commands, ["finetune", "--out", str(tmp_path / "none")])
    assert bare.exit_code == 2
    assert "--data" in bare.output
    wrong = CliRunner().invoke(
        app.commands, ["finetune", "--out", str(tmp_path / "none"), *map(str, options), "--rate", "0"]
    )
    assert wrong.exit_code == 2
    assert "learning rate must be above 0" in wrong.output
    assert not (tmp_path / "none").exists()
