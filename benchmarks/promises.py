"""python -m benchmarks promises DATA: whether promises are kept, on DATA, a folder of WebDataset shards as in `labelled.py`.

Each line is DRAWS draws of classes and labels; all other pictures of the classes are the test. Three ways to make a promise
of at most 5 % wrong: the words alone, tested on all labels; a head taught with all labels, tested on the same ones by
five folds (cross-conformal); and one taught with half of them, tested on the other half (split).

    kept      draws in which the promise was kept on the test, of all draws; one that is refused answers nothing. In brackets
              those in which it was missed beyond what chance shows on so many pictures (a 95 % test)
    refused   draws with too few labels for it
    answered  share of the test that is answered, and beside it what the best dial would answer that knew the test (`oracle`)
    of it     the mean of answered / oracle over draws with an oracle that answers anything; refused draws count as 0

Then sets of names for 90 % with a confidence of 90 %, by LAC as shipped and by APS as published: draws whose coverage is
90 % or more, mean coverage, mean names in a set. Last the calibration error (15 bins) of the figure, which is shown, beside
what true probabilities would show on as many pictures, and how often drift is seen where there is none, and where three of
ten pictures are of other classes.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from clipcore import BadInput, Classifier, Examples, generic_bank
from clipcore.classify.answers import grounded, reaches
from clipcore.classify.drift import drift
from clipcore.classify.promise import SETTINGS, WRONG, Unseen, chance_of, promise, unseen
from clipcore.classify.sets import level, scores
from training import few_shot, reliability_curve
from training.heads.calibration import settled
from training.heads.cross_validation import cross_tested

from .labelled import CALTECH, CIFAR, IMAGENET, TINY, encoded_once, some_classes

SETS = {CIFAR: "CIFAR-100", TINY: "Tiny-ImageNet", CALTECH: "Caltech-101", IMAGENET: "ImageNet's sample"}
CLASSES, LABELS, DRAWS = (10, 50), (100, 400), 50
COVERAGE = 0.9
STRANGERS = 0.3

Told = tuple[Classifier, Unseen, np.ndarray]  # a head, what it says of pictures it had not learned from, all their shares
Way = Callable[[Classifier, Examples, np.ndarray], Told]


def words(start: Classifier, known: Examples, y: np.ndarray) -> Told:
    """The words alone."""
    logits = start.logits(known.embeddings)
    head = settled(start, logits, y)
    return head, unseen(head, logits, y), head.shares_of(logits)


def cross(start: Classifier, known: Examples, y: np.ndarray) -> Told:
    """All labels teach, and all test, as a lesson does it."""
    head = few_shot(known, start)
    logits, found = cross_tested(known, start)
    assert found is not None
    return head, found, head.shares_of(logits)


def split(start: Classifier, known: Examples, y: np.ndarray) -> Told:
    """One half teaches, the other tests."""
    half = np.arange(len(y)) % 2 == 0
    head = few_shot(known.take(half), start)
    logits = head.logits(known.take(~half).embeddings)
    words = start.logits(known.take(~half).embeddings)
    return head, unseen(head, logits, y[~half], words), head.shares_of(logits)


WAYS: dict[str, Way] = {"words": words, "taught, cross": cross, "taught, split": split}


@dataclass
class Draw:
    """What came of one draw."""

    kept: bool
    beyond: bool
    refused: bool
    answered: float
    oracle: float
    coverage: dict[str, float]
    size: dict[str, float]
    error: float
    chance: float
    alarm: bool
    strangers: bool


def one(way: Way, start: Classifier, known: Examples, rest: Examples, others: np.ndarray, seed: int) -> Draw:
    """One draw: promise with the labels, and look at the rest."""
    y, truth = known.targets(start.labels), rest.targets(start.labels)
    head, tested, shares = way(start, known, y)
    test = unseen(head, head.logits(rest.embeddings), truth)
    oracle = best(test)
    answered, wrong = 0, 0
    try:
        said = reaches(test.figure, promise(tested).sure)
        answered, wrong, refused = int(said.sum()), int(test.wrong[said].sum()), False
    except BadInput:
        refused = True
    beyond = bool(answered) and 1 - chance_of(wrong - 1, answered, WRONG) < 0.05 if wrong else False
    coverage, size = names(head, tested, shares, rest, truth, seed)
    curve = reliability_curve(test.figure, ~test.wrong)
    mixed = rest.embeddings[: round(len(others) * (1 - STRANGERS) / STRANGERS)]
    return Draw(
        wrong <= WRONG * answered, beyond, refused, answered / len(truth), oracle, coverage, size, curve.error, curve.chance,
        drift(start, tested, rest.embeddings).found, drift(start, tested, np.concatenate([mixed, others])).found,
    )  # fmt: skip


def best(test: Unseen) -> float:
    """The largest share that a dial answers which knows the test, with at most WRONG of it wrong."""
    shares = [0.0]
    for sure in SETTINGS:
        said = reaches(test.figure, sure)
        if said.any() and test.wrong[said].mean() <= WRONG:
            shares.append(float(said.mean()))
    return max(shares)


def names(
    head: Classifier, tested: Unseen, said: np.ndarray, rest: Examples, truth: np.ndarray, seed: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Coverage and mean size of the sets of names: LAC as it ships, and APS's plain form."""
    coverage, size = {}, {}
    shares, rows = head.shares(rest.embeddings), np.arange(len(truth))
    rng = np.random.default_rng(seed)
    aps = level(scores(said, "aps", rng)[np.arange(len(said)), tested.truth], COVERAGE)
    ways = {
        "lac": level(1 - tested.share, COVERAGE).holds(scores(shares)),
        "aps": aps.holds(scores(shares, "aps", rng)),
    }
    for name, inside in ways.items():
        coverage[name], size[name] = float(inside[rows, truth].mean()), float(inside.sum(1).mean())
    return coverage, size


def main(
    folder: Annotated[Path, typer.Argument(envvar="SAYSO_SETS", help="The folder with the shards.")],
    draws: Annotated[int, typer.Option(help="Of classes and labels, for each line.")] = DRAWS,
    only: Annotated[str, typer.Option(help="One set, by the name of its shards.")] = "",
) -> None:
    """Print the three tables."""
    import os

    import clipcore

    os.environ["SAYSO_SETS"] = str(folder)
    bank = generic_bank(clipcore.load())
    rows: list[tuple[str, list[Draw]]] = []
    for name, shown in SETS.items() if not only else [(only, SETS[only])]:
        examples, everything = encoded_once(name)
        for classes in CLASSES:
            for labels in LABELS:
                found: dict[str, list[Draw]] = {way: [] for way in WAYS}
                for seed in range(draws):
                    rng = np.random.default_rng([seed, classes, labels])
                    chosen = rng.permutation(len(everything.labels))[:classes]
                    some, head = some_classes(examples, everything, chosen)
                    if len(some) < 2 * labels:
                        continue  # as many to test on as to learn from
                    order = rng.permutation(len(some))
                    known, rest = some.take(order[:labels]), some.take(order[labels:])
                    ground = grounded(head, known.embeddings, bank)
                    strange = np.flatnonzero(~np.isin(np.array(examples.labels), list(head.labels)))
                    count = round(min(len(rest), 1000) * STRANGERS)
                    others = examples.embeddings[rng.permutation(strange)[:count]]
                    for way, work in WAYS.items():
                        found[way].append(one(work, ground, known, rest, others, seed))
                case = f"{shown}, {classes} classes, {labels} labels"
                rows += [(f"{case}, {way}", lines) for way, lines in found.items() if lines]
                print(case, len(found["words"]), "draws", file=sys.stderr, flush=True)
    show(rows)


def show(rows: list[tuple[str, list[Draw]]]) -> None:
    """The tables as Markdown."""
    print(
        "\n| at most 5 % wrong | kept (missed beyond chance) | refused | answered | oracle | of it |"
        "\n|---|---|---|---|---|---|"
    )
    for case, draws in rows:
        ratio = [draw.answered / draw.oracle for draw in draws if draw.oracle]
        cells = (
            f"{sum(draw.kept for draw in draws)} of {len(draws)} ({sum(draw.beyond for draw in draws)})",
            f"{sum(draw.refused for draw in draws)}",
            *(f"{100 * np.mean([getattr(draw, part) for draw in draws]):.0f} %" for part in ("answered", "oracle")),
            f"{100 * np.mean(ratio):.0f} %" if ratio else "",
        )
        print(f"| {case} | {' | '.join(cells)} |")
    print(
        "\n| sets of names for 90 % | LAC: kept | covers | names | APS: kept | covers | names |"
        "\n|---|---|---|---|---|---|---|"
    )
    for case, draws in rows:
        cells = tuple(
            cell
            for method in ("lac", "aps")
            for cell in (
                f"{sum(draw.coverage[method] >= COVERAGE for draw in draws)} of {len(draws)}",
                f"{100 * np.mean([draw.coverage[method] for draw in draws]):.1f} %",
                f"{np.mean([draw.size[method] for draw in draws]):.2f}",
            )
        )
        print(f"| {case} | {' | '.join(cells)} |")
    print("\n| the figure, and drift | off by | by chance | alarm without drift | with strangers |\n|---|---|---|---|---|")
    for case, draws in rows:
        error, chance, alarm, strangers = (
            100 * np.mean([getattr(draw, part) for draw in draws]) for part in ("error", "chance", "alarm", "strangers")
        )
        print(f"| {case} | {error:.1f} % | {chance:.1f} % | {alarm:.0f} % | {strangers:.0f} % |")


if __name__ == "__main__":
    typer.run(main)
