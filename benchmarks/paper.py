"""Three figures of Radford et al. (2021) on labelled sets, with 95 % intervals: python -m benchmarks.paper FOLDER [--quick].

- Figure 4: the bare name, one sentence, seven and eighty, each against the bare name on the same pictures.
- Figure 6: zero-shot against linear probes on 1, 2, 4, 8 and 16 pictures of each class, which see no names.
- Section 3.3: a robustness sheet (corruptions instead of the paper's natural shifts, which need other sets).

FOLDER holds WebDataset shards called as in `SETS`. Probes are tested on half of each class, the same for all shots; their
figure is the mean over draws of what is learned from.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

import clipcore
from clipcore import Classifier, Examples, drain, pack, zero_shot_classifier
from clipcore.measure import iter_embed_set
from clipcore.measure.bench_plots import prompts_plot, robustness_plot, shots_plot
from clipcore.measure.intervals import clustered_interval
from clipcore.measure.page import figures, page, plain_table
from clipcore.measure.promptbench import bench_prompts
from clipcore.measure.robustness import iter_robustness, some_of
from training import linear_probe
from training.data.pairs import read_pairs

from .labelled import CALTECH, CIFAR, TINY, dealt

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

SETS = (TINY, CIFAR, CALTECH)
ARMS = ("bare", "photo", "seven", "imagenet80")
SHOTS = (1, 2, 4, 8, 16)
DRAWS = 3


@dataclass(frozen=True)
class Shots:
    """Accuracy with its 95 % interval from `shots` pictures of each class; 0 is zero-shot."""

    shots: int
    accuracy: float
    interval: tuple[float, float]
    n: int


def embedded(encoder: "Encoder", path: Path) -> Examples:
    """The pictures of a shard as vectors."""
    return drain(iter_embed_set(encoder, read_pairs(path))).examples(encoder.space)[0]


def learning_curve(examples: Examples, start: Classifier, quick: bool) -> Iterator[Shots]:
    """Zero-shot, then probes, on the same half of each class; a picture counts as often as there are draws."""

    def right(head: Classifier, tested: Examples) -> np.ndarray:
        return np.asarray(head.logits(tested.embeddings).argmax(1) == tested.targets(start.labels))

    for shots in (0, *SHOTS):
        draws = 1 if quick or not shots else DRAWS
        hits = 0
        for seed in range(draws):
            # the seed deals the test half too; a fixed one keeps it, and the draw is of what is learned from
            pool, tested = dealt(examples, 10**9, 0)
            learned = pool.few_shot(shots, seed) if shots else pool
            head = linear_probe(learned, start.labels) if shots else start
            hits = hits + right(head, tested).astype(int)
        yield Shots(shots, float(np.mean(hits) / draws), clustered_interval(hits, np.full(len(tested), draws)), len(tested))


def main(
    folder: Annotated[Path, typer.Argument(envvar="SAYSO_SETS", help="The folder with the shards.")],
    model: Annotated[str, typer.Option(help="As in clipcore.models.")] = "starter",
    pictures: Annotated[int, typer.Option(help="Pictures of the robustness sheet.")] = 1000,
    quick: Annotated[bool, typer.Option(help="One draw, fewer pictures.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
    report: Annotated[Path | None, typer.Option(help="Also write an HTML file with the plots.")] = None,
) -> None:
    """Measure and print."""
    encoder = clipcore.load(model)
    found: dict[str, Any] = {"model": encoder.space.name, "fingerprint": encoder.space.key, "sets": {}}
    sections = []
    for name in SETS:
        path = next(iter(sorted(folder.glob(f"{name}*.tar*"))), None)
        if path is None:
            raise typer.BadParameter(f"There is no {name}*.tar in {folder}; name a folder of WebDataset shards.")
        examples = embedded(encoder, path)
        labels = sorted(set(examples.labels))
        tried = bench_prompts(encoder, labels, examples.embeddings, {arm: pack(arm) for arm in ARMS}, examples.labels)
        start = zero_shot_classifier(encoder, labels, "seven")
        curve = [asdict(row) for row in learning_curve(examples, start, quick)]
        prompts = tried.to_json()
        found["sets"][name] = {"prompts": prompts["arms"], "shots": curve}
        sections += [f"<h2>{name}</h2>", figures([prompts_plot(prompts), shots_plot(curve, name)])]
        if not as_json:
            print(f"{name}: {tried.n:,} pictures, {tried.classes} classes")
            print("\n".join(f"  {arm.name:14} {arm}" for arm in tried.arms))
            print("\n".join(f"  {_called(row):14} {_shown(row)}" for row in curve), flush=True)
    samples = some_of([pair for pair in read_pairs(path) if pair.name], 100 if quick else pictures)
    sheet = drain(iter_robustness(encoder, start, samples))
    found["robustness"] = sheet.to_json()
    sections += [f"<h2>Robustness, {name}</h2><p>{sheet.sentence}</p>", figures([robustness_plot(found["robustness"])])]
    if as_json:
        print(json.dumps(found))
    else:
        print(f"{name}, spoilt: {sheet.sentence}")
        for kind, points in sheet.curves.items():
            cells = (f"{_share(p.accuracy)} ({' to '.join(map(_share, p.interval or ()))})" for p in points)
            print(f"  {kind:14} {'  '.join(cells)}")
    if report:
        rows = [(name, _called(row), _shown(row)) for name, one in found["sets"].items() for row in one["shots"]]
        sections.append(plain_table(("set", "learned from", "accuracy, 95 % interval"), rows))
        title = f"Figures of the CLIP paper with {encoder.name}"
        report.write_text(page(title, {"Model": encoder.space.name}, (), sections), encoding="utf-8")


def _called(row: dict[str, Any]) -> str:
    return f"{row['shots']}-shot probe" if row["shots"] else "zero-shot"


def _shown(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    return f"{_share(row['accuracy'])} % ({_share(low)} to {_share(high)}) of {row['n']:,}"


def _share(share: float | None) -> str:
    return f"{100 * (share or 0):.1f}"


if __name__ == "__main__":
    typer.run(main)
