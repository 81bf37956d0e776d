"""Labels belong to pictures, of which a file may hold another content tomorrow; steps of many parts"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SAME = 0.9995  # cosine of the vectors of one picture that was embedded twice, in whatever batch
BLOCK = 10_000

IMAGES = sa.table("images", sa.column("content_hash", sa.String), sa.column("picture", sa.String))
LABELS = sa.table("labels", sa.column("picture", sa.String))
CONTENTS = sa.table("contents", *(sa.column(name, sa.String) for name in ("content_hash", "picture")), sa.column("replaced", sa.Boolean))
EMBEDDINGS = sa.table(
    "embeddings",
    sa.column("id", sa.Integer),
    sa.column("space_id", sa.Integer),
    sa.column("content_hash", sa.String),
    sa.column("vector", sa.LargeBinary),
)


def upgrade() -> None:
    op.create_table(
        "contents",
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("picture", sa.String(length=64), nullable=False),
        sa.Column("pixels", sa.String(length=64), nullable=True),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash", name=op.f("pk_contents")),
    )
    op.create_index(op.f("ix_contents_picture"), "contents", ["picture"])
    op.create_index(op.f("ix_contents_pixels"), "contents", ["pixels"])
    op.add_column("images", sa.Column("picture", sa.String(length=64), nullable=False, server_default=""))
    op.execute("UPDATE images SET picture = content_hash")
    op.create_index(op.f("ix_images_picture"), "images", ["picture"])
    op.execute("ALTER TABLE labels RENAME COLUMN content_hash TO picture")
    with op.batch_alter_table("labels") as labels:
        labels.drop_constraint("uq_labels_content_hash_label", type_="unique")
        labels.create_unique_constraint("uq_labels_picture_label", ["picture", "label"])
    with op.batch_alter_table("label_steps") as steps:
        steps.add_column(sa.Column("part_of", sa.Integer(), nullable=True))
        steps.create_foreign_key("fk_label_steps_part_of_label_steps", "label_steps", ["part_of"], ["id"])
    op.create_index(op.f("ix_label_steps_part_of"), "label_steps", ["part_of"])
    connection = op.get_bind()
    seen = sa.union(sa.select(IMAGES.c.content_hash), sa.select(LABELS.c.picture)).subquery()
    columns = sa.select(seen.c[0], seen.c[0], sa.false())
    connection.execute(sa.insert(CONTENTS).from_select(["content_hash", "picture", "replaced"], columns))
    for content, picture in lost(connection).items():
        connection.execute(sa.update(CONTENTS).where(CONTENTS.c.content_hash == content).values(picture=picture))
        connection.execute(sa.update(IMAGES).where(IMAGES.c.content_hash == content).values(picture=picture))


def lost(connection: sa.Connection) -> dict[str, str]:
    """Contents without labels -> labelled ones that no file has any more, where their vectors say that it is one picture:
    another program has written into the file, and the labels stayed with what it had been."""
    there = sa.select(IMAGES.c.content_hash)
    orphans = sa.select(LABELS.c.picture).where(LABELS.c.picture.not_in(there)).distinct()
    chosen = sa.select(EMBEDDINGS).where(EMBEDDINGS.c.content_hash.in_(orphans))
    found: dict[str, set[str]] = {}
    by_space: dict[int, list[sa.Row[Any]]] = {}
    for row in connection.execute(chosen):
        by_space.setdefault(row.space_id, []).append(row)
    for space, rows in by_space.items():
        old = np.stack([np.frombuffer(row.vector, "<f4") for row in rows])
        for block in candidates(connection, space):
            same = old @ np.stack([np.frombuffer(row.vector, "<f4") for row in block]).T >= SAME
            for i, j in np.argwhere(same):
                if block[j].id > rows[i].id:  # came later
                    found.setdefault(block[j].content_hash, set()).add(rows[i].content_hash)
    claims = [old for olds in found.values() for old in olds]
    return {new: min(olds) for new, olds in found.items() if len(olds) == 1 and claims.count(min(olds)) == 1}


def candidates(connection: sa.Connection, space: int) -> Iterator[list[sa.Row[Any]]]:
    there, labelled = sa.select(IMAGES.c.content_hash), sa.select(LABELS.c.picture)
    rows = sa.select(EMBEDDINGS).where(
        EMBEDDINGS.c.space_id == space,
        EMBEDDINGS.c.content_hash.in_(there),
        EMBEDDINGS.c.content_hash.not_in(labelled),
    )
    after = 0
    while block := connection.execute(rows.where(EMBEDDINGS.c.id > after).order_by(EMBEDDINGS.c.id).limit(BLOCK)).all():
        yield list(block)
        after = block[-1].id
