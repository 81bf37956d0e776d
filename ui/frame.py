"""The frame that all tabs share: a rail with what one chooses, and a stage beside it that what came of it fills.

    with frame():
        with rail("Set up"):
            with body():
                ...                 # fields, one below the other; they scroll, the page does not
            with foot():
                ...                 # the main button, always in sight
        with stage():
            ...                     # the board, the grid or a report
        with drawer("Save and export"):
            ...                     # what is needed now and then; it slides over the stage

The rules of its looks are in `static/shared/frame.css`, what its keys and buttons do in `static/shared/frame.js`. On a phone
the rail is a sheet from below: the same fields moved by CSS, so that there is one state and not two.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

import gradio as gr

HANDLE = '<div class="handle"><h2>{title}</h2><button type="button" data-frame="close" aria-label="Close">×</button></div>'


def frame(elem_id: str | None = None) -> gr.Row:
    """A whole tab."""
    return gr.Row(elem_classes="frame", equal_height=False, elem_id=elem_id)


@contextmanager
def rail(title: str, narrow: bool = False) -> Iterator[None]:
    """The left side; `title` is its heading where it is a sheet."""
    with gr.Column(elem_classes=["rail", "narrow"] if narrow else "rail", scale=0, min_width=0):
        gr.HTML(HANDLE.format(title=escape(title)), elem_classes="handle-row", padding=False)
        yield


def body() -> gr.Column:
    """The part of a rail that scrolls."""
    return gr.Column(elem_classes="body", min_width=0)


def foot() -> gr.Column:
    """The part of a rail that stays in sight."""
    return gr.Column(elem_classes="foot", min_width=0)


def stage(elem_id: str | None = None) -> gr.Column:
    """What is beside the rail: all the rest of the window."""
    return gr.Column(elem_classes="stage", min_width=0, elem_id=elem_id)


def place(name: str) -> gr.HTML:
    """Where an element of the stage puts a part of itself, such as the board its dial (`static/shared/place.js`)."""
    return gr.HTML(f'<sayso-place name="{name}"></sayso-place>', elem_classes="place", padding=False)


@contextmanager
def drawer(title: str) -> Iterator[None]:
    """A panel over the right side of the stage, closed at first."""
    with gr.Column(elem_classes="drawer", scale=0, min_width=0):
        gr.HTML(HANDLE.format(title=escape(title)), elem_classes="handle-row", padding=False)
        with body():
            yield
