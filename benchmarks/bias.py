"""The bias bench once images are embedded: three label sets by fourteen groups, and one class more."""

import numpy as np
from scipy import stats

from clipcore.encoding.encoder import Encoder
from clipcore.measure.bias import Bench, Design, Facts, LabelSet

from .pairs import Row, timed_pair

OTHER = "a loop over label sets and groups with NumPy, and scipy.stats for each cell; with a class more, all of it again"
GROUPS, LABELS, SETS = 14, 30, 3


def run(quick: bool) -> list[Row]:
    """5,000 vectors drawn by chance, 30 labels in each of 3 sets; the starter reads the words."""
    import clipcore

    encoder = clipcore.load()
    rng = np.random.default_rng(0)
    n = 1000 if quick else 5000
    X = rng.standard_normal((n, encoder.dim), np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    group = rng.integers(0, GROUPS, n)
    facts = Facts({"group": tuple(f"group {g}" for g in group)})
    words = [
        f"{a} {b}" for a in ("young", "old", "tall", "small", "loud", "calm") for b in ("man", "dog", "car", "tree", "cup")
    ]
    sets = tuple(LabelSet(f"set {k}", (*words[: LABELS - 1], f"thing {k}")) for k in range(SETS))
    design = Design(sets, ("group",), {"people": tuple(words[::5])})
    Bench(encoder, X, facts).measure(design)  # the words are read before the clock runs
    looked_at = Bench(encoder, X, facts)
    looked_at.measure(design)

    def measure() -> object:
        return [table.to_json() for table in Bench(encoder, X, facts).measure(design)]

    def by_loops(asked: Design = design) -> object:
        return [_by_loops(encoder, X, group, one) for one in asked.label_sets]

    fresh = iter(f"child {i}" for i in range(1000))

    def what_if() -> object:
        """A word that nobody has asked for before."""
        return looked_at.what_if(design, "set 0", add=next(fresh)).to_json()

    def again() -> object:
        return by_loops(Design((sets[0].edit(add=next(fresh)),), ("group",)))

    rounds = 3 if quick else 5
    return [
        timed_pair(f"{n:,} images, {SETS} sets of {LABELS} labels, {GROUPS} groups", measure, by_loops, rounds),
        timed_pair(f"{n:,} images, what if a class is added", what_if, again, rounds),
    ]


def _by_loops(encoder: Encoder, X: np.ndarray, group: np.ndarray, label_set: LabelSet) -> list[object]:
    from clipcore import zero_shot_classifier

    guess = zero_shot_classifier(encoder, label_set.labels).logits(X).argmax(1)
    rows: list[object] = []
    for label in range(len(label_set.labels)):
        for g in range(GROUPS):
            own, rest = guess[group == g] == label, guess[group != g] == label
            low, high = stats.binomtest(int(own.sum()), len(own)).proportion_ci(0.95, "wilson")
            p = stats.fisher_exact([[own.sum(), (~own).sum()], [rest.sum(), (~rest).sum()]])[1]
            rows.append((label, g, own.mean(), low, high, p))
    stats.false_discovery_control([row[5] for row in rows])  # type: ignore[index]
    return rows
