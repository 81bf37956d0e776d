"""Few-shot heads with 1 to 16 labels per class against zero-shot, logistic regression and the nearest class mean.

Same labels for all, nothing tuned on others; scikit-learn's defaults. Half of each class is tested on. Mean of five draws;
`interval` in the case's name is the 95 % interval of ours (normal, over the pictures of all draws). The last rows count
draws in which the head that cross-validation adopted is below zero-shot by more than chance (McNemar's test, 5 %).
"""

import numpy as np
from scipy.stats import binomtest

from clipcore import Classifier, Examples
from training import few_shot, teach

from .labelled import CALTECH, CIFAR, dealt, labelled
from .pairs import Row

OTHER = "the best of zero-shot, scikit-learn's LogisticRegression and the nearest class mean"


def run(quick: bool) -> list[Row]:
    """Two sets the starter sees at its best (CIFAR-100) and at its worst (Caltech-101)."""
    table = []
    for name in (CIFAR, CALTECH):
        examples, start = labelled(name)
        below = draws = 0
        for shots in (1, 4) if quick else (1, 2, 4, 8, 16):
            ours, others, tested = [], [], 0
            for seed in range(2 if quick else 5):
                known, rest = dealt(examples, shots, seed)
                truth = rest.targets(start.labels)
                before = start.logits(rest.embeddings).argmax(1) == truth
                after = few_shot(known, start).logits(rest.embeddings).argmax(1) == truth
                if teach(known, start).adopt:
                    lost, won = int((before & ~after).sum()), int((after & ~before).sum())
                    below += lost > won and binomtest(lost, lost + won).pvalue < 0.05
                draws += 1
                ours.append(after.mean())
                others.append([before.mean(), *_others(known, rest, start)])
                tested += len(rest)
            mean, best = float(np.mean(ours)), float(np.mean(others, 0).max())
            half = 1.96 * np.sqrt(mean * (1 - mean) / tested)
            case = f"{name}, {shots} a class, interval {mean - half:.1%} to {mean + half:.1%}"
            table.append(Row(case, round(100 * mean, 2), round(100 * best, 2), round(mean / best, 2), "% right", tested))
        table.append(Row(f"{name}, adopted and worse than zero-shot", below, 0, 0, "draws", draws))
    return table


def _others(known: Examples, rest: Examples, start: Classifier) -> list[float]:
    from sklearn.linear_model import LogisticRegression

    y, truth = known.targets(start.labels), rest.targets(start.labels)
    logistic = LogisticRegression(max_iter=1000).fit(known.embeddings, y).predict(rest.embeddings)
    means = np.stack([known.embeddings[y == place].mean(0) for place in range(len(start.labels))])
    nearest = (rest.embeddings @ means.T - 0.5 * (means**2).sum(1)).argmax(1)
    return [float((found == truth).mean()) for found in (logistic, nearest)]
