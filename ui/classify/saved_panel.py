"""What a person does with a saved classifier as a whole: another name, a description, its file, and deleting it."""

from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any
from urllib.parse import quote

import gradio as gr

from clipcore import BadInput, Classifier
from storage.classifiers.saved import ABOUT_LIMIT
from storage.names import NAME_LIMIT

from ..form_values import UNCHECKED, saved
from ..job_watch import QUIET, Changes
from ..progress import friendly, said
from ..studio import Studio

FIRST = "Choose a saved classifier first."


class Parts:
    """The components of this part that handlers change, by name."""

    chosen: gr.Dropdown
    name: gr.Textbox
    about: gr.Textbox
    file: gr.HTML
    question: gr.HTML
    sure: gr.Button
    no: gr.Button


def build(studio: Studio, chosen: gr.Dropdown, lists: list[Any], nothing: Callable[[], tuple[Any, ...]]) -> None:
    """Lay it out and wire it. `chosen` is the list of saved classifiers; `lists` show one, and `nothing` empties them."""
    at = Parts()
    at.chosen = chosen
    with gr.Accordion("Name, description and file", open=False, elem_id="saved-panel"):
        with gr.Row():
            at.name = gr.Textbox(label="Name", max_length=NAME_LIMIT, min_width=180, elem_id="saved-name")
            at.about = gr.Textbox(
                label="Description",
                placeholder="What it is for, and which photos it was tried on",
                max_length=ABOUT_LIMIT,
                lines=1,
                max_lines=6,
                min_width=260,
                elem_id="saved-about",
            )
        with gr.Row(elem_classes="go"):
            keep = gr.Button("Keep name and description", scale=0, min_width=240)
            remove = gr.Button("Delete this classifier", scale=0, min_width=200)
        at.file = gr.HTML(described(None))
        at.question = gr.HTML("")
        with gr.Row(elem_classes="go"):
            at.sure = gr.Button("Delete all its versions", variant="stop", scale=0, min_width=200, visible=False)
            at.no = gr.Button("Leave it", scale=0, min_width=110, visible=False)
    outputs = [*vars(at).values()]
    asking = [at.question, at.sure, at.no]

    def on(handler: Callable[..., Changes]) -> Any:
        return friendly(partial(handler, studio, at))

    def delete(name: str | None) -> Changes:
        return {**forget(studio, at, name), **dict(zip(lists, nothing(), strict=True))}

    chosen.change(on(fill), chosen, outputs, **QUIET, **UNCHECKED)
    for event in (keep.click, at.name.submit):
        event(on(change), [chosen, at.name, at.about], outputs, **QUIET, **UNCHECKED)
    remove.click(on(ask), chosen, asking, **QUIET, **UNCHECKED)
    at.sure.click(friendly(delete), chosen, [*outputs, *lists], **QUIET, **UNCHECKED)
    at.no.click(lambda: asked(at, ""), None, asking, **QUIET)


# handlers


def fill(studio: Studio, at: Parts, name: str | None) -> Changes:
    """Show the name, the description and the file of the classifier that was chosen."""
    if not name:
        return {at.name: "", at.about: "", at.file: described(None), **asked(at, "")}
    record = studio.library.classifiers.versions(name)[0]
    shown = described(studio.library.classifier(name), record.name)
    return {at.name: record.name, at.about: record.about, at.file: shown, **asked(at, "")}


def change(studio: Studio, at: Parts, name: str | None, new: str, about: str) -> Changes:
    """Give it the name and the description that were typed; albums that go by it follow."""
    if not name:
        raise BadInput(FIRST)
    record = studio.library.classifiers.rename(name, new)
    studio.library.classifiers.describe(record.name, about)
    gr.Info(f"Kept as {escape(record.name)}.", duration=4)
    return {at.chosen: gr.Dropdown(saved(studio), value=record.name), **fill(studio, at, record.name)}


def ask(studio: Studio, at: Parts, name: str | None) -> Changes:
    """Whether it is to be deleted: there is no way back from that."""
    if not name:
        raise BadInput(FIRST)
    versions = len(studio.library.classifiers.versions(name))
    albums = [album.name for album in studio.library.albums.all() if album.classifier == name]
    what = f"“{name}” has {versions} version{'' if versions == 1 else 's'}, which cannot be had back; labels stay."
    which = f" These albums go by it and would find nothing: {', '.join(albums[:10])}." if albums else ""
    return asked(at, what + which)


def forget(studio: Studio, at: Parts, name: str | None) -> Changes:
    """Delete it, with all its versions."""
    if not name:
        raise BadInput(FIRST)
    studio.library.classifiers.delete(name)
    gr.Info(f"{escape(name)} is deleted.", duration=4)
    return {at.chosen: gr.Dropdown(saved(studio), value=None), **fill(studio, at, None)}


def asked(at: Parts, question: str) -> Changes:
    """The question, with its two answers; or none."""
    is_asked = bool(question)
    return {at.question: said(question), at.sure: gr.Button(visible=is_asked), at.no: gr.Button(visible=is_asked)}


def described(classifier: Classifier | None, name: str = "") -> str:
    """What the classifier is, and its file to take along."""
    if classifier is None:
        return said(FIRST)
    address = f"/api/classifiers/file.safetensors?name={quote(name, safe='')}"
    labels = ", ".join(classifier.labels[:12]) + (" and more" if len(classifier.labels) > 12 else "")
    words = f"{len(classifier.labels)} classes for {classifier.space.name}: {labels}."
    link = f'<a href="{escape(address)}" download>Download {escape(name)}.safetensors</a>'
    card = (
        f'<a href="/api/classifiers/card.html?name={quote(name, safe="")}" target="_blank" rel="noopener">Open its card</a>'
    )
    judged = said(classifier.notice) if classifier.notice else ""
    return f'{said(words)}{judged}<p class="said">{link} · {card}</p>'
