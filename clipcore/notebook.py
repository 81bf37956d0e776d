"""What a notebook shows of a result: a small HTML table, and a data frame of pandas."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from .errors import BadInput

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN = 10  # rows


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]], total: int = 0) -> str:
    """An HTML table of plain values, of which `total` says how many rows there are in all."""
    titles = "".join(f"<th>{escape(name)}</th>" for name in head)
    shown = ["".join(f"<td>{escape(str(value))}</td>" for value in row) for row in rows]
    body = "".join(f"<tr>{row}</tr>" for row in shown)
    more = f"<p>and {total - len(shown):,} more</p>" if total > len(shown) else ""
    return f"<p>{escape(caption)}</p><table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>{more}"


def frame(columns: Mapping[str, Any]) -> "DataFrame":
    """The columns as a data frame. Raises BadInput where pandas is not installed."""
    try:
        from pandas import DataFrame
    except ImportError:
        raise BadInput("A data frame needs pandas, which is not installed; pip install pandas.") from None
    return DataFrame(dict(columns))
