"""The one number, fitted and measured: python -m benchmarks.one_number DATA [--fit] [--model NAME] [--pictures 3000].

DATA is a folder with the WebDataset shards of `SETS`. Without --fit the table is printed: for sets of class names drawn at
random, how often pictures are answered at the default dial, how often these answers are right, how far the figure is off,
and how many pictures at or above the dial are in no column of a class (none may be).

--fit first writes the numbers of the starter, `clipcore/starter/figure.json`: after new weights, this is the one command to
run. They are fitted on every second picture of the development sets, with and without pictures of other classes; the table
is of the other half. Caltech-101 and the sample of ImageNet are only measured.
"""

import json
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

import clipcore
from clipcore import Classifier, Decision, decide, drain, generic_bank, parse_labels, zero_shot_classifier
from clipcore.classify.answers import grounded, none_of, reaches
from clipcore.classify.decision import DIAL
from clipcore.classify.figure import STARTER_FILE, Odds, fitted, regression, told
from clipcore.measure import iter_embed_set
from clipcore.measure.calibration import reliability
from training.data.pairs import read_pairs
from ui.samples import sample_photographs

from .labelled import CALTECH, CIFAR, TINY

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

IMAGENET = "imagenet-sample"
DEVELOPMENT = (CIFAR, TINY)
SETS = (CIFAR, TINY, CALTECH, IMAGENET)
SIZES = {CIFAR: (5, 17, 50), TINY: (5, 17, 50), CALTECH: (5, 17, 50), IMAGENET: (50,)}
FITTED_SIZES = (2, 5, 9, 17, 50, 100)
STRANGERS = (0.0, 0.1, 0.2)  # shares of pictures of other classes, in fitting
MOST, DRAWS = 400, 5  # pictures of a draw, draws of a row
SAMPLE_LABELS = "person, cat, flowers, motorcycle, rocket, building, coffee"
SAMPLE_WITHOUT = ("clock.png", "gravel.png")
SAMPLE_TRUTH = {
    "astronaut": "person", "man with camera": "person", "woman in uniform": "person", "cat": "cat", "flower": "flowers",
    "motorcycle": "motorcycle", "rocket": "rocket", "temple": "building", "coffee": "coffee",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Pictures:
    """Vectors X [n, dim], the place y [n] of each one's class, and the head of all classes."""

    X: np.ndarray
    y: np.ndarray
    head: Classifier

    def half(self, second: bool) -> "Pictures":
        rows = np.arange(len(self.y)) % 2 == int(second)
        return Pictures(self.X[rows], self.y[rows], self.head)

    def draw(self, size: int, strangers: float, rng: np.random.Generator) -> tuple[Classifier, np.ndarray, np.ndarray]:
        """Some of the classes: their head, at most MOST pictures with a share of strangers, places (-1 for strangers)."""
        places = rng.permutation(len(self.head.labels))[:size]
        known = rng.permutation(np.flatnonzero(np.isin(self.y, places)))[: round(MOST * (1 - strangers))]
        other = rng.permutation(np.flatnonzero(~np.isin(self.y, places)))[: round(len(known) * strangers / (1 - strangers))]
        rows = np.concatenate([known, other])
        labels = tuple(self.head.labels[i] for i in places)
        head = replace(self.head, labels=labels, weight=self.head.weight[places], bias=self.head.bias[places])
        where = {int(place): i for i, place in enumerate(places)}
        return head, self.X[rows], np.array([where.get(int(place), -1) for place in self.y[rows]])


def read(encoder: "Encoder", folder: Path, name: str, most: int) -> Pictures:
    """The first pictures of a set."""
    shard = next(iter(sorted(folder.glob(f"{name}*.tar*"))), None)
    if shard is None:
        raise typer.BadParameter(f"There is no {name}*.tar in {folder}; name a folder of WebDataset shards.")
    found = drain(iter_embed_set(encoder, islice(read_pairs(shard), most)))
    names = [str(each) for each in found.names]
    spelled: dict[str, str] = {}
    for each in sorted(set(names)):  # ImageNet has a cardigan and a Cardigan: two classes of one name cannot be told apart
        spelled.setdefault(each.casefold(), each)
    rows = np.array([row for row, each in enumerate(names) if each in spelled.values()])
    head = zero_shot_classifier(encoder, list(spelled.values()))
    return Pictures(found.vectors[rows], np.array([head.labels.index(names[row]) for row in rows]), head)


def samples(encoder: "Encoder") -> tuple[Classifier, np.ndarray, np.ndarray]:
    """The sample photographs as one draw, the drawings left out; those without a name of theirs are strangers."""
    files, labels = sample_photographs(), parse_labels(SAMPLE_LABELS)[0]
    files = {name: file for name, file in files.items() if name not in SAMPLE_WITHOUT}
    truth = [SAMPLE_TRUTH.get(Path(name).stem) for name in files]
    places = np.array([labels.index(each) if each else -1 for each in truth])
    return zero_shot_classifier(encoder, labels), encoder.embed_images(list(files.values())), places


def fit(sets: list[Pictures], bank: np.ndarray) -> Odds:
    """The numbers of a space, from labelled pictures."""
    features, right, above, true = [], [], [], []
    guess = np.array([0.0, 0.5, 0.1, 0.5])
    for each in sets:
        for size in FITTED_SIZES:
            for seed, strangers in enumerate(STRANGERS * 2):
                head, X, y = each.draw(size, strangers, np.random.default_rng([seed, size]))
                ground = grounded(head.with_decision(Decision(odds=Odds(*guess))), X, bank)
                logits = head.logits(X)
                features.append(told(logits, none_of(ground, logits)))
                right.append(logits.argmax(1) == y)
        for size in (1, 1, 1, 2, 2, 4, 8):
            for seed in range(6):  # for labels by themselves: half of the pictures have none
                head, X, y = each.draw(size, 0.5, np.random.default_rng([seed, size, 1]))
                ground = grounded(head.with_decision(Decision(odds=Odds(*guess))), X, bank)
                assert ground.decision.level is not None
                above.append((head.logits(X) - ground.decision.level + np.log(size)).ravel())
                true.append((y[:, None] == np.arange(size)).ravel())
    rows, answers = np.concatenate(features), np.concatenate(right)
    held = np.full(4, 1.0)
    found = regression(rows, answers, guess, held)
    for place in np.flatnonzero(found[1:] < 0) + 1:  # what fits better is never said to be less likely
        held[place], guess[place] = 1e9, 0.0
        found = regression(rows, answers, guess, held)
    scores = np.concatenate(above)
    alone = regression(np.stack([np.ones(len(scores)), scores], 1), np.concatenate(true), np.array([0.0, 1.0]), np.ones(2))
    return Odds(*(round(float(number), 4) + 0.0 for number in (*found, *alone)))


@dataclass(frozen=True)
class Line:
    """A row of the table: shares of pictures that are answered, of answers that are right, of all best labels that are
    right, the mean distance of figure and truth in bins, and how many at or above the dial are in no column."""

    case: str
    answered: float
    right: float
    best: float
    off: float
    outside: int
    n: int


def measure(case: str, draws: list[tuple[Classifier, np.ndarray, np.ndarray]], bank: np.ndarray, sure: float = DIAL) -> Line:
    """One row, over all draws."""
    figures, right, outside = [], [], 0
    for head, X, y in draws:
        answers = decide(head.with_decision(replace(head.decision, sure=sure)), X, bank)
        outside += int((reaches(answers.figure, sure) & (answers.places < 0)).sum())
        figures.append(answers.figure)
        right.append(answers.shares.argmax(1) == y)
    figure, truth = np.concatenate(figures), np.concatenate(right)
    said = reaches(figure, sure)
    error = reliability(figure, truth, 10).error
    share = float(truth[said].mean()) if said.any() else 0.0
    return Line(case, float(said.mean()), share, float(truth.mean()), error, outside, len(truth))


def main(
    folder: Annotated[Path, typer.Argument(envvar="SAYSO_SETS", help="The folder with the shards.")],
    write: Annotated[bool, typer.Option("--fit", help="First fit the starter's numbers and write them.")] = False,
    model: Annotated[str, typer.Option(help="As in clipcore.models.")] = "starter",
    pictures: Annotated[int, typer.Option(help="Of each set, at most.")] = 3000,
    table: Annotated[bool, typer.Option(help="Measure, too.")] = True,
) -> None:
    """Fit, and print the table."""
    encoder = clipcore.load(model)
    bank = generic_bank(encoder)
    sets = {name: read(encoder, folder, name, pictures) for name in (SETS if table else DEVELOPMENT)}
    if write:
        found = fit([sets[name].half(False) for name in DEVELOPMENT], bank)
        kept = {"space": encoder.space.key, "odds": asdict(found)}
        text = json.dumps({"made by": "python -m benchmarks.one_number DATA --fit", **kept}, indent=1)
        STARTER_FILE.write_text(text + "\n", encoding="utf-8")
        forget()
        print(text)
    if table:
        show(encoder, sets, bank)


def forget() -> None:
    """Read the starter's numbers again."""
    from clipcore.classify import figure

    figure._starter.cache_clear()


def show(encoder: "Encoder", sets: dict[str, Pictures], bank: np.ndarray) -> None:
    """Print the table, and where the dial would answer as often as it is right."""
    rows = {"sample photos, 7": [samples(encoder)]}
    for name, sizes in SIZES.items():
        there = sets[name].half(True) if name in DEVELOPMENT else sets[name]
        for size in sizes:
            for strangers in (0.0,) if name == IMAGENET else (0.0, 0.3):
                also = ", three of ten strangers" if strangers else ""
                draws = 8 * DRAWS if name == IMAGENET else DRAWS
                rows[f"{name}, {size}{also}"] = [
                    there.draw(size, strangers, np.random.default_rng([99, seed])) for seed in range(draws)
                ]
    known = "fitted" if fitted(encoder.space) else "estimated"
    print(f"Dial at {DIAL:.0%}; odds {known}.\n")
    print("| set, classes | answered | of these right | right if all were answered | figure off by | outside | pictures |")
    print("|---|---|---|---|---|---|---|")
    for case, draws in rows.items():
        line = measure(case, draws, bank)
        cells = " | ".join(f"{100 * share:.0f} %" for share in (line.answered, line.right, line.best, line.off))
        print(f"| {line.case} | {cells} | {line.outside} | {line.n:,} |", flush=True)
    chosen = [case for case in rows if case.split(",")[0] in ("sample photos", *DEVELOPMENT) and "strangers" not in case]
    print("\nDial: mean distance of answered and right over", "; ".join(chosen))
    for sure in range(30, 75, 5):
        lines = [measure(case, rows[case], bank, sure / 100) for case in chosen]
        print(f"  {sure} %: {100 * np.mean([abs(line.answered - line.right) for line in lines]):.1f} points")


if __name__ == "__main__":
    typer.run(main)
