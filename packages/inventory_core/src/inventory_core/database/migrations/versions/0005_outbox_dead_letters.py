"""Order events by product, and keep those that are given up."""

import sqlalchemy as sa
from alembic import op

from inventory_core.database.columns import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEX = "ix_outbox_product_id_id"


def upgrade() -> None:
    # MySQL commits each change of a table, so a repeated run finds what an interrupted one has done.
    found = sa.inspect(op.get_bind())
    if "product_id" not in {column["name"] for column in found.get_columns("outbox")}:
        op.add_column("outbox", sa.Column("product_id", ROW_ID, nullable=True))
    if INDEX not in {index["name"] for index in found.get_indexes("outbox")}:
        op.create_index(INDEX, "outbox", ["product_id", "id"])
    if not found.has_table("outbox_dead_letter"):
        op.create_table(
            "outbox_dead_letter",
            sa.Column("id", ROW_ID, nullable=False),
            sa.Column("event", sa.String(length=40), nullable=False),
            sa.Column("payload", LONG_TEXT, nullable=False),
            sa.Column("at", UtcMicroseconds(), nullable=False),
            sa.Column("dead_at", UtcMicroseconds(), nullable=False),
            sa.Column("attempts", sa.Integer(), nullable=False),
            sa.Column("last_error", sa.String(length=500), nullable=False),
            sa.Column("product_id", ROW_ID, nullable=True),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_dead_letter")),
            **MYSQL_OPTIONS,
        )


def downgrade() -> None:
    op.drop_table("outbox_dead_letter")
    op.drop_index(INDEX, "outbox")
    op.drop_column("outbox", "product_id")
