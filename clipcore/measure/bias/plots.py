"""The threshold sweep as a plot."""

from typing import TYPE_CHECKING

from ...errors import BadInput
from ..plots import Plot, short
from .stress import Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Told apart on white and on dark grey alike, each at least 3 to 1; the dash tells more than eight groups apart.
_COLOURS = ("#6366f1", "#c2680a", "#059669", "#db2777", "#0e8ca8", "#8b5cf6", "#65850d", "#dc2626")
_DASHES = ("-", "--", ":")
MOST_CURVES = len(_COLOURS) * len(_DASHES)


def sweep_plot(found: Sweep, row: str, kind: str = "class") -> Plot:
    """How many of each group show a class or category at each threshold, a curve for each group. Raises BadInput."""
    at = next((i for i, one in enumerate(found.rows) if (one.name, one.kind) == (row, kind)), None)
    if at is None:
        raise BadInput(f"There is no {kind} “{row}” in {found.label_set}; measure again.")
    largest = sorted(range(len(found.groups)), key=lambda j: -found.sizes[j])[:MOST_CURVES]

    def draw(axes: "Axes") -> None:
        from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

        for place, j in enumerate(sorted(largest)):
            colour, dash = _COLOURS[place % len(_COLOURS)], _DASHES[place // len(_COLOURS)]
            axes.plot(found.thresholds, found.share[at, j], dash, color=colour, linewidth=1.6, label=short(found.groups[j]))
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator([0.001, 0.005, 0.02, 0.1, 0.3, 1]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.2g}%" if value < 1 else "100%"))
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
        axes.set(
            xlim=(0.001, 1), xlabel="threshold", ylabel="share of the group", title=short(f"{found.label_set}: {row}", 48)
        )
        axes.set_ylim(0, max(0.05, 1.05 * float(found.share[at].max())))
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=7.5)

    about = f"{row} in {found.label_set}: share of each group that reaches a threshold"
    return Plot(f"sweep-{at}", about, draw, 6.0, max(3.2, 0.6 + 0.17 * len(largest)))
