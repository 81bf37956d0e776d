"""What came of a fine-tuning, in words that promise no more than the held-out pictures show."""

from collections.abc import Mapping, Sequence

from ..heads.cross_validation import Measured
from ..towers.finetune import Kept

FEW = 30  # held-out pictures below which no share of them is a headline

Sweep = Mapping[float, Mapping[str, Measured]]


def verdict(kept: Kept, sweep: Sweep, alpha: float, target: str) -> str:
    """Sentences about the mixture `alpha` of a sweep (mixture -> set -> accuracy) on its held-out set `target`."""
    before, after = sweep[0.0][target], sweep[alpha][target]
    if kept == "nothing":
        told = "Nothing was better than what you had; the model is unchanged."
        return f"{told} {_standing(before)}"
    told = {
        "head": "Only the classifier learned; the model itself is unchanged.",
        "tower": f"The new model is the mixture {alpha:g}.",
    }[kept]
    if after.n < FEW:
        return f"{told} {_standing(after)}"
    told += (
        f" Right on held-out images: {_percent(before.accuracy)} before, {_percent(after.accuracy)} now ({_range(after)})."
    )
    if after.accuracy <= before.accuracy:
        best = max(sweep, key=lambda each: sweep[each][target].accuracy)
        return told + (f" That is no gain; the mixture {best:g} has most right." if best else " That is no gain.")
    return told + (" The gain may be chance." if after.low <= before.accuracy else "")


def card(name: str, model: str, labels: Sequence[str], sentence: str, sweep: Sweep) -> str:
    """The model card of a run in Markdown: what came of it, from what, and how good each mixture is on which pictures."""
    sets = list(next(iter(sweep.values())))
    cells = {a: [f"{_percent(m.accuracy)}, {_range(m)} (n = {m.n:,})" for m in row.values()] for a, row in sweep.items()}
    lines = [f"| {alpha:g} | {' | '.join(row)} |" for alpha, row in cells.items()]
    table = "\n".join([f"| mixture | {' | '.join(sets)} |", f"|---|{'---|' * len(sets)}", *lines])
    return (
        f"# {name}\n\n{sentence}\n\nIt began as `{model}` and was tuned to {len(labels)} classes: {', '.join(labels)}. "
        "A mixture of 0 is the model as it was, 1 the fine-tuned one (WiSE-FT). Shares of right answers, with 95 % "
        f"intervals:\n\n{table}\n"
    )


def _standing(measured: Measured) -> str:
    """How good it is, and for few pictures only between what."""
    if measured.n >= FEW:
        return f"It has {_percent(measured.accuracy)} of {measured.n:,} held-out images right ({_range(measured)})."
    images = "image is" if measured.n == 1 else "images are"
    return f"Only {measured.n} {images} held out: the share of right answers lies {_range(measured)}. Label more to know."


def _range(measured: Measured) -> str:
    return f"between {100 * measured.low:.0f} and {100 * measured.high:.0f} %"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
