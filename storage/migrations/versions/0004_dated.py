"""The date by which pictures are sorted and filtered: the camera's, or else the file's"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

IMAGES = sa.table(
    "images",
    sa.column("id", sa.Integer),
    sa.column("taken", sa.DateTime),
    sa.column("mtime_ns", sa.BigInteger),
    sa.column("dated", sa.DateTime),
)


def upgrade() -> None:
    # a default for the rows there are; each gets its own at once
    op.add_column("images", sa.Column("dated", sa.DateTime(), nullable=False, server_default="1970-01-01 00:00:00.000000"))
    connection = op.get_bind()
    rows = connection.execute(sa.select(IMAGES.c.id, IMAGES.c.taken, IMAGES.c.mtime_ns)).all()
    filled = sa.update(IMAGES).where(IMAGES.c.id == sa.bindparam("image")).values(dated=sa.bindparam("date"))
    for start in range(0, len(rows), 5000):
        some = rows[start : start + 5000]
        connection.execute(filled, [{"image": row.id, "date": row.taken or changed(row.mtime_ns)} for row in some])
    op.create_index(op.f("ix_images_dated"), "images", ["dated"], unique=False)


def changed(mtime_ns: int) -> datetime:
    try:
        return datetime.fromtimestamp(mtime_ns / 1e9)
    except (OverflowError, ValueError, OSError):
        return datetime(1970, 1, 1)
