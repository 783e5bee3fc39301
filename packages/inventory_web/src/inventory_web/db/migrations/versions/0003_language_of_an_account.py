"""The language that a person chose; null follows the browser."""

import sqlalchemy as sa
from alembic import op

from inventory_core import migration_ops

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_ops.add_column("user", sa.Column("language", sa.String(length=10), nullable=True))


def downgrade() -> None:
    op.drop_column("user", "language")
