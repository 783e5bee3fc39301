"""Movements by time, so that the sums of a period read that period alone, and read it from the index."""

from alembic import op

from inventory_core.database import migration_ops

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = ["at", "kind", "quantity", "product_id", "undoes_id"]


def upgrade() -> None:
    migration_ops.create_index("ix_movement_by_time", "movement", COLUMNS)


def downgrade() -> None:
    op.drop_index("ix_movement_by_time", "movement")
