"""Fine-tuning and its mixtures on a tiny model that has to learn which of two colours is called red."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from clipcore import BadInput, Examples, load, zero_shot_classifier
from clipcore.progress import drain
from tests.support.sentences import assert_sentence
from tests.support.small_clip import write_model
from training.data.pairs import Pair
from training.data.pixels import Pixels
from training.heads.fewshot import few_shot
from training.towers.checkpoint import load_checkpoint
from training.towers.clip import build, encode_pictures
from training.towers.finetune import Tuned, Tuning, finetune, iter_finetune
from training.towers.initial_weights import Start
from training.towers.wise_ft import iter_sweep, mix, write_mixture

LABELS = ("red", "blue", "green")
COLOURS = ((220, 40, 40), (40, 40, 220), (40, 200, 40))


def pictures(count: int, seed: int, labels=LABELS) -> Pixels:
    rng = np.random.default_rng(seed)
    names = [labels[i % len(labels)] for i in range(count)]
    flat = np.array([COLOURS[LABELS.index(name)] for name in names]).reshape(-1, 1, 1, 3)
    noise = rng.integers(-40, 40, (count, 32, 32, 3))
    return Pixels(
        (flat + noise).clip(0, 255).astype(np.uint8), [Pair(f"{seed}/{i}", b"", (), n) for i, n in enumerate(names)]
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def start(model):
    return Start.load(model)


@pytest.fixture(scope="module")
def head(model):
    return zero_shot_classifier(load(model), LABELS)


TUNING = Tuning(learning_rate=3e-3, epochs=4, batch_size=16)


@pytest.fixture(scope="module")
def tuned(start, head, tmp_path_factory) -> Tuned:
    return finetune(start, head, pictures(96, 0), pictures(30, 1), tmp_path_factory.mktemp("run"), TUNING)


def test_it_learns_what_the_zero_shot_head_did_not_know(tuned):
    assert tuned.zero_shot_accuracy < 0.6
    assert tuned.accuracy > 0.9


def test_a_run_that_was_stopped_goes_on_as_if_nothing_had_happened(start, head, tuned, tmp_path):
    steps = iter_finetune(start, head, pictures(96, 0), pictures(30, 1), tmp_path, TUNING)
    for step in steps:
        if step.done == 15:  # in the middle of the third epoch
            break
    steps.close()
    again = finetune(start, head, pictures(96, 0), pictures(30, 1), tmp_path, TUNING)
    assert again.accuracy == tuned.accuracy
    assert torch.allclose(again.head, tuned.head, atol=1e-5)
    other = Tuning(learning_rate=1e-3, epochs=4, batch_size=16)
    with pytest.raises(BadInput, match="another folder"):
        finetune(start, head, pictures(96, 0), pictures(30, 1), tmp_path, other)


def test_the_best_epoch_is_kept_and_it_stops_when_nothing_gets_better(start, head, tmp_path):
    hopeless = Tuning(learning_rate=1e-9, epochs=50, patience=2, batch_size=48)
    steps = []
    kept = drain(iter_finetune(start, head, pictures(48, 0), pictures(30, 1), tmp_path, hopeless), steps.append)
    assert steps[-1].done <= 3
    assert kept.kept == "head"  # which was taught before the first epoch; the tower has not moved
    assert all(torch.equal(weight, start.weights[name]) for name, weight in kept.weights.items())


@pytest.mark.parametrize(("layers", "moved"), [("head", 0), ("last", 1), ("image", 2)])
def test_only_the_chosen_layers_learn(start, head, tmp_path, layers, moved):
    few = Tuning(layers=layers, learning_rate=1e-3, epochs=1, batch_size=16)
    finetune(start, head, pictures(48, 0), pictures(30, 1), tmp_path, few)
    after = load_checkpoint(tmp_path)["model"]  # where it went; what is kept may be the taught head
    changed = {name for name, weight in after.items() if not torch.equal(weight, start.weights[name])}
    assert all(name.startswith("visual.") for name in changed)
    tower = [name for name in after if name.startswith("visual.")]
    assert [not changed, 0 < len(changed) < len(tower) / 2, len(changed) > len(tower) / 2][moved]


def test_mixtures_go_from_one_end_to_the_other_and_half_way_is_half(start, tuned):
    half = mix(start.weights, tuned.weights, 0.5)
    for name, weight in half.items():
        assert torch.allclose(weight, (start.weights[name] + tuned.weights[name]) / 2, atol=1e-6)
    assert all(torch.equal(weight, start.weights[name]) for name, weight in mix(start.weights, tuned.weights, 0.0).items())
    with pytest.raises(BadInput, match="between 0"):
        mix(start.weights, tuned.weights, 1.5)
    with pytest.raises(BadInput, match="one architecture"):
        mix(start.weights, {"other": torch.zeros(1)}, 0.5)


def test_the_sweep_meets_both_ends_and_counts_every_picture(start, head, tuned):
    shifted = pictures(20, 3, ("red", "blue"))
    found = drain(iter_sweep(start, head, tuned, {"target": pictures(30, 1), "shift": shifted}, (0.0, 0.5, 1.0)))
    assert found[0.0]["target"].accuracy == pytest.approx(tuned.zero_shot_accuracy)
    assert found[1.0]["target"].accuracy == pytest.approx(tuned.accuracy)
    assert found[0.5]["shift"].n == 20
    assert found[1.0]["target"].low < found[1.0]["target"].accuracy <= found[1.0]["target"].high


def test_a_mixture_is_a_model_like_any_other_with_its_classifier(start, head, tuned, tmp_path):
    moved = {name: 1.01 * weight if weight.is_floating_point() else weight for name, weight in tuned.weights.items()}
    made = write_mixture(start, head, replace(tuned, kept="tower", weights=moved), 0.5, tmp_path)
    encoder = load(f"local-dir:{tmp_path / 'model'}")
    encoder.space.require(made.space, "The classifier")
    assert made.space.key != head.space.key
    assert made.kind == "fine-tuned"
    assert type(made).load(tmp_path / "classifier.safetensors") == made


def test_pictures_that_cannot_be_learned_from_are_refused(start, head, tmp_path):
    with pytest.raises(BadInput, match="give more of them"):
        finetune(start, head, pictures(8, 0), pictures(0, 1), tmp_path)
    stranger = Pixels(np.zeros((1, 32, 32, 3), np.uint8), [Pair("a", b"", (), "purple")])
    with pytest.raises(BadInput, match="“purple”"):
        finetune(start, head, stranger, pictures(3, 1), tmp_path)
    with pytest.raises(BadInput, match="head, last, image"):
        Tuning(layers="all")


@pytest.mark.parametrize("rate", [0, -1e-5, 1.01, float("inf"), float("nan")])
def test_a_learning_rate_that_cannot_be_one_is_refused(rate):
    with pytest.raises(BadInput, match="above 0 and at most 1; leave it out") as caught:
        Tuning(learning_rate=rate)
    assert_sentence(caught.value)
    assert Tuning(learning_rate=1).learning_rate == 1


def test_where_nothing_is_better_all_stays_as_it_was(start, head, tmp_path):
    answers = head.predict(features(start, pictures(30, 1)))
    held_out = pictures(30, 1)
    told = Pixels(held_out.images, [replace(p, name=a.label) for p, a in zip(held_out.pairs, answers, strict=True)])
    kept = finetune(start, head, pictures(48, 0), told, tmp_path, TUNING)  # the zero-shot head has all of them right
    assert (kept.kept, kept.zero_shot_accuracy, kept.accuracy) == ("nothing", 1, 1)
    assert np.array_equal(kept.head.numpy(), head.weight)
    assert np.array_equal(kept.bias.numpy(), head.bias)
    assert all(torch.equal(weight, start.weights[name]) for name, weight in kept.weights.items())


def features(start, some: Pixels) -> np.ndarray:
    """The vectors of pictures, as fine-tuning sees them."""
    model = build(start.config).eval()
    model.load_state_dict(start.weights)
    with torch.no_grad():
        return encode_pictures(model, some.at(np.arange(len(some))), 32).numpy()


def test_a_rate_that_breaks_the_tower_is_taken_back_and_the_taught_head_stays(start, head, tmp_path):
    wild = Tuning(layers="image", learning_rate=1.0, epochs=6, batch_size=16)
    steps: list = []
    kept = drain(iter_finetune(start, head, pictures(96, 0), pictures(60, 1), tmp_path, wild), steps.append)
    assert any("taken back" in step.message for step in steps)
    rates = [step.metrics["lr"] for step in steps if "lr" in step.metrics]
    assert max(rates[-2:]) < 0.3
    taught = few_shot(Examples(features(start, pictures(96, 0)), tuple(LABELS * 32), head.space), head)
    right = [
        a.label == p.name
        for a, p in zip(taught.predict(features(start, pictures(60, 1))), pictures(60, 1).pairs, strict=True)
    ]
    assert kept.accuracy >= np.mean(right) - 1e-6


def test_a_single_held_out_picture_does_not_outweigh_all_that_were_learned_from(start, head, tmp_path):
    some = pictures(30, 1)
    taught = few_shot(Examples(features(start, pictures(96, 0)), tuple(LABELS * 32), head.space), head)
    before, after = head.predict(features(start, some)), taught.predict(features(start, some))
    place = next(i for i in range(30) if before[i].label != after[i].label)
    wrong = replace(some.pairs[place], name=before[place].label)  # as the taught head sees it
    lost = Pixels(some.images[place : place + 1], [wrong])
    tuned = finetune(start, head, pictures(96, 0), lost, tmp_path, Tuning(layers="head", learning_rate=1e-6, epochs=1))
    assert (tuned.zero_shot_accuracy, tuned.kept) == (1, "head")


def test_few_labels_leave_the_tower_alone():
    assert Tuning().fitting(640, 20).layers == "head"
    assert Tuning().fitting(6400, 20).layers == "image"
    assert Tuning(layers="head").fitting(6400, 20).layers == "head"


def test_where_only_the_head_learned_no_copy_of_the_model_is_written(start, head, tmp_path):
    tuning = Tuning(layers="head", learning_rate=1e-3, epochs=2, batch_size=16)
    tuned = finetune(start, head, pictures(48, 0), pictures(30, 1), tmp_path, tuning)
    assert tuned.kept == "head"
    made = write_mixture(start, head, tuned, 1.0, tmp_path)
    assert made.space == head.space
    assert not (tmp_path / "model").exists()
    assert np.mean(made.logits(features(start, pictures(30, 1))).argmax(1) == np.arange(30) % 3) == pytest.approx(
        tuned.accuracy
    )
