"""Stars: those that a picture's file has, and those that are given here"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("images", sa.Column("rating", sa.SmallInteger(), nullable=True))
    op.create_table(
        "ratings",
        sa.Column("picture", sa.String(length=64), nullable=False),
        sa.Column("stars", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("picture", name=op.f("pk_ratings")),
    )
