"""The language that a person chose; null follows the browser."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user", sa.Column("language", sa.String(length=10), nullable=True))


def downgrade() -> None:
    op.drop_column("user", "language")
