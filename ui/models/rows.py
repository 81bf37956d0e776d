"""Buttons in the rows of a list: as HTML, what the browser says when one is pressed, and that read again."""

from collections.abc import Collection
from html import escape

import gradio as gr

from clipcore import BadInput

ACTS = {
    "use": "Use",
    "get": "Get",
    "self-test": "Self-test",
    "speed": "Measure speed",
    "remove": "Remove",
    "show": "Show",
    "delete": "Delete",
}
# `js_on_load` of the gr.HTML that holds the rows, also of those that come later; its own event is `act`
PRESSED = """element.addEventListener('click', ({ target }) => {
  const { act, of } = target.closest('[data-act]')?.dataset ?? {};
  if (act) trigger('act', { act, of });
})"""


def button(what: str, of: str, shown: str) -> str:
    """A button that does `what` with the row `of`, which is called `shown`."""
    words = ACTS[what]
    said = f"{words}: {escape(shown)}"
    return f'<button type="button" data-act="{what}" data-of="{escape(of)}" aria-label="{said}">{words}</button>'


def pressed(event: gr.EventData, acts: Collection[str]) -> tuple[str, str]:
    """What was asked of which row, one of these `acts`. Raises BadInput for what no button of the list says."""
    asked = event._data if isinstance(event._data, dict) else {}
    what, of = str(asked.get("act", "")), str(asked.get("of", ""))
    if what not in acts or not of.strip():
        raise BadInput("That is no button of this list; load the page again.")
    return what, of.strip()
