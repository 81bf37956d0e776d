"""When and with what a picture was taken, and which way is up"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("images", sa.Column("taken", sa.DateTime(), nullable=True))
    op.add_column("images", sa.Column("camera", sa.Text(), nullable=True))
    op.add_column("images", sa.Column("orientation", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_images_taken"), "images", ["taken"], unique=False)
