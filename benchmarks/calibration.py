"""Expected calibration error (15 bins) after 100 labels drawn by chance, on all other pictures; mean of five draws."""

import numpy as np

from training import calibrate, few_shot, reliability_curve

from .labelled import CALTECH, CIFAR, TINY, labelled, some_classes
from .pairs import Row

OTHER = "zero-shot shares as they come"


def run(quick: bool) -> list[Row]:
    """The zero-shot head with its temperature refitted, and the taught head, whose temperature comes from leave-one-out."""
    table = []
    for name in (CIFAR,) if quick else (CIFAR, TINY, CALTECH):
        examples, start = labelled(name)
        for count in (10, 50):
            errors, n = [], 0
            for seed in range(5):
                rng = np.random.default_rng(seed)
                some, head = some_classes(examples, start, rng.permutation(len(start.labels))[:count])
                order = rng.permutation(len(some))
                known, rest = some.take(order[:100]), some.take(order[100:])
                truth = rest.targets(head.labels)
                shares = [each.shares(rest.embeddings) for each in (head, calibrate(head, known), few_shot(known, head))]
                errors.append([reliability_curve(s.max(1), s.argmax(1) == truth).error for s in shares])
                n += len(rest)
            before, refitted, taught = 100 * np.mean(errors, 0)
            for case, ours in (("zero-shot, refitted", refitted), ("taught", taught)):
                ratio = round(before / ours, 2)
                table.append(Row(f"{name}, {count} classes, {case}", round(ours, 2), round(before, 2), ratio, "% error", n))
    return table
