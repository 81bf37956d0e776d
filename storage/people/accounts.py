"""The people of a library: names, roles, and passwords as argon2 hashes. Without any, one person alone may do all."""

import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, insert, select, update

from clipcore import BadInput, NotFound

from ..database import Database
from ..names import clean_name
from ..tables import AnyRow, PersonRow, now
from .roles import ROLES, Role
from .tokens import Tokens

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST_LETTERS = 10
MOST_LETTERS = 1000  # of a password: hashing takes time for each
_AT_ONCE = threading.Semaphore(2)  # hashes: each takes 64 MiB and a core for some hundredths of a second


@dataclass(frozen=True)
class Person:
    """Somebody with an account. `disabled` says since when they may not come in."""

    id: int
    name: str
    role: Role
    created: datetime
    disabled: datetime | None = None

    def may(self, least: Role) -> bool:
        """Whether their role allows what needs at least this one."""
        return ROLES.index(self.role) >= ROLES.index(least)


_COLUMNS = (PersonRow.id, PersonRow.name, PersonRow.role, PersonRow.created, PersonRow.disabled)


class People:
    """The people of a library; `tokens` are what proves who asks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.tokens = Tokens(database)

    def any(self) -> bool:
        """Whether there are accounts at all."""
        with self._database.reading() as connection:
            return connection.scalar(select(PersonRow.id).limit(1)) is not None

    def all(self) -> list[Person]:
        """Everybody, by name, also who is disabled."""
        with self._database.reading() as connection:
            return [_person(row) for row in connection.execute(select(*_COLUMNS).order_by(PersonRow.key))]

    def get(self, name: str | int) -> Person:
        """A person by name, in whatever case, or by id. Raises NotFound."""
        with self._database.reading() as connection:
            return _there(connection, name)

    def names(self, ids: Iterable[int]) -> dict[int, str]:
        """Id -> name."""
        wanted = set(ids)
        return {person.id: person.name for person in self.all() if person.id in wanted}

    def add(self, name: str, role: Role, password: str | None = None) -> Person:
        """A new account; without a password for who comes by a proxy's header or an invitation.

        Raises BadInput for a name that is taken or none, a role there is not, a password that is soon guessed, and for
        a first person who is no owner.
        """
        name, role = clean_name(name, "A person"), _role(role)
        hashed = None if password is None else hash_of(password)
        with self._database.writing() as connection:
            if role != "owner" and not connection.scalar(select(func.count()).select_from(PersonRow)):
                raise BadInput(
                    "The first person must be an owner, or nobody could add others: use --role owner.",
                    page="The first person must be an owner, or nobody could add others.",
                )
            if connection.scalar(select(PersonRow.id).where(PersonRow.key == name.casefold())) is not None:
                raise BadInput(f"There is a person “{name}” already; choose another name.")
            row = {"name": name, "key": name.casefold(), "role": role, "password": hashed, "created": now()}
            return _person(connection.execute(insert(PersonRow).values(row).returning(*_COLUMNS)).one())

    def set_role(self, name: str | int, role: Role) -> Person:
        """Give a person another role. Raises NotFound, and BadInput where no owner would be left."""
        return self._change(name, role=_role(role))

    def disable(self, name: str | int, disabled: bool = True) -> Person:
        """Let a person in no more, at once, or again; their labels stay. Raises NotFound, BadInput as `set_role`."""
        return self._change(name, disabled=now() if disabled else None)

    def set_password(self, name: str | int, password: str) -> Person:
        """Give a person another password; browsers that signed in with the old one must do so again.

        Raises NotFound, BadInput for one that is soon guessed.
        """
        return self._change(name, password=hash_of(password))

    def has_password(self, person_id: int) -> bool:
        """Whether a person has chosen a password."""
        with self._database.reading() as connection:
            return connection.scalar(select(PersonRow.password).where(PersonRow.id == person_id)) is not None

    def check(self, name: str, password: str) -> Person | None:
        """The person whose name and password these are. It takes as long for a name that is not there."""
        key = " ".join(name.split()).casefold()
        with self._database.reading() as connection:
            row = connection.execute(select(PersonRow.password, *_COLUMNS).where(PersonRow.key == key)).one_or_none()
        known = row.password if row and not row.disabled else None
        right = _verify(known or _nobodys(), password[:MOST_LETTERS])
        if row is None or known is None or not right:
            return None
        if _hasher().check_needs_rehash(known):  # made with weaker settings, by an older version
            with self._database.writing() as connection:
                connection.execute(update(PersonRow).where(PersonRow.id == row.id).values(password=hash_of(password)))
        return _person(row)

    def _change(self, name: str | int, **values: object) -> Person:
        with self._database.writing() as connection:
            person = _there(connection, name)
            connection.execute(update(PersonRow).where(PersonRow.id == person.id).values(values))
            left = select(PersonRow.id).where(PersonRow.role == "owner", PersonRow.disabled.is_(None))
            if person.role == "owner" and connection.scalar(left.limit(1)) is None:
                raise BadInput(f"{person.name} is the only owner; make somebody else an owner first.")
            if "password" in values or values.get("disabled"):
                self.tokens.forget(connection, person.id, None if values.get("disabled") else "page")
            return _there(connection, person.id)


def hash_of(password: str) -> str:
    """The argon2 hash of a password. Raises BadInput for one that is soon guessed."""
    if len(password) < LEAST_LETTERS:
        raise BadInput(f"That password is soon guessed; use {LEAST_LETTERS} letters or more.")
    if len(password) > MOST_LETTERS:
        raise BadInput(f"A password has at most {MOST_LETTERS} letters; choose a shorter one.")
    with _AT_ONCE:
        return _hasher().hash(password)


def _role(role: str) -> Role:
    if role not in ROLES:
        raise BadInput(f"There is no role “{role}”; choose one of {', '.join(ROLES)}.")
    return role


def _there(connection: Connection, name: str | int) -> Person:
    one = PersonRow.id == name if isinstance(name, int) else PersonRow.key == " ".join(name.split()).casefold()
    row = connection.execute(select(*_COLUMNS).where(one)).one_or_none()
    if row is None:
        who = name if isinstance(name, int) else f"“{name}”"
        raise NotFound(f"There is no person {who}; see “python app.py people”.", page=f"There is no person {who}.")
    return _person(row)


def _person(row: AnyRow) -> Person:
    return Person(row.id, row.name, row.role, row.created, row.disabled)


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher()  # the second choice of RFC 9106: argon2id, 64 MiB, three rounds


@cache
def _nobodys() -> str:
    """A hash that no password has: looking at it takes as long as at somebody's."""
    return hash_of(secrets.token_hex())


def _verify(hashed: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        with _AT_ONCE:
            return _hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False
