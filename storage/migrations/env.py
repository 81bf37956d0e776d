"""Alembic's entry: runs on the connection that `storage.migrate` hands over, inside its transaction."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import TypeDecorator

from storage.tables import Base


def plain_type(kind: str, item: Any, _autogenerate: Any) -> str | Literal[False]:
    """A revision names the column's plain type: it must still mean the same when `tables.py` has moved on."""
    return f"sa.{item.impl_instance!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=plain_type,
    render_as_batch=True,  # SQLite changes a table only by copying it
)
context.run_migrations()
