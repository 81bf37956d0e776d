"""Secrets that prove who asks: a program's token, a browser that signed in, an invitation. Kept as sha256 alone: they are
long and drawn at random, so nobody finds one by trying, and a stolen backup opens no door."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from clipcore import BadInput, NotFound

from ..database import Database
from ..names import clean_name
from ..tables import AnyRow, PersonRow, TokenRow, now
from .roles import SCOPES

Kind = Literal["api", "page", "invitation"]
NOTED = timedelta(minutes=1)  # `last_used` is right to this: not every request is to write


@dataclass(frozen=True)
class Token:
    """What is known of a secret, without it. `person_id` is None for the one person alone, where there are no accounts."""

    id: int
    person_id: int | None
    name: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime | None = None
    last_used: datetime | None = None


_COLUMNS = (
    *(TokenRow.id, TokenRow.person_id, TokenRow.name, TokenRow.scopes),
    *(TokenRow.created, TokenRow.expires, TokenRow.last_used),
)


class Tokens:
    """The secrets that were given out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        person_id: int | None,
        name: str,
        scopes: Sequence[str] = (),
        lasts: timedelta | None = None,
        kind: Kind = "api",
    ) -> tuple[str, Token]:
        """The secret, which is shown this once, and what is kept of it. `lasts` None is for ever. Raises BadInput."""
        if unknown := set(scopes) - SCOPES.keys():
            raise BadInput(f"There is no scope “{min(unknown)}”; choose among {', '.join(SCOPES)}.")
        if lasts is not None and lasts <= timedelta():
            raise BadInput("A token lasts for a day or longer.")
        secret, moment = f"sayso_{secrets.token_urlsafe(32)}", now()
        row = {
            **{"person_id": person_id, "kind": kind, "name": clean_name(name, "A token"), "sha256": _hashed(secret)},
            **{"scopes": list(scopes), "created": moment, "expires": moment + lasts if lasts else None},
        }
        with self._database.writing() as connection:
            connection.execute(delete(TokenRow).where(TokenRow.expires < moment - timedelta(days=30)))
            return secret, _token(connection.execute(insert(TokenRow).values(row).returning(*_COLUMNS)).one())

    def check(self, secret: str, kind: Kind = "api") -> Token | None:
        """The token with this secret, if it has not expired and its person may come in."""
        moment = now()
        mine = (TokenRow.sha256 == _hashed(secret)) & (TokenRow.kind == kind)
        in_time = TokenRow.expires.is_(None) | (TokenRow.expires > moment)
        query = select(*_COLUMNS).outerjoin(PersonRow).where(mine, in_time, PersonRow.disabled.is_(None))
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        if row.last_used is None or moment - row.last_used > NOTED:
            with self._database.writing() as connection:
                connection.execute(update(TokenRow).where(TokenRow.id == row.id).values(last_used=moment))
        return _token(row)

    def all(self, person_id: int | None = None, kind: Kind = "api") -> list[Token]:
        """The tokens of a person, or everybody's, the newest first."""
        whose = () if person_id is None else (TokenRow.person_id == person_id,)
        query = select(*_COLUMNS).where(TokenRow.kind == kind, *whose).order_by(TokenRow.id.desc())
        with self._database.reading() as connection:
            return [_token(row) for row in connection.execute(query)]

    def revoke(self, token_id: int) -> None:
        """Make a secret worthless, at once. Raises NotFound."""
        with self._database.writing() as connection:
            if not connection.execute(delete(TokenRow).where(TokenRow.id == token_id)).rowcount:
                raise NotFound(f"There is no token {token_id}; list them first.")

    def end(self, secret: str, kind: Kind) -> None:
        """Make this secret worthless, at once; nothing happens to one that is so already."""
        with self._database.writing() as connection:
            connection.execute(delete(TokenRow).where(TokenRow.sha256 == _hashed(secret), TokenRow.kind == kind))

    def forget(self, connection: Connection, person_id: int, kind: Kind | None = None) -> None:
        """Make all secrets of a person worthless, or those of one kind."""
        which = () if kind is None else (TokenRow.kind == kind,)
        connection.execute(delete(TokenRow).where(TokenRow.person_id == person_id, *which))


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: AnyRow) -> Token:
    return Token(row.id, row.person_id, row.name, tuple(row.scopes), row.created, row.expires, row.last_used)
