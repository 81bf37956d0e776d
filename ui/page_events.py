"""What the parts of the page do when it is loaded, when a tab is opened, when there is news: each in one event for them all.

An event of Gradio is a request, a place in its queue, and a message; and it makes each of its outputs anew, also one that it
leaves as it is. A part for each of which the page had events of its own would make it slower to load, and never let it rest.
"""

from collections.abc import Callable, Collection
from typing import Any

import gradio as gr
from gradio.components import Component

from .progress import friendly

Changes = dict[Any, Any]


class Together:
    """Handlers that one event calls, one after another. Added like listeners of Gradio: `load(handler, inputs, outputs)`.

    They get what is in the fields as it is; Gradio would refuse them all where a list lacks what one of them gets. What goes
    wrong in one is said, and the others go on.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[Callable[..., Any], list[Component], list[Component]]] = []

    def __call__(self, handler: Callable[..., Any], inputs: Any, outputs: Any, **how: Any) -> None:
        """Add one. `how` Gradio would show it on its own is for all of them said in `wire`."""
        self._parts.append((friendly(handler), _listed(inputs), _listed(outputs)))

    def wire(self, event: Callable[..., Any]) -> None:
        """Have all that were added called at `event`."""
        inputs = list(dict.fromkeys(one for _, some, _ in self._parts for one in some))
        outputs = list(dict.fromkeys(one for _, _, some in self._parts for one in some))
        event(self._called(inputs), inputs, outputs, show_progress="hidden", api_visibility="private", preprocess=False)

    def _called(self, inputs: list[Component]) -> Callable[..., Any]:
        def call(*values: Any) -> Any:
            given = dict(zip(inputs, values, strict=True))
            changes: Changes = {}
            for handler, wanted, changed in self._parts:
                changes |= _as_changes(handler(*(given[one] for one in wanted)), changed)
            return changes or gr.skip()

        return call


class Opening:
    """The page while it is laid out: what is done when it is loaded, and what is looked at again whenever there is news, of
    which `ui/static/shared/status.js` hears, or when a tab is opened."""

    def __init__(self, blocks: gr.Blocks) -> None:
        self.blocks = blocks
        self.load, self.news = Together(), Together()
        self._tabs: dict[gr.Tab, Together] = {}

    def select(self, tab: gr.Tab) -> Together:
        """What is done when this tab is opened."""
        return self._tabs.setdefault(tab, Together())

    def wire(self, news: Callable[..., Any]) -> None:
        """Have all that was added called; `news` is the event that tells of news."""
        self.load.wire(self.blocks.load)
        self.news.wire(news)
        for tab, parts in self._tabs.items():
            parts.wire(tab.select)


def _listed(parts: Any) -> list[Component]:
    if parts is None:
        return []
    return list(parts) if isinstance(parts, Collection) else [parts]


def _as_changes(answer: Any, outputs: list[Component]) -> Changes:
    """A handler's answer, in whichever of Gradio's forms, as new values by component."""
    if answer == gr.skip():
        return {}
    if isinstance(answer, dict) and all(isinstance(key, Component) for key in answer):
        return answer
    return dict(zip(outputs, [answer] if len(outputs) == 1 else answer, strict=True))
