"""Rows of the audit are only added, except by ``inventory audit prune``."""

from alembic import op

from inventory_core import forbid_row_changes, permit_row_changes

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    forbid_row_changes(op.get_bind(), "audit_event")


def downgrade() -> None:
    permit_row_changes(op.get_bind(), "audit_event")
