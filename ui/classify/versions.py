"""Below the board: save its classifier, use a saved one, and look at the versions of it, which never change."""

from functools import partial
from html import escape
from typing import Any
from urllib.parse import quote

import gradio as gr

from clipcore import BadInput, Classifier
from storage import ClassifierRecord

from ..form_values import saved
from ..progress import friendly, moment
from ..studio import Studio
from . import saved_panel
from .staleness import require_shown

BOARD = 0  # in the list to compare with: the board's own classifier
AS_IT_IS = ("the board as it is", BOARD)


def build(studio: Studio, run: gr.State, typed: list[Any], board: gr.HTML) -> tuple[gr.Dropdown, gr.Button]:
    """Lay it out and wire it. `typed` are the fields whose names the `board` must show before its classifier is saved.

    Gives the list of saved classifiers and the button that uses one, for the tab to wire.
    """
    with gr.Row(elem_classes="bar"):
        name = gr.Textbox(label="Save this classifier as", placeholder="pets", max_length=120, min_width=180)
        save = gr.Button("Save", scale=0, min_width=110)
    with gr.Row(elem_classes="bar"):
        chosen = gr.Dropdown(saved(studio), value=None, label="Saved classifiers", min_width=180, filterable=True)
        reuse = gr.Button("Use on these images", scale=0, min_width=190)
    with gr.Accordion("Versions", open=False):
        table = gr.HTML(listed([]), elem_id="versions")
        with gr.Row(elem_classes="bar"):
            version = gr.Dropdown([], label="Version", min_width=140, filterable=False)
            other = gr.Dropdown([AS_IT_IS], value=BOARD, label="Compare with", min_width=140, filterable=False)
            compare = gr.Button("Show what changes", scale=0, min_width=180)
            back = gr.Button("Go back to this version", scale=0, min_width=200)
        changes = gr.HTML("", html_template='<sayso-changes src="{{value}}"></sayso-changes>', apply_default_css=False)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    lists = [table, version, other, changes]

    saved_panel.build(studio, chosen, lists, partial(choose, studio, None))

    def on(handler: Any) -> Any:
        return friendly(partial(handler, studio))

    for event in (save.click, name.submit):
        event(on(keep), [name, run, *typed], [chosen, name, *lists], **quiet)
    board.change(None, None, changes, js="() => ''", **quiet)  # it spoke of the board of before
    chosen.input(on(choose), chosen, lists, **quiet)  # not `change`: what a handler sets, it lists itself
    compare.click(on(show_changes), [chosen, version, other, run], changes, **quiet)
    back.click(on(go_back), [chosen, version], [chosen, *lists], **quiet)
    return chosen, reuse


# handlers


def keep(
    studio: Studio, name: str, run_id: str, typed: str = "", templates: str = "", many: bool = False
) -> tuple[Any, ...]:
    """Keep the classifier of the board under a name; the same name again makes a new version."""
    if not run_id:
        raise BadInput("There is nothing to save yet; classify some images first.")
    require_shown(studio, run_id, typed, templates, many)
    record = studio.library.save(studio.library.runs.get(run_id).classifier, name)
    version = f", version {record.version}" if record.version > 1 else ""
    gr.Info(f"Saved as {escape(record.name)}{version}.", duration=4)
    return gr.Dropdown(saved(studio), value=record.name), "", *choose(studio, record.name)


def choose(studio: Studio, name: str | None) -> tuple[Any, ...]:
    """List the versions of a classifier, the newest chosen."""
    if not name:
        return listed([]), gr.Dropdown([], value=None), gr.Dropdown([AS_IT_IS], value=BOARD), ""
    records = studio.library.classifiers.versions(name)
    classifiers = [studio.library.classifier(name, record.version) for record in records]
    choices = [(f"version {record.version}", record.version) for record in records]
    return (
        listed(list(zip(records, classifiers, strict=True))),
        gr.Dropdown(choices, value=records[0].version),
        gr.Dropdown([AS_IT_IS, *choices], value=BOARD),
        "",
    )


def show_changes(studio: Studio, name: str | None, version: int | None, other: int, run_id: str) -> str:
    """The address of what changes on the board from one version to the other."""
    if not name or not version:
        raise BadInput("Choose a saved classifier first.")
    if not run_id:
        raise BadInput("Versions are compared on the images of the board; classify some first.")
    against = f"&other={int(other)}" if other else ""
    edition = studio.library.runs.edition(run_id)  # a new address whenever the board has changed
    return f"/api/runs/{quote(run_id)}/compare?name={quote(name, safe='')}&version={int(version)}{against}&edition={edition}"


def go_back(studio: Studio, name: str | None, version: int | None) -> tuple[Any, ...]:
    """Save an earlier version again as the newest; nothing is lost."""
    if not name or not version:
        raise BadInput("Choose a saved classifier first.")
    if version == studio.library.classifiers.versions(name)[0].version:
        raise BadInput(f"Version {version} is the newest already; choose an earlier one.")
    record = studio.library.classifiers.restore(name, version)
    gr.Info(f"{escape(name)} is as it was in version {version}; saved as version {record.version}.", duration=5)
    return gr.Dropdown(saved(studio), value=name), *choose(studio, name)


def listed(versions: list[tuple[ClassifierRecord, Classifier]]) -> str:
    """The versions as a table, newest first."""
    if not versions:
        return '<p class="said">Choose a saved classifier to see its versions.</p>'
    number = {record.id: record.version for record, _ in versions}
    rows = "".join(
        f"<tr><td>{record.version}</td><td>{moment(record.created)}</td><td>{escape(record.kind)}</td>"
        f"<td>{len(record.labels)}</td><td>{escape(learned(classifier))}</td>"
        f"<td>{number.get(record.parent_id or 0, '')}</td></tr>"
        for record, classifier in versions
    )
    heads = ("Version", "Saved", "Kind", "Classes", "Measured", "After version")
    return f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>{rows}</tbody></table>"


def learned(classifier: Classifier) -> str:
    """What its lesson measured, if it had one."""
    after = classifier.metrics.get("after")
    if not isinstance(after, dict):
        return ""
    what = "F1 (missed and false labels count alike) " if classifier.metrics.get("measure") == "F1" else ""
    interval = f"{100 * after['low']:.0f} to {100 * after['high']:.0f}"
    return f"{what}{100 * after['accuracy']:.0f} % ({interval}) of {after['n']} unseen images"
