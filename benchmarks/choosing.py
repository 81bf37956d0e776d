"""Which pictures to label: heads taught from N that were chosen against N drawn at random, on four sets.

Chosen without a label; then labelled by the truth. Half of each class is tested on. `ours` is the mean accuracy of three
pools from the pictures chosen, `other` from as many drawn at random (mean of five draws for each pool).
"""

import numpy as np

from training import few_shot
from training.heads.choosing import WAYS, choose

from .labelled import CALTECH, CIFAR, TINY, dealt, encoded_once, some_classes
from .pairs import Row

OTHER = "as many pictures drawn at random"
CLASSES, BUDGETS = 20, (20, 80)


def run(quick: bool) -> list[Row]:
    """Twenty classes of each set, so that a budget is what a person labels in minutes."""
    table = []
    for name in (CIFAR, CALTECH) if quick else (CIFAR, CALTECH, TINY, f"{CIFAR}, uneven"):
        examples, whole = encoded_once(name.split(",")[0])
        for budget in BUDGETS:
            ours: dict[str, list[float]] = {how: [] for how in WAYS}
            chance: list[float] = []
            for seed in range(1 if quick else 3):
                places = np.random.default_rng(seed).choice(len(whole.labels), CLASSES, replace=False)
                some, start = some_classes(examples, whole, places)
                pool, tested = dealt(some, 10**9, seed)
                if "uneven" in name:  # one class in two has a tenth of the pictures, as in a person's folder
                    rare = set(start.labels[::2])
                    kept = [i for i, label in enumerate(pool.labels) if label not in rare or i % 10 == 0]
                    pool = pool.take(kept)
                truth = tested.targets(start.labels)
                answers = start.logits(pool.embeddings).argmax(1)

                def right(rows: np.ndarray, pool=pool, start=start, tested=tested, truth=truth) -> float:
                    head = few_shot(pool.take(rows), start)
                    return float((head.logits(tested.embeddings).argmax(1) == truth).mean())

                for how in WAYS:
                    ours[how].append(right(choose(pool.embeddings, budget, how, answers)))
                rng = np.random.default_rng(seed)
                chance += [right(rng.choice(len(pool), min(budget, len(pool)), replace=False)) for _ in range(5)]
            other = float(np.mean(chance))
            for how in WAYS:
                mean = float(np.mean(ours[how]))
                case = f"{name}, {budget} of {CLASSES} classes, {how}"
                table.append(
                    Row(case, round(100 * mean, 2), round(100 * other, 2), round(mean / other, 3), "% right", budget)
                )
    return table
