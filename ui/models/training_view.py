"""A training as HTML: its curves, and when it is over its mixtures with what they are worth."""

from collections.abc import Collection, Mapping, Sequence
from html import escape

from ..progress import said
from .curves import curves_svg
from .rows import button
from .training_folders import Training


def trainings_html(runs: Sequence[Training], shown: str, at_work: Collection[str]) -> str:
    """The trainings as rows, each with its own buttons; `at_work` are the names of those that a job is about."""
    rows = []
    for run in runs:
        is_over = bool(run.sentence or run.model)
        came = run.sentence or ("Its model is in the list above." if run.model else "Not finished; nothing came of it yet.")
        left = "" if is_over or run.name in at_work else button("delete", run.name, run.name)
        what = "shown" if run.name == shown else button("show", run.name, run.name)
        mark = " class=current" if run.name == shown else ""
        rows.append(
            f'<tr{mark}><th scope="row">{escape(run.name)}</th><td>{what}{left}</td>'
            f'<td class="words">{escape("At work." if run.name in at_work else came)}</td></tr>'
        )
    head = "".join(f'<th scope="col">{words}</th>' for words in ("Training", "Curves", "What came of it"))
    return (
        '<div class="scroll" role="region" aria-label="Trainings" tabindex="0"><table class="facts"><thead><tr>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def training_html(run: Training, alpha: float) -> str:
    """The curves of a training, and the mixtures when it is over."""
    log = run.log()
    losses = [(row["step"], row["loss"]) for row in log if "loss" in row]
    scores: dict[str, list[tuple[float, float]]] = {}
    for row in log:
        for name, value in row.items():
            if name == "held_out" or name.split("/")[0] in ("zero_shot", "recall5"):
                words = "held-out images" if name == "held_out" else name.partition("/")[2]
                scores.setdefault(words, []).append((row["step"], value))
    if not log:
        return said(f"“{run.name}” has not learned anything yet. Its curves come soon after it begins.")
    figures = curves_svg("Loss", {"loss": losses}, "steps")
    figures += curves_svg("Right answers on held-out images", scores, "steps", share=True)
    return f'<div class="figures">{figures}{_mixtures(run, alpha)}</div>{_table(run, alpha)}'


def _mixtures(run: Training, alpha: float) -> str:
    if not run.mixable:
        return ""
    sweep = run.sweep
    names = list(next(iter(sweep.values())))
    lines = {name: [(a, row[name]["accuracy"]) for a, row in sweep.items()] for name in names}
    bars = {name: [(row[name]["low"], row[name]["high"]) for row in sweep.values()] for name in names}
    title = "Right answers of each mixture, with 95 % intervals"
    return curves_svg(title, lines, "0 as it was, 1 fine-tuned", share=True, marked=alpha, intervals=bars)


def _table(run: Training, alpha: float) -> str:
    """Mixtures (rows) by sets (columns); the one that is marked, and the one that the model is now."""
    if not run.mixable:
        return said(run.sentence) if run.sentence else ""
    sweep = run.sweep
    first = next(iter(sweep.values()))
    head = "".join(f'<th scope="col">{escape(name)} (n = {first[name]["n"]:,})</th>' for name in first)
    nearest = min(sweep, key=lambda each: abs(each - alpha))
    rows = "".join(
        f'<tr{" class=current" if a == nearest else ""}><th scope="row">{a:g}</th>'
        + "".join(f"<td>{_cell(m)}</td>" for m in row.values())
        + "</tr>"
        for a, row in sweep.items()
    )
    return (
        '<div class="scroll" role="region" aria-label="Mixtures" tabindex="0"><table class="facts mixtures"><thead><tr>'
        f'<th scope="col">Mixture</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="subtle">“{escape(run.name)}” is the mixture {run.alpha:g}. {escape(run.sentence)}</p>'
    )


def _cell(measured: Mapping[str, float]) -> str:
    """Accuracy with its 95 % interval."""
    share, low, high = (100 * measured[name] for name in ("accuracy", "low", "high"))
    return f"{share:.1f} % <small>{low:.1f} to {high:.1f} %</small>"
