"""Table of saved views."""

import sqlalchemy as sa
from alembic import op

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds, migration_ops

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_ops.create_table(
        "saved_view",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("owner_id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("opens_first", sa.Boolean(), nullable=False),
        sa.Column("query", LONG_TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcMicroseconds(), nullable=False),
        sa.Column("changed_at", UtcMicroseconds(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_saved_view_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("owner_id", "name_key", name=op.f("uq_saved_view_owner_id_name_key")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(op.f("ix_saved_view_shared_name_key"), "saved_view", ["shared", "name_key"])


def downgrade() -> None:
    op.drop_table("saved_view")
