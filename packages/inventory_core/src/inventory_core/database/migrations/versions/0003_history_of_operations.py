"""Operations in the order of time, of a person and of a product, so that the history reads a page and not the table."""

import json
import re
import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

from inventory_core.database import migration_ops
from inventory_core.database.columns import ROW_ID

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_operation_at_id": ["at", "id"],
    "ix_operation_actor_at_id": ["actor", "at", "id"],
    "ix_operation_product_id_at_id": ["product_id", "at", "id"],
}
OF_ONE_PRODUCT = ("receive", "issue", "transfer", "count", "undo")
WITHOUT_MOVEMENTS = ("register", "edit", "retire", "restore")
AT_ONCE = 1_000


def upgrade() -> None:
    migration_ops.add_column("operation", sa.Column("product_id", ROW_ID, nullable=True))
    _find_products()
    for name, columns in INDEXES.items():
        migration_ops.create_index(name, "operation", columns)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "operation")
    op.drop_column("operation", "product_id")


def _find_products() -> None:
    """Let operations of earlier programs lead to their product too: by their movements, or by the code in their answer."""
    connection = op.get_bind()
    verbs = ", ".join(f"'{verb}'" for verb in OF_ONE_PRODUCT)
    connection.execute(
        sa.text(
            f"UPDATE operation SET product_id = (SELECT MIN(movement.product_id) FROM movement "  # noqa: S608
            f"WHERE movement.operation_id = operation.id) WHERE verb IN ({verbs})"
        )
    )
    products: dict[str, int] = {
        row[0]: row[1] for row in connection.execute(sa.text("SELECT code_key, id FROM product"))
    }
    verbs = ", ".join(f"'{verb}'" for verb in WITHOUT_MOVEMENTS)
    rows = connection.execute(sa.text(f"SELECT id, result FROM operation WHERE verb IN ({verbs})")).all()  # noqa: S608
    found: list[dict[str, Any]] = [
        {"of": row[0], "product": products[key]}
        for row in rows
        if (key := _code_key(str(json.loads(row[1] or "{}").get("code", "")))) in products
    ]
    statement = sa.text("UPDATE operation SET product_id = :product WHERE id = :of")
    for start in range(0, len(found), AT_ONCE):
        connection.execute(statement, found[start : start + AT_ONCE])


def _code_key(code: str) -> str:
    """Return the key of a code as this revision writes it: without regard to case and compatibility forms."""
    key = unicodedata.normalize("NFKC", code.casefold()).casefold()
    return re.sub("[\ud800-\udfff]", "\ufffd", key)
