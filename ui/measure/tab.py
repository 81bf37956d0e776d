"""The Measure tab: what a classifier is worth, in sections. Each is a module beside this one, found by its name."""

from importlib import import_module
from importlib.util import find_spec

import gradio as gr

from ..page_events import Opening
from ..studio import Studio

SECTIONS = (
    ("Accuracy", "accuracy"),
    ("Compare", "compare"),
    ("Prompts", "prompts"),
    ("Robustness", "robustness"),
    ("Captions", "captions"),
    ("Models", "models"),
    ("Labels", "labels"),
    ("Sets", "suite"),
)


def build(studio: Studio, page: Opening, tab: gr.Tab) -> None:
    """Lay the sections out. One that is not there is left out, and no other notices."""
    with gr.Tabs(elem_id="measure-tabs"):
        for title, name in SECTIONS:
            if find_spec(f".{name}", __package__):
                with gr.Tab(title, id=f"measure-{name}") as section:
                    import_module(f".{name}", __package__).build(studio, page, section)
