"""Create the tables, the search index and the first rows."""

import sqlalchemy as sa
from alembic import op

from inventory_core.database import migration_ops
from inventory_core.database.columns import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds
from inventory_core.database.dialects import forbid_row_changes
from inventory_core.database.table_names import table_name

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

CATEGORY = table_name("category")
LOCATION = table_name("location")
PRODUCT = table_name("product")
BALANCE = table_name("balance")
OPERATION = table_name("operation")
OPERATION_RESULT = table_name("operation_result")
MOVEMENT = table_name("movement")
PRODUCT_REVISION = table_name("product_revision")
OUTBOX = table_name("outbox")
OUTBOX_DEAD_LETTER = table_name("outbox_dead_letter")
SEARCH = table_name("product_search")

INSERT_ONLY = (MOVEMENT, OPERATION, OPERATION_RESULT, PRODUCT_REVISION)
DROP_ORDER = (
    OUTBOX_DEAD_LETTER, OUTBOX, PRODUCT_REVISION, MOVEMENT, BALANCE, PRODUCT, OPERATION_RESULT, OPERATION, LOCATION,
    CATEGORY,
)  # fmt: skip

# Each begins with the state and the order of a list and ends with what its filters test: rows passed over are not fetched.
PRODUCT_INDEXES = {
    f"ix_{PRODUCT}_by_name": ["retired_at", "name_key", "id", "category_id", "quantity", "minimum"],
    f"ix_{PRODUCT}_by_code": ["retired_at", "code_key", "id", "category_id", "quantity", "minimum"],
    f"ix_{PRODUCT}_by_quantity": ["retired_at", "quantity", "id", "category_id", "minimum"],
    f"ix_{PRODUCT}_by_changed": ["retired_at", "changed_at", "id", "category_id", "quantity", "minimum"],
    f"ix_{PRODUCT}_category_id": ["category_id"],
}

# Trigrams find a part of a word without reading every row; detail=none since each hit is tested on its text anyway.
SEARCH_INDEX = (
    f"""CREATE VIRTUAL TABLE {SEARCH} USING fts5(
        search_text, content='{PRODUCT}', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none, columnsize=0)""",
    f"""CREATE TRIGGER {SEARCH}_insert AFTER INSERT ON {PRODUCT} BEGIN
        INSERT INTO {SEARCH} (rowid, search_text) VALUES (new.id, new.search_text); END""",
    f"""CREATE TRIGGER {SEARCH}_delete AFTER DELETE ON {PRODUCT} BEGIN
        INSERT INTO {SEARCH} ({SEARCH}, rowid, search_text) VALUES ('delete', old.id, old.search_text); END""",
    f"""CREATE TRIGGER {SEARCH}_update AFTER UPDATE OF search_text ON {PRODUCT} BEGIN
        INSERT INTO {SEARCH} ({SEARCH}, rowid, search_text) VALUES ('delete', old.id, old.search_text);
        INSERT INTO {SEARCH} (rowid, search_text) VALUES (new.id, new.search_text); END""",
    f"CREATE VIRTUAL TABLE {SEARCH}_terms USING fts5vocab('{SEARCH}', 'row')",
)


def upgrade() -> None:
    migration_ops.create_table(
        CATEGORY,
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{CATEGORY}")),
        sa.UniqueConstraint("name_key", name=op.f(f"uq_{CATEGORY}_name_key")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_table(
        LOCATION,
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=255), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{LOCATION}")),
        sa.UniqueConstraint("is_default", name=op.f(f"uq_{LOCATION}_is_default")),
        sa.UniqueConstraint("name_key", name=op.f(f"uq_{LOCATION}_name_key")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_table(
        OPERATION,
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("operation_type", sa.String(length=20), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", UtcMicroseconds(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{OPERATION}")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(f"ix_{OPERATION}_operation_type_at", OPERATION, ["operation_type", "at"])
    migration_ops.create_index(f"ix_{OPERATION}_at_id", OPERATION, ["at", "id"])
    migration_ops.create_index(f"ix_{OPERATION}_actor_at_id", OPERATION, ["actor", "at", "id"])
    migration_ops.create_table(
        OPERATION_RESULT,
        sa.Column("operation_id", sa.String(length=64), nullable=False),
        sa.Column("result", LONG_TEXT, nullable=False),
        sa.Column("at", UtcMicroseconds(), nullable=False),
        sa.Column("product_id", ROW_ID, nullable=True),
        sa.Column("undoes_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["operation_id"], [f"{OPERATION}.id"], name=op.f(f"fk_{OPERATION_RESULT}_operation_id")
        ),
        sa.ForeignKeyConstraint(["undoes_id"], [f"{OPERATION}.id"], name=op.f(f"fk_{OPERATION_RESULT}_undoes_id")),
        sa.PrimaryKeyConstraint("operation_id", name=op.f(f"pk_{OPERATION_RESULT}")),
        sa.UniqueConstraint("undoes_id", name=op.f(f"uq_{OPERATION_RESULT}_undoes_id")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(
        f"ix_{OPERATION_RESULT}_product_id_at_operation_id", OPERATION_RESULT, ["product_id", "at", "operation_id"]
    )

    migration_ops.create_table(
        OUTBOX,
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("payload", LONG_TEXT, nullable=False),
        sa.Column("at", UtcMicroseconds(), nullable=False),
        sa.Column("due_at", UtcMicroseconds(), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("product_id", ROW_ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{OUTBOX}")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(f"ix_{OUTBOX}_claim", OUTBOX, ["claim"])
    migration_ops.create_index(f"ix_{OUTBOX}_due_at_id", OUTBOX, ["due_at", "id"])
    migration_ops.create_index(f"ix_{OUTBOX}_product_id_id", OUTBOX, ["product_id", "id"])
    migration_ops.create_table(
        OUTBOX_DEAD_LETTER,
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("payload", LONG_TEXT, nullable=False),
        sa.Column("at", UtcMicroseconds(), nullable=False),
        sa.Column("dead_at", UtcMicroseconds(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("product_id", ROW_ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{OUTBOX_DEAD_LETTER}")),
        **MYSQL_OPTIONS,
    )

    migration_ops.create_table(
        PRODUCT,
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
        sa.CheckConstraint("minimum >= 0", name=op.f(f"ck_{PRODUCT}_minimum_not_negative")),
        sa.CheckConstraint("quantity >= 0", name=op.f(f"ck_{PRODUCT}_quantity_not_negative")),
        sa.ForeignKeyConstraint(["category_id"], [f"{CATEGORY}.id"], name=op.f(f"fk_{PRODUCT}_category_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{PRODUCT}")),
        sa.UniqueConstraint("code_key", name=op.f(f"uq_{PRODUCT}_code_key")),
        **MYSQL_OPTIONS,
    )
    for name, columns in PRODUCT_INDEXES.items():
        migration_ops.create_index(name, PRODUCT, columns)

    migration_ops.create_table(
        BALANCE,
        sa.Column("product_id", ROW_ID, nullable=False),
        sa.Column("location_id", ROW_ID, nullable=False),
        sa.Column("quantity", ROW_ID, nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f(f"ck_{BALANCE}_quantity_not_negative")),
        sa.ForeignKeyConstraint(["location_id"], [f"{LOCATION}.id"], name=op.f(f"fk_{BALANCE}_location_id")),
        sa.ForeignKeyConstraint(["product_id"], [f"{PRODUCT}.id"], name=op.f(f"fk_{BALANCE}_product_id")),
        sa.PrimaryKeyConstraint("product_id", "location_id", name=op.f(f"pk_{BALANCE}")),
        sqlite_with_rowid=False,
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(
        f"ix_{BALANCE}_location_id_quantity_product_id", BALANCE, ["location_id", "quantity", "product_id"]
    )

    migration_ops.create_table(
        PRODUCT_REVISION,
        sa.Column("operation_id", sa.String(length=64), nullable=False),
        sa.Column("product_id", ROW_ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("changes", LONG_TEXT, nullable=False),
        sa.CheckConstraint(
            "kind = 'created' OR kind = 'edited' OR kind = 'retired' OR kind = 'restored'",
            name=op.f(f"ck_{PRODUCT_REVISION}_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"], [f"{OPERATION}.id"], name=op.f(f"fk_{PRODUCT_REVISION}_operation_id")
        ),
        sa.ForeignKeyConstraint(["product_id"], [f"{PRODUCT}.id"], name=op.f(f"fk_{PRODUCT_REVISION}_product_id")),
        sa.PrimaryKeyConstraint("operation_id", "product_id", name=op.f(f"pk_{PRODUCT_REVISION}")),
        sa.UniqueConstraint("product_id", "version", name=op.f(f"uq_{PRODUCT_REVISION}_product_id_version")),
        sqlite_with_rowid=False,
        **MYSQL_OPTIONS,
    )

    migration_ops.create_table(
        MOVEMENT,
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
            "kind IN ('receive', 'issue', 'transfer', 'count', 'undo', 'import')",
            name=op.f(f"ck_{MOVEMENT}_kind_known"),
        ),
        sa.CheckConstraint("quantity <> 0 OR kind = 'count'", name=op.f(f"ck_{MOVEMENT}_quantity_not_zero")),
        sa.CheckConstraint("balance_after >= 0", name=op.f(f"ck_{MOVEMENT}_balance_after_not_negative")),
        sa.ForeignKeyConstraint(["location_id"], [f"{LOCATION}.id"], name=op.f(f"fk_{MOVEMENT}_location_id")),
        sa.ForeignKeyConstraint(["operation_id"], [f"{OPERATION}.id"], name=op.f(f"fk_{MOVEMENT}_operation_id")),
        sa.ForeignKeyConstraint(["product_id"], [f"{PRODUCT}.id"], name=op.f(f"fk_{MOVEMENT}_product_id")),
        sa.ForeignKeyConstraint(["undoes_id"], [f"{MOVEMENT}.id"], name=op.f(f"fk_{MOVEMENT}_undoes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{MOVEMENT}")),
        sa.UniqueConstraint("undoes_id", name=op.f(f"uq_{MOVEMENT}_undoes_id")),
        **MYSQL_OPTIONS,
    )
    migration_ops.create_index(f"ix_{MOVEMENT}_operation_id", MOVEMENT, ["operation_id"])
    migration_ops.create_index(f"ix_{MOVEMENT}_product_id_id", MOVEMENT, ["product_id", "id"])
    migration_ops.create_index(
        f"ix_{MOVEMENT}_by_time", MOVEMENT, ["at", "kind", "quantity", "product_id", "undoes_id"]
    )
    if op.get_bind().dialect.name == "sqlite":
        _create_search_index()
    forbid_row_changes(op.get_bind(), *INSERT_ONLY)
    # Last, because MySQL commits these rows with the next change of a table, and a repeated run would insert them again.
    _insert_first_rows()


def _create_search_index() -> None:
    op.create_index(
        f"ix_{PRODUCT}_retired", PRODUCT, ["name_key", "id"], sqlite_where=sa.text("retired_at IS NOT NULL")
    )
    for statement in SEARCH_INDEX:
        op.execute(statement)


def _insert_first_rows() -> None:
    category = sa.table(CATEGORY, sa.column("name", sa.String), sa.column("name_key", sa.String))
    op.bulk_insert(category, [{"name": name, "name_key": key} for name, key in PREDEFINED.items()])
    location = sa.table(
        LOCATION, sa.column("name", sa.String), sa.column("name_key", sa.String), sa.column("is_default", sa.Boolean)
    )
    op.bulk_insert(location, [{"name": "Principal", "name_key": "principal", "is_default": True}])


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TABLE {SEARCH}_terms")
        op.execute(f"DROP TABLE {SEARCH}")
    for table in DROP_ORDER:
        migration_ops.drop_table(table)
