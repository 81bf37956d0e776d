"""Addresses that are told when a job ends, and what is still to be told them.

That a job has ended and that somebody is to be told of it is written at once: neither is known without the other, whenever
the computer fails. Whoever sends takes a delivery for a while; if it ends meanwhile another one sends it, so that a delivery
may come twice, with the same id. How it is signed, and when it is tried again: Standard Webhooks (standardwebhooks.com).
"""

import base64
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Connection, delete, func, insert, literal, select, update

from clipcore import BadInput, NotFound

from .database import Database
from .tables import AnyRow, Delivery, Job, Webhook, now

Ended = Literal["done", "failed", "cancelled"]
ENDS: tuple[Ended, ...] = get_args(Ended)
WAITS = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000))  # after the first try, the second, ...
TAKEN = timedelta(minutes=1)  # for so long a delivery is whose sender has taken it
KEPT = timedelta(days=30)
MOST_WORDS = 300


@dataclass(frozen=True)
class WebhookRecord:
    """An address, the ends of jobs that it is told of, and how the last delivery went: "" before the first."""

    id: int
    url: str
    events: tuple[Ended, ...]
    created: datetime
    last: str = ""
    waiting: int = 0


@dataclass(frozen=True)
class DeliveryRecord:
    """Something to be told: the end of job `job_id`, or None for a test."""

    id: int
    url: str
    secret: str
    job_id: int | None
    created: datetime


class Webhooks:
    """The addresses of a library. Who may write them may let this computer call any address that it reaches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, url: str, events: Collection[str] = ENDS) -> tuple[str, int]:
        """The secret that signs what is sent, which is shown this once, and the webhook's number. Raises BadInput."""
        if unknown := set(events) - set(ENDS):
            raise BadInput(f"No job ends as “{min(unknown)}”; choose among {', '.join(ENDS)}.")
        try:
            parts = urlsplit(url)
            is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # such as a port of letters
            is_good = False
        if not is_good or any(letter.isspace() for letter in url):
            raise BadInput("That is no address; give one such as https://example.org/sayso.")
        if not events:
            raise BadInput(f"Choose at least one end of jobs among {', '.join(ENDS)}.")
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
        row = {"url": url, "secret": secret, "events": [one for one in ENDS if one in events]}
        with self._database.writing() as connection:
            return secret, connection.execute(insert(Webhook).values(row).returning(Webhook.id)).scalar_one()

    def all(self) -> list[WebhookRecord]:
        """The addresses, in the order in which they were added."""
        mine = Delivery.webhook_id == Webhook.id
        tried = select(Delivery.said).where(mine, Delivery.tries > 0).order_by(Delivery.id.desc()).limit(1)
        last = tried.correlate(Webhook).scalar_subquery()
        open_ = select(func.count(Delivery.id)).where(mine, ~Delivery.over).correlate(Webhook).scalar_subquery()
        columns = (Webhook.id, Webhook.url, Webhook.events, Webhook.created, last, open_)
        with self._database.reading() as connection:
            rows = connection.execute(select(*columns).order_by(Webhook.id)).all()
        return [WebhookRecord(id_, url, tuple(ends), made, said or "", n) for id_, url, ends, made, said, n in rows]

    def remove(self, webhook_id: int) -> None:
        """Tell an address nothing any more, not even what is under way. Raises NotFound."""
        with self._database.writing() as connection:
            connection.execute(delete(Delivery).where(Delivery.webhook_id == webhook_id))
            if not connection.execute(delete(Webhook).where(Webhook.id == webhook_id)).rowcount:
                raise NotFound(f"There is no webhook {webhook_id}; “webhooks” lists them.")

    def test(self, webhook_id: int) -> DeliveryRecord:
        """A delivery that tells of no job, taken for whoever sends it now. Raises NotFound."""
        with self._database.writing() as connection:
            if connection.scalar(select(Webhook.id).where(Webhook.id == webhook_id)) is None:
                raise NotFound(f"There is no webhook {webhook_id}; “webhooks” lists them.")
            row = {"webhook_id": webhook_id, "due": now() + TAKEN}
            made = connection.execute(insert(Delivery).values(row).returning(Delivery.id)).scalar_one()
            return _delivery(connection, Delivery.id == made)

    def take(self) -> DeliveryRecord | None:
        """The delivery that has been due the longest, if there is one: nobody else gets it for a minute."""
        is_due = ~Delivery.over & (Delivery.due <= now())
        oldest = select(Delivery.id).where(is_due).order_by(Delivery.due).limit(1)
        with self._database.reading() as connection:
            if connection.scalar(oldest) is None:
                return None
        claim = update(Delivery).where(Delivery.id == oldest.with_for_update(skip_locked=True).scalar_subquery(), is_due)
        with self._database.writing() as connection:
            taken = connection.scalar(claim.values(due=now() + TAKEN).returning(Delivery.id))
            return None if taken is None else _delivery(connection, Delivery.id == taken)

    def tried(self, delivery_id: int, said: str, arrived: bool) -> None:
        """Write what a try came to. What did not arrive is tried again later, six times in 18 hours; a test is not."""
        mine = Delivery.id == delivery_id
        with self._database.writing() as connection:
            row = connection.execute(select(Delivery.tries, Delivery.job_id).where(mine)).one_or_none()
            if row is None:  # the address was removed meanwhile
                return
            over = arrived or row.job_id is None or row.tries >= len(WAITS)
            due = now() if over else now() + WAITS[row.tries]
            values = {"tries": row.tries + 1, "said": said[:MOST_WORDS], "over": over, "due": due}
            connection.execute(update(Delivery).where(mine).values(values))


def owe(connection: Connection, ended: ColumnElement[bool]) -> None:
    """Write down who is to be told of the jobs that `ended` says; in the transaction in which they end."""
    hooks = connection.execute(select(Webhook.id, Webhook.events)).all()
    if not hooks:
        return
    connection.execute(delete(Delivery).where(Delivery.over, Delivery.created < now() - KEPT))
    for hook, states in hooks:
        jobs = select(literal(hook), Job.id).where(ended, Job.state.in_(states))
        names = ["webhook_id", "job_id"]
        connection.execute(insert(Delivery).from_select(names, jobs))


def _delivery(connection: Connection, which: ColumnElement[bool]) -> DeliveryRecord:
    columns = (Delivery.id, Webhook.url, Webhook.secret, Delivery.job_id, Delivery.created)
    row: AnyRow = connection.execute(select(*columns).join(Webhook, Webhook.id == Delivery.webhook_id).where(which)).one()
    return DeliveryRecord(*row)
