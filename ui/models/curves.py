"""Curves as inline SVG: small line plots that are drawn again while a training goes on."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 30
STROKES = ("var(--plot-first, #4f46e5)", "var(--plot-second, #b45309)")
DASHES = ("", ' stroke-dasharray="5 4"')
Point = tuple[float, float]
Interval = tuple[float, float]


def curves_svg(
    title: str,
    lines: Mapping[str, Sequence[Point]],
    x_name: str,
    share: bool = False,
    marked: float | None = None,
    intervals: Mapping[str, Sequence[Interval]] | None = None,
) -> str:
    """A plot of named lines of points (x, y), at most two colours; with `share` the y axis is 0 to 100 %.

    marked      an x where a vertical line is drawn
    intervals   (low, high) for each point of a line
    """
    points = [point for line in lines.values() for point in line]
    if not points:
        return ""
    spread = [y for bars in (intervals or {}).values() for bar in bars for y in bar]
    xs, ys = [x for x, _ in points], [y for _, y in points] + spread
    x0, x1 = min(xs), max(max(xs), min(xs) + 1e-9)
    y0, y1 = (0.0, 1.0) if share else (min(0.0, *ys), max(ys) * 1.05 or 1.0)

    def px(x: float) -> float:
        return LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)

    def py(y: float) -> float:
        return HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)

    parts = []
    for y in (y0, (y0 + y1) / 2, y1):
        words = f"{100 * y:.0f} %" if share else f"{y:.3g}"
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{py(y):.1f}" y2="{py(y):.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{py(y) + 4:.1f}" text-anchor="end">{words}</text>')
    for x, anchor in ((x0, "start"), (x1, "end")) if x1 - x0 > 1e-6 else ((x0, "start"),):
        parts.append(f'<text x="{px(x):.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">{x:,.6g}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_name)}</text>')
    if marked is not None and x0 <= marked <= x1:
        parts.append(f'<line class="mark" x1="{px(marked):.1f}" x2="{px(marked):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    for i, (name, line) in enumerate(lines.items()):
        stroke = f'stroke="{STROKES[i % 2]}"{DASHES[i // 2 % 2]}'
        path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in line)
        parts.append(f'<polyline fill="none" stroke-width="2" {stroke} points="{path}"/>')
        for (x, _), (low, high) in zip(line, (intervals or {}).get(name, ()), strict=False):
            parts.append(
                f'<line {stroke} opacity=".45" x1="{px(x):.1f}" x2="{px(x):.1f}" y1="{py(low):.1f}" y2="{py(high):.1f}"/>'
            )
        if len(line) < 30:
            parts += [f'<circle r="3" fill="{STROKES[i % 2]}" cx="{px(x):.1f}" cy="{py(y):.1f}"/>' for x, y in line]
    last = ", ".join(
        f"{name} {100 * line[-1][1]:.1f} %" if share else f"{name} {line[-1][1]:.3g}" for name, line in lines.items()
    )
    key = "".join(
        f'<span><svg viewBox="0 0 20 8" aria-hidden="true"><line x1="0" x2="20" y1="4" y2="4" stroke-width="3" '
        f'stroke="{STROKES[i % 2]}"{DASHES[i // 2 % 2]}/></svg>{escape(name)}</span>'
        for i, name in enumerate(lines)
    )
    said = escape(f"{title}; at the end {last}")
    return (
        f'<figure class="curves"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'
        f'<div class="key">{key}</div></figure>'
    )
