"""Tables of long work: jobs, and the pieces of their files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds, migration_ops

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_ops.create_table(
        "job",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("request", LONG_TEXT, nullable=False),
        sa.Column("size", ROW_ID, nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("worker", sa.String(length=32), nullable=False),
        sa.Column("takes", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("done_rows", sa.Integer(), nullable=False),
        sa.Column("total_rows", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=True),
        sa.Column("outcome", LONG_TEXT, nullable=False),
        sa.Column("created_at", UtcMicroseconds(), nullable=False),
        sa.Column("touched_at", UtcMicroseconds(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(op.f("ix_job_created_at"), "job", ["created_at"])
    migration_ops.create_index(op.f("ix_job_state_touched_at"), "job", ["state", "touched_at"])
    migration_ops.create_table(
        "job_chunk",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_chunk_job_id")),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_job_chunk")),
        **MYSQL_OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("job_chunk")
    op.drop_table("job")
