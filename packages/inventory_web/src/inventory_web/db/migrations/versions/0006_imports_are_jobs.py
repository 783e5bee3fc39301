"""Imports become jobs like any other long work; what an instance had begun waits to be taken up."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds, migration_ops

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BEGUN = {"reading": ("check", "waiting"), "importing": ("import", "waiting")}
NEW = {"worker": "", "takes": 0, "cancel_requested": False, "stage": "", "done_rows": 0, "total_rows": 0}
KEPT = ("id", "size", "actor", "outcome", "created_at", "touched_at")
TIMES = {"created_at": UtcMicroseconds(), "touched_at": UtcMicroseconds()}


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, TIMES.get(column)) for column in columns))


def upgrade() -> None:
    # MySQL commits each change of a table: what an interrupted run has copied, or dropped, is left alone.
    if migration_ops.has_table("import_chunk"):
        _copy()
    migration_ops.drop_table("import_chunk")
    migration_ops.drop_table("import_job")


def _copy() -> None:
    connection = op.get_bind()
    old = _table("import_job", *KEPT, "filename", "sheet", "state")
    job = _table("job", *KEPT, *NEW, "kind", "step", "title", "request", "state")
    missing = sa.select(old).where(old.c.id.not_in(sa.select(job.c.id)))
    for row in connection.execute(missing).mappings().all():
        step, state = BEGUN.get(row["state"], ("import", row["state"]))
        values = {"kind": "import", "title": row["filename"], "step": step, "state": state}
        request = json.dumps({"sheet": row["sheet"], "by": row["actor"]}, ensure_ascii=False)
        kept = {name: row[name] for name in KEPT}
        connection.execute(sa.insert(job).values(**kept, **values, **NEW, request=request))
    pieces = ("job_id", "number", "content")
    chunk, old_chunk = _table("job_chunk", *pieces), _table("import_chunk", *pieces)
    missing = sa.select(old_chunk).where(old_chunk.c.job_id.not_in(sa.select(chunk.c.job_id)))
    connection.execute(sa.insert(chunk).from_select(pieces, missing))


def downgrade() -> None:
    op.create_table(
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
    op.create_index(op.f("ix_import_job_created_at"), "import_job", ["created_at"])
    op.create_table(
        "import_chunk",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["import_job.id"], name=op.f("fk_import_chunk_job_id")),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_import_chunk")),
        **MYSQL_OPTIONS,
    )
    connection = op.get_bind()
    job = _table("job", *KEPT, "kind", "title", "state")
    old = _table("import_job", *KEPT, "filename", "sheet", "state", "stage", "done_rows", "total_rows")
    # Only what was done is of use to the older program: it can be undone.
    done = sa.select(job).where(job.c.kind == "import", job.c.state.in_(("done", "undone")))
    for row in connection.execute(done).mappings().all():
        kept = {name: row[name] for name in KEPT}
        values = {"filename": row["title"], "sheet": "", "state": row["state"], "stage": ""}
        connection.execute(sa.insert(old).values(**kept, **values, done_rows=0, total_rows=0))
    connection.execute(sa.delete(_table("job_chunk")))
    connection.execute(sa.delete(_table("job")))
