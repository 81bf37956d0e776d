"""How long a training will take: what is counted, what is timed, and that the real thing takes about that."""

# ruff: noqa: F401, F811 - fixtures of other files

import json
import time

import pytest
from typer.testing import CliRunner

import app
from clipcore import BadInput
from clipcore.progress import drain, duration
from tests.cli.test_training import pictures, write_recipe
from tests.training.runs.test_finetune_run import folders, model, plan_of
from training.data.pairs import find_sources
from training.data.survey import iter_survey
from training.runs import estimate
from training.runs.estimate import iter_estimate_training, iter_estimate_tuning
from training.runs.finetune_run import iter_tune
from training.runs.request import Plan
from training.towers.finetune import Tuning


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (40.4, "40 s"), (59.6, "1 min"), (725, "12 min"), (3590, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_lengths_of_time_in_words(seconds, words):
    assert duration(seconds) == words


# what is counted


def test_class_folders_are_counted_and_some_are_drawn(folders):
    every = drain(iter_survey([folders / "photos"], lambda pair: None if pair.name == "blue" else "1" not in pair.key))
    assert (every.learned, every.held_out) == (9, 11)  # red 0, 2-9 are without a 1
    assert every.names == {"red"}
    few = drain(iter_survey([folders / "photos"], lambda pair: True, most=10))
    assert few.learned == 40
    assert len(few.some) == 10
    assert {pair.name for pair in few.some} == {"red", "blue"}  # from all over, not the first
    assert few.some == drain(iter_survey([folders / "photos"], lambda pair: True, most=10)).some


def test_of_shards_the_first_is_counted_and_the_others_by_size(pictures, monkeypatch):
    from training.data import survey

    read, opened = survey.read_pairs, []
    monkeypatch.setattr(survey, "read_pairs", lambda path: opened.append(path.name) or read(path))
    shards = find_sources(pictures / "shards")
    assert len(shards) == 2
    found = drain(iter_survey(shards, lambda pair: True))
    assert opened == [shards[0].name]
    assert found.learned == pytest.approx(40, rel=0.1)


def test_data_without_a_picture(tmp_path):
    (tmp_path / "none.csv").write_text("image,caption\ngone.png,a cat\n")
    with pytest.raises(BadInput, match="not one picture"):
        drain(iter_survey([tmp_path / "none.csv"], lambda pair: True))


# what is timed


class Clock:
    now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(estimate, "time", clock)
    return clock


def timed(clock, once, each, batch):
    """What is found for steps of `once` seconds and `each` for a picture, with their sizes; the first takes longer."""
    sizes = []

    def step_of(count):
        def step():
            clock.now += once + each * count + (0 if sizes else 20)
            sizes.append(count)

        return step

    return drain(estimate._iter_time(step_of, batch)), sizes


def test_a_quick_model_is_timed_on_whole_batches(clock):
    seconds, sizes = timed(clock, 0.01, 0.001, 64)
    assert seconds == pytest.approx(0.074)
    assert sizes == [8, 8, 64, 64, 64, 64]


def test_a_slow_model_is_timed_on_few_pictures(clock):
    seconds, sizes = timed(clock, 0, 1.5, 64)
    assert seconds == pytest.approx(96)
    assert sizes == [8, 8]


def test_reading_stops_when_it_takes_long(clock, folders):
    found = drain(iter_survey([folders / "photos"], lambda pair: True))
    decode = estimate.iter_cache

    def slow(pairs, *rest):
        def slowly():
            for pair in pairs:
                clock.now += 1
                yield pair

        return decode(slowly(), *rest)

    estimate.iter_cache = slow
    try:
        read, seconds = drain(estimate._iter_read(found, 32))
    finally:
        estimate.iter_cache = decode
    assert len(read) == 8
    assert seconds == pytest.approx(1, abs=0.2)


# the whole


def test_a_fine_tuning_takes_about_as_long_as_was_said(folders, model, tmp_path):
    tuning = Tuning(learning_rate=1e-6, epochs=60, patience=60, batch_size=8)
    plan = plan_of(folders, model, tuning=tuning)
    found = drain(iter_estimate_tuning(plan))
    began = time.perf_counter()
    drain(iter_tune(plan, tmp_path))
    took = time.perf_counter() - began
    assert took / 4 < found.seconds < took * 4  # a busy machine
    assert 20 < found.images < 40
    assert found.sentence.startswith("About ")
    assert f"for each of 60 epochs over {found.images} images" in found.sentence
    shorter = drain(iter_estimate_tuning(plan_of(folders, model, tuning=Tuning(epochs=2, batch_size=8))))
    assert shorter.seconds < found.seconds
    with pytest.raises(BadInput, match="at least two"):
        drain(iter_estimate_tuning(plan_of(folders, model, labels=("red",))))


def test_a_training_by_steps_and_by_minutes(pictures, tmp_path):
    recipe = write_recipe(tmp_path / "recipe", steps=60, sizes=[[0.0, 16], [0.5, 32]])
    plan = Plan.of([pictures / "colours"], str(recipe))
    found = drain(iter_estimate_training(plan))
    assert 35 < found.images < 60
    assert f"60 steps; {found.images} images are seen" in found.sentence
    began = time.perf_counter()
    drain(plan.iter_run(tmp_path / "out"))
    took = time.perf_counter() - began
    assert took / 5 < found.seconds < took * 5
    hour = drain(iter_estimate_training(Plan.of([pictures / "shards"], str(recipe), minutes=60)))
    assert 3600 < hour.seconds < 4500
    assert "1 h 0 min of training" in hour.sentence
    streamed = drain(iter_estimate_training(Plan.of([pictures / "shards"], str(recipe), minutes=60, stream=True)))
    assert streamed.seconds >= 3600


def test_a_dry_run_says_it_and_leaves_nothing_behind(folders, pictures, model, tmp_path):
    recipe, out = write_recipe(tmp_path / "recipe"), tmp_path / "out"
    for command, options in (
        ("finetune", ["--data", folders / "photos", "--model", model]),
        ("pretrain", ["--data", pictures / "told.jsonl", "--recipe", recipe]),
    ):
        arguments = [command, *options, "--out", out, "--dry-run"]
        told = CliRunner().invoke(app.commands, [*map(str, arguments)])
        assert told.exit_code == 0, told.output
        assert told.stdout.startswith("About ")
        row = json.loads(CliRunner().invoke(app.commands, [*map(str, arguments), "--json"]).stdout)
        assert row["seconds"] >= 0
        assert row["images"] > 0
        assert not out.exists()
