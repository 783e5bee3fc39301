"""Tables of imports: uploads, their pieces and their progress."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds, migration_ops

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration_ops.create_table(
        "import_job",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("sheet", sa.String(length=100), nullable=False),
        sa.Column("size", ROW_ID, nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("done_rows", sa.Integer(), nullable=False),
        sa.Column("total_rows", sa.Integer(), nullable=False),
        sa.Column("outcome", LONG_TEXT, nullable=False),
        sa.Column("created_at", UtcMicroseconds(), nullable=False),
        sa.Column("touched_at", UtcMicroseconds(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_job")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(op.f("ix_import_job_created_at"), "import_job", ["created_at"])
    migration_ops.create_table(
        "import_chunk",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["import_job.id"], name=op.f("fk_import_chunk_job_id")),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_import_chunk")),
        **MYSQL_OPTIONS,
    )


def downgrade() -> None:
    op.drop_table("import_chunk")
    op.drop_table("import_job")
