"""People with accounts: who may come in and in which role, and how far they agree on what they labelled."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .common import Home, Json, command, emit, open_library, say

if TYPE_CHECKING:
    from storage import Library

Action = Literal["list", "add", "invite", "role", "password", "disable", "enable"]
INVITED = timedelta(days=7)


@command
def people(
    action: Annotated[Action, typer.Argument(help="What to do; list where nothing is said.")] = "list",
    name: Annotated[str, typer.Argument(help="Whom.")] = "",
    role: Annotated[str, typer.Option(help="viewer, labeller or owner; the first person is an owner.")] = "",
    no_password: Annotated[
        bool, typer.Option("--no-password", help="For who comes by a proxy's header, or by an invitation.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """People with accounts: people add Ana --role owner. From the first one on, everybody signs in.

    A password is asked for, or read from SAYSO_PASSWORD or a pipe.
    """
    from clipcore import BadInput
    from storage import ROLES

    if action != "list" and not name:
        raise BadInput(f"Say whom: people {action} NAME.")
    if role and role not in ROLES:
        raise BadInput(f"There is no role “{role}”; choose one of {', '.join(ROLES)}.")
    with open_library(home) as library:
        known = library.people
        if action == "list":
            for person in known.all():
                since = person.disabled.isoformat() if person.disabled else None
                row = {"name": person.name, "role": person.role, "disabled": since}
                emit(as_json, row, f"{person.role:<9} {person.name}{'  (disabled)' if since else ''}")
            if not known.any():
                say("There are no accounts: whoever can reach the page may do all. people add NAME --role owner makes one.")
        elif action == "add":
            chosen = next((one for one in ROLES if one == role), "labeller" if known.any() else "owner")
            person = known.add(name, chosen, None if no_password else _password())
            emit(as_json, _row(person.name, person.role), f"{person.name} is in, as {person.role}")
        elif action == "invite":
            person = known.get(name) if _is_there(library, name) else known.add(name, _chosen(role))
            secret, _ = known.tokens.create(person.id, "invitation", lasts=INVITED, kind="invitation")
            words = f"Send {person.name} this, after the page's address; it is good once, for a week:\n/welcome/{secret}"
            emit(as_json, {**_row(person.name, person.role), "path": f"/welcome/{secret}"}, words)
        elif action == "role":
            if not role:
                raise BadInput("Say which role with --role viewer, labeller or owner.")
            person = known.set_role(name, _chosen(role))
            emit(as_json, _row(person.name, person.role), f"{person.name} is {person.role} now")
        elif action == "password":
            person = known.set_password(name, _password())
            emit(as_json, _row(person.name, person.role), f"{person.name} has another password")
        else:
            person = known.disable(name, action == "disable")
            how = "may not come in any more; their labels stay" if person.disabled else "may come in again"
            emit(as_json, _row(person.name, person.role), f"{person.name} {how}")


@command
def agreement(
    differing: Annotated[bool, typer.Option("--open", help="List the pictures on which people differ.")] = False,
    decide: Annotated[Path | None, typer.Option(help="Decide what this picture is, with --as.")] = None,
    answer: Annotated[str, typer.Option("--as", help="The label it has, or “none of these”.")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """How far people agree on the pictures that several of them labelled: Cohen's kappa for two, Fleiss' for all."""
    from clipcore.measure.agreement import Kappa
    from clipcore.measure.agreement import agreement as measured

    with open_library(home) as library:
        if decide is not None:
            decided = _decided(library, decide, answer)
            emit(as_json, {"path": decided, "answer": answer}, f"{decided} is {answer}, whatever else was said")
            return
        names = {person.id: person.name for person in library.people.all()}
        said = library.labels.answers_by_person()
        if differing:
            images = library.images_with_ids(library.labels.differing())
            for image in images:
                by = {names[person]: answer for person, answer in said[image.picture].items()}
                words = ", ".join(f"{name}: {answer}" for name, answer in by.items())
                emit(as_json, {"path": image.shown_path, "said": by}, f"{image.shown_path}  {words}")
            if not images:
                say("There is no picture on which people differ that nobody has decided.")
            return
        pairs, everybody = measured({p: {names[one]: answer for one, answer in by.items()} for p, by in said.items()})

        def show(found: Kappa, kind: str) -> None:
            low, high = found.interval
            row = {"kind": kind, "people": list(found.people), "pictures": found.n, "same": round(found.same, 4)}
            defined = found.kappa == found.kappa
            row |= {"kappa": round(found.kappa, 4) if defined else None}
            row |= {"interval": [round(low, 4), round(high, 4)] if low == low else None}
            shown = f"kappa {found.kappa:.2f} [{low:.2f}, {high:.2f}]" if defined else "kappa not defined: one answer only"
            emit(as_json, row, f"{kind:<6} {shown}  {found.same:.0%} the same of {found.n:,}  {', '.join(found.people)}")

        for pair in pairs:
            show(pair, "Cohen")
        if everybody is None:
            say("No picture was labelled by two people with accounts yet.")
        else:
            show(everybody, "Fleiss")
            if left := len(library.labels.differing()):
                say(f"On {left:,} of them people differ and nobody has decided; agreement --open lists them.")


def _decided(library: "Library", path: Path, answer: str) -> str:
    """Decide what a picture is on which people may differ; its path as text."""
    from clipcore import NONE, BadInput
    from clipcore.classify.prompts import clean_label

    if not answer:
        raise BadInput("Say what it is with --as LABEL, or --as “none of these”.")
    (image, *more) = library.images_with_ids(library.labels.ids_at([path]))
    if more:
        raise BadInput("One picture is decided at a time; name a picture, not a folder.")
    among = sorted({word.label for word in library.labels.words_of(image.picture)})
    to = NONE if answer == "none of these" else clean_label(answer)
    if not among:
        raise BadInput("Nobody with an account has labelled this picture; use label.")
    library.labels.decide([image.id], to, among if to == NONE or to in among else [*among, str(to)])
    return image.shown_path


def _row(name: str, role: str) -> dict[str, str]:
    return {"name": name, "role": role}


def _chosen(role: str) -> "Literal['viewer', 'labeller', 'owner']":
    from storage import ROLES

    return next((one for one in ROLES if one == role), "labeller")


def _is_there(library: "Library", name: str) -> bool:
    from clipcore import NotFound

    try:
        return bool(library.people.get(name))
    except NotFound:
        return False


def _password() -> str:
    """From SAYSO_PASSWORD, a pipe, or whoever sits there, twice; never from the command line, which others can read."""
    if given := os.environ.get("SAYSO_PASSWORD"):
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt="The same once more", err=True))
