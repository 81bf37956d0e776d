"""Folders that are looked at again by themselves; pictures that are no duplicates; where pictures were taken"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("folders", sa.Column("every", sa.Integer(), nullable=True))
    op.add_column("folders", sa.Column("sorter", sa.Text(), nullable=True))
    op.add_column("folders", sa.Column("looked", sa.DateTime(timezone=True), nullable=True))
    op.add_column("images", sa.Column("latitude", sa.Double(), nullable=True))
    op.add_column("images", sa.Column("longitude", sa.Double(), nullable=True))
    op.add_column("images", sa.Column("place", sa.Text(), nullable=True))
    op.create_index(op.f("ix_images_place"), "images", ["place"], unique=False)
    op.create_table(
        "apart",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("picture", sa.String(length=64), nullable=False),
        sa.Column("other", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apart")),
        sa.UniqueConstraint("picture", "other", name=op.f("uq_apart_picture_other")),
    )
