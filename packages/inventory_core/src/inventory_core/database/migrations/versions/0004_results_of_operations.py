"""Operations and their results are two tables that are only added to, and so is the ledger on every database."""

import json

import sqlalchemy as sa
from alembic import op

from inventory_core.database import migration_ops
from inventory_core.database.columns import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds
from inventory_core.database.dialects import forbid_row_changes, permit_row_changes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSERT_ONLY = ("movement", "operation", "operation_result")
BY_PRODUCT = ("product_id", "at", "operation_id")


def upgrade() -> None:
    """Each step may be repeated: MySQL ends a transaction with each change of a table."""
    inspector = sa.inspect(op.get_bind())
    _create()
    if "result" in {column["name"] for column in inspector.get_columns("operation")}:
        _move()
    forbid_row_changes(op.get_bind(), *INSERT_ONLY)


def _create() -> None:
    migration_ops.create_table(
        "operation_result",
        sa.Column("operation_id", sa.String(length=64), nullable=False),
        sa.Column("result", LONG_TEXT, nullable=False),
        sa.Column("at", UtcMicroseconds(), nullable=False),
        sa.Column("product_id", ROW_ID, nullable=True),
        sa.Column("undoes_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["operation_id"], ["operation.id"], name=op.f("fk_operation_result_operation_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["operation.id"], name=op.f("fk_operation_result_undoes_id")),
        sa.PrimaryKeyConstraint("operation_id", name=op.f("pk_operation_result")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_operation_result_undoes_id")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index("ix_operation_result_product_id_at_operation_id", "operation_result", BY_PRODUCT)


def _move() -> None:
    """Copy what is not there yet; an empty result is that of an operation that was refused."""
    connection = op.get_bind()
    permit_row_changes(connection, *INSERT_ONLY)
    connection.execute(
        sa.text(
            "INSERT INTO operation_result (operation_id, result, at, product_id) "
            "SELECT id, result, at, product_id FROM operation WHERE result <> '' "
            "AND NOT EXISTS (SELECT 1 FROM operation_result WHERE operation_id = operation.id)"
        )
    )
    undone = connection.execute(
        sa.text("SELECT id, result FROM operation WHERE verb = 'change_many' AND result LIKE '%\"undone_by\":%'")
    )
    statement = sa.text("UPDATE operation_result SET undoes_id = :undone WHERE operation_id = :undoing")
    for operation, result in undone.all():
        connection.execute(statement, {"undone": operation, "undoing": json.loads(result)["undone_by"]})
    if connection.dialect.name == "mysql":
        # One statement, which a server carries out as a whole or not at all.
        op.execute(
            "ALTER TABLE operation DROP INDEX ix_operation_product_id_at_id, DROP COLUMN product_id, DROP COLUMN result"
        )
        return
    op.drop_index("ix_operation_product_id_at_id", "operation")
    op.drop_column("operation", "product_id")
    op.drop_column("operation", "result")


def downgrade() -> None:
    connection = op.get_bind()
    permit_row_changes(connection, *INSERT_ONLY)
    op.add_column("operation", sa.Column("result", LONG_TEXT, nullable=True))
    op.add_column("operation", sa.Column("product_id", ROW_ID, nullable=True))
    connection.execute(
        sa.text(
            "UPDATE operation SET "
            "result = COALESCE((SELECT result FROM operation_result WHERE operation_id = operation.id), ''), "
            "product_id = (SELECT product_id FROM operation_result WHERE operation_id = operation.id)"
        )
    )
    op.create_index("ix_operation_product_id_at_id", "operation", ["product_id", "at", "id"])
    op.drop_table("operation_result")
    if connection.dialect.name == "sqlite":
        # The ledger was insert only on SQLite before this revision.
        forbid_row_changes(connection, "movement")
