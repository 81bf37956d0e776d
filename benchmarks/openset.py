"""None of these: pictures of classes that are not on the list, half of each set's classes, or all but ten or two.

Area under the curve of `Answers.none`, mean of five draws of classes; others: one minus the largest share, what a softmax
alone would give. The last row: how many Caltech-101 pictures a head taught with four labels a class answers while it is
right in 95 % of its answers, the dial set on half of the pictures and measured on the other half.
"""

from dataclasses import replace

import numpy as np
from sklearn.metrics import roc_auc_score

import clipcore
from clipcore import decide, generic_bank
from training import few_shot

from .labelled import CALTECH, CIFAR, TINY, dealt, labelled, some_classes
from .pairs import Row

OTHER = "one minus the best share"


def run(quick: bool) -> list[Row]:
    """Known and unknown pictures together, as in a library."""
    bank = generic_bank(clipcore.load())
    table = []
    for name in (TINY,) if quick else (TINY, CIFAR, CALTECH):
        examples, start = labelled(name)
        half = len(start.labels) // 2
        for count in (half, 10, 2):
            ours, others, n = [], [], 0
            for seed in range(5):
                order = np.random.default_rng(seed).permutation(len(start.labels))
                known, head = some_classes(examples, start, order[:count])
                unknown, _ = some_classes(examples, start, order[half:])
                X = np.concatenate([known.embeddings, unknown.embeddings])
                truth = np.repeat([0, 1], [len(known), len(unknown)])
                ours.append(roc_auc_score(truth, decide(head, X, bank).none))
                others.append(roc_auc_score(truth, -head.shares(X).max(1)))
                n += len(truth)
            mean, other = float(np.mean(ours)), float(np.mean(others))
            case = f"{name}, {count} classes known, {len(start.labels) - half} not, draws {min(ours):.3f} to {max(ours):.3f}"
            table.append(Row(case, round(mean, 3), round(other, 3), round(mean / other, 2), "AUROC", n))
    known, rest = dealt(labelled(CALTECH)[0], 4, 0)
    head = few_shot(known, labelled(CALTECH)[1])
    answers = decide(head.with_decision(replace(head.decision, sure=0.0)), rest.embeddings)
    right = answers.places == rest.targets(head.labels)
    chooses, measured = np.arange(len(rest)) % 2 == 0, np.arange(len(rest)) % 2 == 1
    order = np.argsort(-answers.figure[chooses])
    precise = np.cumsum(right[chooses][order]) / np.arange(1, chooses.sum() + 1) >= 0.95
    sure = answers.figure[chooses][order][np.flatnonzero(precise).max()] if precise.any() else 1.1
    said = measured & (answers.figure >= sure)
    precision = float(right[said].mean()) if said.any() else 0.0
    case = f"{CALTECH}, answered, of which right {precision:.0%}"
    table.append(Row(case, round(100 * said.sum() / measured.sum(), 1), 100, 0, "% of pictures", int(measured.sum())))
    return table
