"""Plots as SVG that reads in light and in dark, and as PNG. Drawn by matplotlib without a display, and without the network.

Each colour is drawn as itself and then, in SVG, named: text takes the colour of the text around it, and the rest are CSS
variables with that colour as the default, so that a page can set its own for dark mode.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from threading import Lock
from typing import TYPE_CHECKING, Any

from ..errors import NotFound
from .calibration import Coverage, Reliability
from .compare import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, LINES = "#111827", "#6b7281", "#d1d5dc"
FIRST, SECOND = "#4f46e6", "#b45310"  # each colour occurs nowhere else, so that it can be replaced by its name
_NAMES = {INK: "currentColor", MUTED: "var(--plot-muted, #6b7280)", LINES: "var(--plot-lines, #d1d5db)"}
_NAMES |= {FIRST: "var(--plot-first, #4f46e5)", SECOND: "var(--plot-second, #b45309)"}
# For a file that is opened by itself; a page that puts the plot into its own text says the same in its own way.
DARK = "--plot-muted: #9ca3af; --plot-lines: #374151; --plot-first: #a5b4fc; --plot-second: #fbbf24;"
_ALONE = f"<style>svg {{ color: {INK}; }} @media (prefers-color-scheme: dark) {{ svg {{ color: #e5e7eb; {DARK} }} }}</style>"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read out, copied and takes the page's font
    "svg.hashsalt": "sayso",
    "text.parse_math": False,  # a class may be called $5
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINES,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
}
# What stands above a plot: its title, and how to read it.
TITLES = {
    "reliability": (
        "Is it right as often as it says?",
        "On the dashed line it is. Below the line it is surer than it is right.",
    ),
    "coverage": ("Only the surest answers", "How often it is right, if it answers only this share of the images."),
    "comparison": ("Both side by side", "The dot is the accuracy; the true one likely lies on the line."),
    "cost": ("Mistakes against work", "Each dot is a model. Lower makes fewer mistakes; further left is faster."),
    "prompts": ("Prompt sets side by side", "The dot is what was measured; the true value likely lies on the line."),
    "robustness": (
        "How well it stands spoilt images",
        "Further right the images are spoilt more. The dashed line is without.",
    ),
    "shift": ("How it does on another set", "On the diagonal, both sets are answered equally well."),
    "suite": ("Set by set", "The dot is the score; the true one likely lies on the line."),
    "shots": ("What a few labels bring", "The line is the classifier from words alone, without any label."),
}
_LOCK = Lock()  # matplotlib's settings are one dictionary for all threads


def reliability_plot(found: Reliability) -> "Plot":
    """Accuracy against confidence (Guo et al., 2017, Figure 1): on the diagonal, 80 % sure is right 8 times of 10."""

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--")
        most = max(b.n for b in found.bins)
        for b in found.bins:
            axes.bar(b.low, b.accuracy, b.high - b.low, align="edge", color=FIRST, alpha=0.25 + 0.6 * b.n / most)
            middle = (b.low + b.high) / 2
            axes.plot([middle, middle], b.interval, color=INK, linewidth=1)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="share that is right")
        per_cent(axes.xaxis, axes.yaxis)

    return Plot("reliability", f"Reliability diagram, calibration error {found.error:.3f}", draw)


def coverage_plot(curves: Mapping[str, Coverage]) -> "Plot":
    """Accuracy of the surest answers against their share, a curve for each name."""

    def draw(axes: "Axes") -> None:
        for (name, curve), colour in zip(curves.items(), (FIRST, SECOND), strict=False):
            axes.plot(curve.share, curve.accuracy, color=colour, linewidth=1.8, label=name)
        if len(curves) > 1:
            axes.legend(loc="lower left")
        least = min(min(curve.accuracy) for curve in curves.values())
        axes.set(xlim=(0, 1), ylim=(max(0, least - 0.08), 1.02), xlabel="share of the images that get an answer")
        axes.set_ylabel("share of the answers that is right")
        per_cent(axes.xaxis, axes.yaxis)

    return Plot("coverage", "Accuracy of the surest answers against their share", draw)


def comparison_plot(found: Comparison, names: Sequence[str]) -> "Plot":
    """Both accuracies with their intervals, and below them the difference, for which zero is no change."""

    def draw(axes: "Axes") -> None:
        for place, (share, (low, high), colour) in enumerate(
            zip(found.accuracy, found.intervals, (FIRST, SECOND), strict=True)
        ):
            axes.plot([low, high], [place, place], color=colour, linewidth=3, solid_capstyle="round")
            axes.plot(share, place, "o", color=colour, markersize=8)
        axes.set_yticks([0, 1], [short(name) for name in names])
        axes.set(ylim=(1.6, -0.6), xlabel="accuracy, 95 % interval")
        axes.grid(visible=False, axis="y")
        per_cent(axes.xaxis)

    return Plot("comparison", f"Accuracy of both, {found.sentence}", draw, height=2.0)


def costs_plot(models: Iterable[Mapping[str, Any]]) -> "Plot":
    """Error against compute, both on logarithmic axes, as in Figure 9 of Radford et al. (2021); `ModelRow.to_json` each."""
    rows = [(m["name"], m["gflops"], 1 - m["accuracy"], (1 - m["interval"][1], 1 - m["interval"][0])) for m in models]
    middle = (min(row[1] for row in rows) * max(row[1] for row in rows)) ** 0.5

    def draw(axes: "Axes") -> None:
        axes.set_xscale("log")
        axes.set_yscale("log")
        for name, cost, error, (low, high) in rows:
            axes.plot([cost, cost], [max(low, 1e-4), max(high, 1e-4)], color=MUTED, linewidth=1.2)
            axes.plot(cost, max(error, 1e-4), "o", color=FIRST, markersize=7)
            left = cost > middle  # the name goes where there is room
            place, side = ((-7, 5), "right") if left else ((7, 5), "left")
            at = (cost, max(error, 1e-4))
            axes.annotate(short(name), at, place, textcoords="offset points", ha=side, fontsize=8)
        axes.margins(x=0.25, y=0.2)
        axes.set(xlabel="work for an image, in billions of operations", ylabel="error")
        from matplotlib.ticker import NullFormatter, PercentFormatter, ScalarFormatter

        for axis, formatter in ((axes.xaxis, ScalarFormatter()), (axes.yaxis, PercentFormatter(1, 0))):
            axis.set_major_formatter(formatter)
            axis.set_minor_formatter(formatter if _narrow(axis) else NullFormatter())

    return Plot("cost", "Error against compute for each model, on logarithmic axes", draw, width=5.6)


class Plot:
    """One plot: `name` for its file, `about` for those who cannot see it, and how it is drawn.

    `draw` is given the axes; of a `grid` of (rows, columns), which share their scales, all of them as an array.
    """

    def __init__(
        self,
        name: str,
        about: str,
        draw: "Callable[[Any], None]",
        width: float = 4.2,
        height: float = 3.3,
        grid: tuple[int, int] = (1, 1),
    ) -> None:
        self.name, self.about, self._draw, self._size, self._grid = name, about, draw, (width, height), grid

    @property
    def title(self) -> str:
        """What stands above it."""
        return TITLES.get(self.name, (self.about, ""))[0]

    @property
    def words(self) -> str:
        """How to read it, as a sentence or two."""
        return TITLES.get(self.name, ("", ""))[1]

    def svg(self, alone: bool = False) -> str:
        """As an SVG element to put into a page, or, `alone`, as a file that brings its colours."""
        file = io.StringIO()
        with self._figure() as figure:
            figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        text = file.getvalue()
        # Without matplotlib's own <style>, which would be the whole page's once the plot stands in one.
        text = re.sub(r"\s*<(metadata|style).*?</\1>", "", text[text.index("<svg") :], flags=re.DOTALL)
        for colour, name in _NAMES.items():
            text = text.replace(colour, name)
        text = text.replace("<svg ", f'<svg role="img" aria-label="{escape(self.about)}" stroke-linejoin="round" ', 1)
        return text.replace(">", f">{_ALONE}", 1) if alone else text

    def png(self) -> bytes:
        """On white, for a document."""
        file = io.BytesIO()
        with self._figure() as figure:
            figure.savefig(file, format="png", dpi=200, facecolor="white")
        return file.getvalue()

    @contextmanager
    def _figure(self) -> "Iterator[Figure]":
        from matplotlib import rc_context
        from matplotlib.figure import Figure

        with _LOCK, rc_context(_STYLE):
            figure = Figure(self._size, layout="constrained")
            self._draw(figure.subplots(*self._grid, sharex=True, sharey=True))
            yield figure


def find_plot(plots: Iterable[Plot], name: str) -> Plot:
    """The plot with this name. Raises NotFound."""
    for plot in plots:
        if plot.name == name:
            return plot
    raise NotFound(f"There is no plot {name!r} of this result.")


def per_cent(*axes: Any) -> None:
    """Write the numbers of these axes as per cent, with as many digits as tell them apart."""
    from matplotlib.ticker import FuncFormatter

    for axis in axes:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g}%"))


def _narrow(axis: Any) -> bool:
    low, high = sorted(axis.get_view_interval())
    return bool(low > 0 and high / low < 12)


def short(name: str, letters: int = 26) -> str:
    """A name that fits beside a plot."""
    return name if len(name) <= letters else f"{name[: letters - 1]}…"
