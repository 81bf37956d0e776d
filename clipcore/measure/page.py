"""A page that stands alone: its parts, light and dark, no script, nothing fetched from anywhere."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from .intervals import points
from .plots import DARK, Plot

_CSS = f"""
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; max-width: 1080px; margin: 24px auto; padding: 0 16px;
  color: #111827; background: #fff; --line: #d1d5db; --soft: #4b5563; --cell: 79 70 229; }}
h1 {{ font-size: 1.5rem; margin: 0; }} h2 {{ font-size: 1.15rem; margin: 32px 0 8px; }}
.soft {{ color: var(--soft); margin: 2px 0; }}
.note {{ border-left: 4px solid #b45309; padding: 6px 12px; margin: 12px 0; }}
dl {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }}
dt {{ color: var(--soft); font-size: .85rem; }} dd {{ margin: 0; font-size: 1.4rem; font-weight: 600; }}
dd small {{ display: block; font-size: .8rem; font-weight: 400; color: var(--soft); }}
.plots {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 20px; }}
.plots svg {{ width: 100%; height: auto; max-width: 560px; }}
.wide {{ overflow-x: auto; }} td img {{ display: block; max-width: 96px; max-height: 96px; }}
table {{ border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 4px 10px; border: 1px solid var(--line); text-align: left; }}
td.n {{ text-align: right; }} .matrix th {{ font-weight: 500; }} .matrix td {{ text-align: center; min-width: 2.4em; }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e5e7eb; background: #0b1120; --line: #374151; --soft: #9ca3af;
  --cell: 129 140 248; {DARK} }} }}
"""


def page(title: str, about: Mapping[str, str], notes: Sequence[str], sections: Iterable[str]) -> str:
    """The whole document. `about` says what was measured on what, by name; `notes` are warnings; `sections` are HTML."""
    facts = " · ".join(f"{escape(name)}: {escape(value)}" for name, value in about.items() if value)
    warned = "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_CSS}</style></head><body>'
        f'<h1>{escape(title)}</h1><p class="soft">{facts}</p>{warned}{"".join(sections)}</body></html>\n'
    )


def numbers(*rows: tuple[str, float, tuple[float, float]]) -> str:
    """Shares with their intervals, (name, share, interval), large."""
    cells = (
        f"<div><dt>{escape(name)}</dt><dd>{points(share)}<small>95 % interval {between(ends)}</small></dd></div>"
        for name, share, ends in rows
    )
    return f"<dl>{''.join(cells)}</dl>"


def figures(plots: Iterable[Plot]) -> str:
    """Plots side by side."""
    drawn = (f"<figure><h3>{escape(plot.title)}</h3><p>{escape(plot.words)}</p>{plot.svg()}</figure>" for plot in plots)
    return f'<div class="plots">{"".join(drawn)}</div>'


def plain_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of plain values; a whole number stands on the right, and bytes are a picture as WebP."""

    def cell(value: object) -> str:
        if isinstance(value, bytes):
            return f"<td>{picture(value, '') if value else ''}</td>"
        number = isinstance(value, int)
        return f'<td class="n">{value:,}</td>' if number else f"<td>{escape(str(value))}</td>"

    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    titles = "".join(f"<th scope='col'>{escape(name)}</th>" for name in head)
    return f'<div class="wide"><table><tr>{titles}</tr>{body}</table></div>'


def picture(webp: bytes, name: str) -> str:
    """A small picture that comes along in the page."""
    return f'<img alt="{escape(name)}" src="data:image/webp;base64,{base64.b64encode(webp).decode()}">'


def between(ends: Sequence[float]) -> str:
    """An interval in words."""
    return f"{points(ends[0])} to {points(ends[1])}"
