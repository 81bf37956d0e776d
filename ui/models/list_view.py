"""The list of models and the outcome of a self-test as HTML."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ..studio import Studio
from .rows import button

if TYPE_CHECKING:
    from clipcore.models import ModelInfo


def models_html(studio: Studio, infos: "Sequence[ModelInfo]") -> str:
    """The list of models as a table."""
    heads = (
        "Model",
        "",
        "Right on ImageNet",
        "Images/s here",
        "Work per image",
        "Size",
        "Memory",
        "Image",
        "Languages",
        "Licence",
    )
    rows = []
    for info in infos:
        state = (
            "in use"
            if info.name == studio.model
            else button("use" if info.here else "get", info.name, studio.shown(info.name))
        )
        mark = ' <span class="badge" title="No model listed is both more accurate and cheaper">best for its cost</span>'
        about = f"<small>{escape(info.about)}</small>" if info.about else ""
        cells = (
            _accuracy(info),
            f"{info.speed:,.0f}" if info.speed else "",
            f"{info.gflops:,.3g} bn" if info.gflops else "",
            f"{info.megabytes:,} MB" if info.megabytes else "",
            f"{info.memory:,} MB" if info.memory else "",
            f"{info.image_size} px" if info.image_size else "",
            escape(info.languages) or _unknown(info),
            _licence(info),
        )
        name = f"{_whole_parts(studio.shown(info.name))}{mark if info.pareto else ''}{about}{_acts(info, studio)}"
        rows.append(
            f'<tr{" class=current" if state == "in use" else ""}><th scope="row">{name}</th><td>{state}</td>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    head = "".join(f'<th scope="col">{escape(words) or "State"}</th>' for words in heads)
    note = (
        "Right on ImageNet: of photos of 1,000 kinds, without training, as published. Each figure leads to its source. What "
        "is not known is left empty. Work is in billions (bn) of operations. Measure speed tells how many images of one "
        "megapixel go in a second here."
    )
    return (
        '<div class="scroll" role="region" aria-label="Models" tabindex="0"><table class="facts"><thead><tr>'
        f'{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div><p class="subtle">{note}</p>'
    )


def _acts(info: "ModelInfo", studio: Studio) -> str:
    """What can be done with a model that is on this computer, beside using it."""
    if not info.here:
        return ""
    gone = ("remove",) if info.name not in (studio.model, "starter") and not _is_elsewhere(info.name, studio) else ()
    acts = "".join(button(what, info.name, studio.shown(info.name)) for what in ("self-test", "speed", *gone))
    return f'<span class="acts">{acts}</span>'


def _is_elsewhere(name: str, studio: Studio) -> bool:
    return name.startswith("local-dir:") and not studio.shown(name).endswith("(made here)")


def _licence(info: "ModelInfo") -> str:
    if not info.licence:
        return _unknown(info)
    said = _link(info.page, info.licence) if info.page else escape(info.licence)
    return f"{said}<small>not for commercial use</small>" if info.restricted else said


def _accuracy(info: "ModelInfo") -> str:
    if not info.imagenet:
        return ""
    said = f"{info.imagenet:.1f} %"
    return _link(info.source, said) if info.source else said


def _unknown(info: "ModelInfo") -> str:
    """What is said of a published model where nothing is known; models of this computer have no page to look at."""
    return f"unknown: see {_link(info.page, 'its page')}" if info.page else ""


def _link(page: str, words: str) -> str:
    return f'<a href="{escape(page)}" target="_blank" rel="noopener noreferrer">{escape(words)}</a>'


def _whole_parts(name: str) -> str:
    """A model's name that breaks after its architecture and not at a dash in it; a path breaks where it must."""
    architecture, slash, tag = name.partition("/")
    if not slash or ":" in name:
        return escape(name)
    return f'<span class="whole">{escape(architecture)}/</span><wbr><span class="whole">{escape(tag)}</span>'


def checks_html(name: str, result: dict[str, Any]) -> str:
    """The outcome of a self-test."""
    rows = "".join(
        f'<tr><th scope="row">{escape(check["name"].capitalize())}</th><td class="{check["verdict"]}">'
        f"{check['verdict']}</td><td>{escape(check['sentence'])}</td></tr>"
        for check in result["checks"]
    )
    return (
        f'<p class="said" role="status"><b>Self-test of {escape(name)}: {result["verdict"]}.</b> '
        f'{escape(result["sentence"])}</p><table class="facts checks"><tbody>{rows}</tbody></table>'
    )
