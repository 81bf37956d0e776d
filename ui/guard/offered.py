"""What the page offers to whom: who asks stands in its head, with rules that hide what their role may not do.

The rules are made of the table of roles: a button, or a place to drop files, is hidden if no event of it is allowed.
"""

from functools import lru_cache
from html import escape
from typing import Any

from starlette.types import Scope

from storage import Person, Role

from .roles import allows, event_name, least_for_event

PRESSED = {"click", "submit", "upload"}
KINDS = {"button", "uploadbutton", "file"}
# buttons in what a handler writes as HTML, and fields that lead to nothing where the button beside them is hidden
OURS: dict[Role, tuple[str, ...]] = {
    "labeller": (
        *("#labels", "#many", "#classes", "#choose", "#first-steps", "#classify sayso-place[name=lesson]"),
        *(".rail .part > :has(#ready-names)", ".rail .body > :has(#choose-go)"),
    ),
    "owner": ("#models-table td button", "#trainings td button", ".rail .body > :has(#add-folder)"),
}


def head_for(scope: Scope, blocks: Any) -> str:
    """What to write into the page's head for who asks; "" for the one person alone."""
    state = scope.get("state", {})
    person: Person | None = state.get("person")
    if person is None:
        return ""
    way = "proxy" if state.get("from_proxy") and state["doorkeeper"].proxy.header else "page"
    told = f'<meta name="sayso-person" content="{escape(person.name)}" data-role="{person.role}" data-way="{way}">'
    return told + (f"<style>{hidden(blocks, person.role)}</style>" if person.role != "owner" else "")


def name_parts(blocks: Any) -> None:
    """Give each button of the page that has no id one by which a rule can hide it; while the page is laid out."""
    for number, block in blocks.blocks.items():
        if block.get_block_name() in KINDS and block.elem_id is None:
            block.elem_id = f"part-{number}"


@lru_cache(8)
def hidden(blocks: Any, role: Role) -> str:
    """Rules that hide what this role may not press."""
    allowed: dict[int, bool] = {}
    for event in blocks.fns.values():
        for target, trigger in event.targets:
            if trigger in PRESSED and event.fn is not None:
                may = allows(role, least_for_event(event_name(event.fn)))
                allowed[target] = allowed.get(target, False) or may
    places = []
    for number, may in sorted(allowed.items()):
        block = blocks.blocks.get(number)
        if not may and block is not None and block.get_block_name() in KINDS:
            places.append(f"#{block.elem_id}")
    places += [one for least, some in OURS.items() if not allows(role, least) for one in some]
    return f"{', '.join(places)} {{ display: none !important; }}" if places else ""
