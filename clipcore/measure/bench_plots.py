"""Plots of prompts, spoilt pictures and shifted sets. Each takes a result as plain values, as it is kept."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .plots import FIRST, INK, MUTED, SECOND, Plot, per_cent, short
from .promptbench import CONTROL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 4  # of the small plots of a robustness sheet


def prompts_plot(found: Mapping[str, Any]) -> Plot:
    """A `PromptReport`: the accuracy of each prompt set with its interval, the first one as a line (Radford et al., 2021,
    Figure 4); without labels the share of the images whose label changes."""
    arms, labelled = found["arms"], found["labelled"]

    def draw(axes: "Axes") -> None:
        if labelled:
            axes.axvline(arms[0]["accuracy"], color=MUTED, linewidth=1, linestyle="--")
        for place, arm in enumerate(arms):
            colour = SECOND if not place or arm["name"] == CONTROL else FIRST  # the two that the others are held against
            if labelled:
                axes.plot(arm["interval"], [place, place], color=colour, linewidth=2.4, solid_capstyle="round")
                axes.plot(arm["accuracy"], place, "o", color=colour, markersize=6)
            else:
                axes.barh(place, arm["changed"], 0.6, color=colour)
        axes.set_yticks(range(len(arms)), [short(arm["name"]) for arm in arms])
        axes.set_ylim(len(arms) - 0.4, -0.6)
        axes.set_xlabel("accuracy, 95 % interval" if labelled else f"labels that differ from “{arms[0]['name']}”")
        axes.grid(visible=False, axis="y")
        if not labelled:
            axes.set_xlim(0, max(0.01, 1.1 * max(arm["changed"] for arm in arms)))
        per_cent(axes.xaxis)

    return Plot("prompts", f"Prompt sets side by side. {found['sentence']}", draw, 5.6, 0.9 + 0.27 * len(arms))


def robustness_plot(sheet: Mapping[str, Any]) -> Plot:
    """A `Sheet`: a small plot for each corruption, accuracy (or agreement, without labels) against strength with its
    intervals, the clean pictures as a line. For a pasted word also how often it is believed."""
    labelled = sheet["accuracy"] is not None
    value, ends = ("accuracy", "interval") if labelled else ("agreement", "agreement_interval")
    clean = sheet["accuracy"] if labelled else 1.0
    curves = sheet["curves"]
    most = max(point[ends][1] for curve in curves.values() for point in curve)
    top = min(1.02, 1.1 * max(most, clean))
    columns = min(COLUMNS, len(curves))
    rows = -(-len(curves) // columns)

    def draw(grid: Any) -> None:
        cells = np.atleast_1d(grid).ravel()
        for axes, (name, points) in zip(cells, curves.items(), strict=False):
            strengths = [point["strength"] for point in points]
            axes.axhline(clean, color=MUTED, linewidth=1, linestyle="--")
            low, high = zip(*(point[ends] for point in points), strict=True)
            axes.fill_between(strengths, low, high, color=FIRST, alpha=0.18, linewidth=0)
            axes.plot(strengths, [point[value] for point in points], "o-", color=FIRST, markersize=3.5, linewidth=1.6)
            if points[0].get("believed") is not None:
                believed = [point["believed"] for point in points]
                axes.plot(strengths, believed, "s-", color=SECOND, markersize=3, linewidth=1.2)
                axes.annotate("believed", (5, believed[-1]), (0, 5), textcoords="offset points", ha="right", fontsize=7)
            axes.set_title(name, fontsize=9)
            axes.set(xticks=strengths, ylim=(0, top))
            per_cent(axes.yaxis)
        for axes in cells[len(curves) :]:
            axes.set_visible(False)
        for axes in cells[max(0, len(curves) - columns) : len(curves)]:
            axes.set_xlabel("strength")
            axes.tick_params(labelbottom=True)
        for axes in cells[::columns]:
            axes.set_ylabel(value)

    about = f"{value.capitalize()} by corruption and strength. {sheet['sentence']}"
    return Plot("robustness", about, draw, 0.6 + 2.0 * columns, 0.5 + 1.7 * rows, (rows, columns))


def shift_plot(found: Mapping[str, Any]) -> Plot:
    """Accuracy on the shifted set against that on the first, on logit axes, as in Taori et al. (2020): on the diagonal
    nothing is lost; the line through the other models says what to expect."""
    models, robust = found["models"], found.get("effective")

    def at(share: float) -> float:
        return float(np.log(share / (1 - share)))

    def inside(share: float) -> float:
        return min(max(share, 0.005), 0.995)

    def draw(axes: "Axes") -> None:
        ends = [inside(end) for one in models for name in ("interval", "shifted_interval") for end in one[name]]
        low, high = at(min(ends)) - 0.2, at(max(ends)) + 0.2
        axes.plot([low, high], [low, high], color=MUTED, linewidth=1, linestyle="--")
        if robust:
            line = [robust["slope"] * x + robust["intercept"] for x in (low, high)]
            axes.plot([low, high], line, color=SECOND, linewidth=1.2)
        for place, one in enumerate(models):
            x, y = at(inside(one["accuracy"])), at(inside(one["shifted"]))
            colour = SECOND if place else FIRST  # the first one is the user's
            axes.plot([at(inside(end)) for end in one["interval"]], [y, y], color=colour, linewidth=1)
            axes.plot([x, x], [at(inside(end)) for end in one["shifted_interval"]], color=colour, linewidth=1)
            axes.plot(x, y, "o", color=colour, markersize=6)
            right = x > (low + high) / 2  # the name goes where there is room
            side, place_of = ("right", (-7, 6)) if right else ("left", (7, -11))
            axes.annotate(short(one["name"]), (x, y), place_of, textcoords="offset points", ha=side, fontsize=8)
        ticks = [share for share in (0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.99) if low < at(share) < high]
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks([at(share) for share in ticks], [f"{100 * share:.0f}%" for share in ticks])
        axes.set(xlim=(low, high), ylim=(low, high), xlabel="accuracy on the first set")
        axes.set_ylabel("accuracy on the shifted set")

    return Plot("shift", f"Accuracy on the shifted set against the first. {found['sentence']}", draw, 4.6, 4.2)


def shots_plot(rows: Sequence[Mapping[str, Any]], name: str) -> Plot:
    """Accuracy against pictures of each class that were learned from, each row with `shots`, `accuracy` and `interval`; zero
    shots, which learn from none, are a line across (Radford et al., 2021, Figure 6). Rows may have `taught`, the accuracy of
    a second head, and `everything` for all labels."""

    def draw(axes: "Axes") -> None:
        probes = [row for row in rows if row["shots"]]
        for row in (row for row in rows if not row["shots"]):
            axes.axhline(row["accuracy"], color=SECOND, linewidth=1.6, label="zero-shot")
            axes.axhspan(*row["interval"], color=SECOND, alpha=0.15, linewidth=0)
        shots = [row["shots"] for row in probes]
        low, high = zip(*(row["interval"] for row in probes), strict=True)
        axes.fill_between(shots, low, high, color=FIRST, alpha=0.18, linewidth=0)
        axes.plot(shots, [row["accuracy"] for row in probes], "o-", color=FIRST, markersize=4, label="linear probe")
        if all("taught" in row for row in probes):
            axes.plot(shots, [row["taught"] for row in probes], "s--", color=INK, markersize=4, label="taught head")
        axes.set_xscale("log", base=2)
        axes.set_xticks(shots, ["all" if row.get("everything") else str(row["shots"]) for row in probes], minor=False)
        axes.set(xlabel="labelled pictures of each class", ylabel="accuracy", ylim=(0, None))
        axes.legend(loc="lower right")
        per_cent(axes.yaxis)

    return Plot("shots", f"{name}: zero-shot against linear probes on few pictures", draw)


def curve_plot(found: Mapping[str, Any]) -> Plot:
    """A `Curve` of `training.heads.curve`."""
    zero = {"shots": 0, "accuracy": found["zero_shot"], "interval": found["interval"]}
    return shots_plot([zero, *({**row, "accuracy": row["probe"]} for row in found["rows"])], found["sentence"])


def suite_plot(found: Mapping[str, Any]) -> Plot:
    """A `Suite`: the scores of each set with their intervals, arm beside arm; a diamond is the paper's largest CLIP."""
    arms = list(found["means"])
    rows = [(one["called"] or one["name"], one) for one in found["sets"]]

    def draw(axes: "Axes") -> None:
        for place, (_, one) in enumerate(rows):
            axes.plot(1 / one["classes"], place, "|", color=MUTED, markersize=9, label="guessing" if not place else None)
            if one["paper"]:
                seen = any(earlier["paper"] for _, earlier in rows[:place])
                axes.plot(one["paper"], place, "D", color=MUTED, markersize=4, label=None if seen else "the paper's largest")
            for number, arm in enumerate(arms):
                colour = (FIRST, SECOND)[number] if number < 2 else MUTED
                at = place + 0.5 * ((number + 0.5) / len(arms) - 0.5)
                axes.plot(one["intervals"][arm], [at, at], color=colour, linewidth=2, solid_capstyle="round")
                axes.plot(one["scores"][arm], at, "o", color=colour, markersize=5, label=short(arm) if not place else None)
        axes.set_yticks(range(len(rows)), [short(name) for name, _ in rows])
        axes.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6), xlabel="score, 95 % interval")
        axes.grid(visible=False, axis="y")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8)
        per_cent(axes.xaxis)

    return Plot("suite", f"Scores on each set. {found['sentence']}", draw, 5.6, 1.6 + 0.15 * len(arms) + 0.4 * len(rows))
