"""Create the tables, the search index and the first rows."""

import sqlalchemy as sa
from alembic import op

from inventory_core.database import migration_ops
from inventory_core.database.columns import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds
from inventory_core.database.dialects import forbid_row_changes

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PREDEFINED = {
    "Electrónicos": "electronicos",
    "Ropa": "ropa",
    "Alimentos": "alimentos",
    "Hogar": "hogar",
    "Deportes": "deportes",
    "Libros": "libros",
    "Otros": "otros",
}
"""Each name with its folded form."""

# Each begins with the state and the order of a list and ends with what its filters test: rows passed over are not fetched.
PRODUCT_INDEXES = {
    "ix_product_by_name": ["retired_at", "name_key", "id", "category_id", "quantity", "minimum"],
    "ix_product_by_code": ["retired_at", "code_key", "id", "category_id", "quantity", "minimum"],
    "ix_product_by_quantity": ["retired_at", "quantity", "id", "category_id", "minimum"],
    "ix_product_by_changed": ["retired_at", "changed_at", "id", "category_id", "quantity", "minimum"],
    "ix_product_category_id": ["category_id"],
}

# Trigrams find a part of a word without reading every row; detail=none since each hit is tested on its text anyway.
SEARCH_INDEX = (
    """CREATE VIRTUAL TABLE product_search USING fts5(
        search_text, content='product', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none, columnsize=0)""",
    """CREATE TRIGGER product_search_insert AFTER INSERT ON product BEGIN
        INSERT INTO product_search (rowid, search_text) VALUES (new.id, new.search_text); END""",
    """CREATE TRIGGER product_search_delete AFTER DELETE ON product BEGIN
        INSERT INTO product_search (product_search, rowid, search_text) VALUES ('delete', old.id, old.search_text); END""",
    """CREATE TRIGGER product_search_update AFTER UPDATE OF search_text ON product BEGIN
        INSERT INTO product_search (product_search, rowid, search_text) VALUES ('delete', old.id, old.search_text);
        INSERT INTO product_search (rowid, search_text) VALUES (new.id, new.search_text); END""",
    "CREATE VIRTUAL TABLE product_search_terms USING fts5vocab('product_search', 'row')",
)

INSERT_ONLY = ("movement", "operation", "operation_result")

TABLES = (
    "outbox_dead_letter", "outbox", "import_change", "movement", "balance", "product", "operation_result", "operation",
    "location", "category",
)  # fmt: skip
"""Those that refer to others come first."""


def upgrade() -> None:
    migration_ops.create_table(
        "category",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("name_key", name=op.f("uq_category_name_key")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_table(
        "location",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
        sa.UniqueConstraint("is_default", name=op.f("uq_location_is_default")),
        sa.UniqueConstraint("name_key", name=op.f("uq_location_name_key")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_table(
        "operation",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("verb", sa.String(length=20), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", UtcMicroseconds(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index("ix_operation_verb_at", "operation", ["verb", "at"])
    migration_ops.create_index("ix_operation_at_id", "operation", ["at", "id"])
    migration_ops.create_index("ix_operation_actor_at_id", "operation", ["actor", "at", "id"])
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
    migration_ops.create_index(
        "ix_operation_result_product_id_at_operation_id", "operation_result", ["product_id", "at", "operation_id"]
    )

    migration_ops.create_table(
        "outbox",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("payload", LONG_TEXT, nullable=False),
        sa.Column("at", UtcMicroseconds(), nullable=False),
        sa.Column("due_at", UtcMicroseconds(), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("product_id", ROW_ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index("ix_outbox_claim", "outbox", ["claim"])
    migration_ops.create_index("ix_outbox_due_at_id", "outbox", ["due_at", "id"])
    migration_ops.create_index("ix_outbox_product_id_id", "outbox", ["product_id", "id"])
    migration_ops.create_table(
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

    migration_ops.create_table(
        "product",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("code_key", sa.String(length=191), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("category_id", ROW_ID, nullable=True),
        sa.Column("quantity", ROW_ID, nullable=False),
        sa.Column("minimum", ROW_ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("search_text", LONG_TEXT, nullable=False),
        sa.Column("created_at", UtcMicroseconds(), nullable=False),
        sa.Column("changed_at", UtcMicroseconds(), nullable=False),
        sa.Column("retired_at", UtcMicroseconds(), nullable=True),
        sa.CheckConstraint("minimum >= 0", name=op.f("ck_product_minimum_not_negative")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_product_quantity_not_negative")),
        sa.ForeignKeyConstraint(["category_id"], ["category.id"], name=op.f("fk_product_category_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("code_key", name=op.f("uq_product_code_key")),
        **MYSQL_OPTIONS,
    )
    for name, columns in PRODUCT_INDEXES.items():
        migration_ops.create_index(name, "product", columns)

    migration_ops.create_table(
        "balance",
        sa.Column("product_id", ROW_ID, nullable=False),
        sa.Column("location_id", ROW_ID, nullable=False),
        sa.Column("quantity", ROW_ID, nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_balance_quantity_not_negative")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_balance_location_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_balance_product_id")),
        sa.PrimaryKeyConstraint("product_id", "location_id", name=op.f("pk_balance")),
        sqlite_with_rowid=False,
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(
        "ix_balance_location_id_quantity_product_id", "balance", ["location_id", "quantity", "product_id"]
    )

    migration_ops.create_table(
        "import_change",
        sa.Column("operation_id", sa.String(length=64), nullable=False),
        sa.Column("product_id", ROW_ID, nullable=False),
        sa.Column("before", LONG_TEXT, nullable=False),
        sa.Column("version_after", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["operation_id"], ["operation.id"], name=op.f("fk_import_change_operation_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_import_change_product_id")),
        sa.PrimaryKeyConstraint("operation_id", "product_id", name=op.f("pk_import_change")),
        sqlite_with_rowid=False,
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index("ix_import_change_product_id", "import_change", ["product_id"])

    migration_ops.create_table(
        "movement",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("product_id", ROW_ID, nullable=False),
        sa.Column("location_id", ROW_ID, nullable=False),
        sa.Column("quantity", ROW_ID, nullable=False),
        sa.Column("balance_after", ROW_ID, nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", UtcMicroseconds(), nullable=False),
        sa.Column("operation_id", sa.String(length=64), nullable=False),
        sa.Column("undoes_id", ROW_ID, nullable=True),
        sa.CheckConstraint(
            "kind IN ('receive', 'issue', 'transfer', 'count', 'undo', 'import')", name=op.f("ck_movement_kind_known")
        ),
        sa.CheckConstraint("quantity <> 0 OR kind = 'count'", name=op.f("ck_movement_quantity_not_zero")),
        sa.CheckConstraint("balance_after >= 0", name=op.f("ck_movement_balance_after_not_negative")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_movement_location_id")),
        sa.ForeignKeyConstraint(["operation_id"], ["operation.id"], name=op.f("fk_movement_operation_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_movement_product_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["movement.id"], name=op.f("fk_movement_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movement")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_movement_undoes_id")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index("ix_movement_operation_id", "movement", ["operation_id"])
    migration_ops.create_index("ix_movement_product_id_id", "movement", ["product_id", "id"])
    migration_ops.create_index("ix_movement_by_time", "movement", ["at", "kind", "quantity", "product_id", "undoes_id"])
    if op.get_bind().dialect.name == "sqlite":
        _create_search_index()
    forbid_row_changes(op.get_bind(), *INSERT_ONLY)
    # Last, because MySQL commits these rows with the next change of a table, and a repeated run would insert them again.
    _insert_first_rows()


def _create_search_index() -> None:
    op.create_index("ix_product_retired", "product", ["name_key", "id"], sqlite_where=sa.text("retired_at IS NOT NULL"))
    for statement in SEARCH_INDEX:
        op.execute(statement)


def _insert_first_rows() -> None:
    category = sa.table("category", sa.column("name", sa.String), sa.column("name_key", sa.String))
    op.bulk_insert(category, [{"name": name, "name_key": key} for name, key in PREDEFINED.items()])
    location = sa.table(
        "location", sa.column("name", sa.String), sa.column("name_key", sa.String), sa.column("is_default", sa.Boolean)
    )
    op.bulk_insert(location, [{"name": "Principal", "name_key": "principal", "is_default": True}])


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE product_search_terms")
        op.execute("DROP TABLE product_search")
    for table in TABLES:
        migration_ops.drop_table(table)
