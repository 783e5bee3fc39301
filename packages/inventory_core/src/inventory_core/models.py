"""Define the tables: columns, keys and CHECK constraints."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Constraint, Index, MetaData, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlalchemy.sql.elements import conv
from sqlmodel import Field, SQLModel

from inventory_core.database.columns import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds, text_of
from inventory_core.database.schema import CORE_SCHEMA
from inventory_core.database.table_names import replace_prefix, table_name

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""How indexes and constraints are named."""

metadata = MetaData(naming_convention=NAMING_CONVENTION)


class CoreTable(SQLModel, registry=registry(metadata=metadata)):
    """Base class of the core's tables, with its own metadata instead of ``SQLModel.metadata``."""

    metadata = metadata


class Category(CoreTable, table=True):
    """A category; ``name_key`` (folded) is unique, so that accents and case do not create duplicates."""

    __tablename__ = "inventory_category"
    __table_args__ = (UniqueConstraint("name_key"), MYSQL_OPTIONS)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    name: str = Field(sa_type=text_of(80))
    name_key: str = Field(sa_type=text_of(255))


class Location(CoreTable, table=True):
    """A location; exactly one has ``is_default`` true, every other one NULL (unique ignores NULL)."""

    __tablename__ = "inventory_location"
    __table_args__ = (UniqueConstraint("name_key"), UniqueConstraint("is_default"), MYSQL_OPTIONS)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    name: str = Field(sa_type=text_of(80))
    name_key: str = Field(sa_type=text_of(255))
    is_default: bool | None = Field(default=None)


IS_RETIRED = "retired_at IS NOT NULL"


class Product(CoreTable, table=True):
    """A product. ``quantity`` is the sum of its balances, changed in the same transaction as they are.

    ``code_key``, ``name_key`` and ``search_text`` are folded forms (see ``rules.texts``) that only the
    operations write. ``version`` grows by one with every edit, retirement and restoration, not with the quantity.
    """

    __tablename__ = "inventory_product"
    __table_args__ = (
        UniqueConstraint("code_key"),
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        CheckConstraint("minimum >= 0", name="minimum_not_negative"),
        Index("ix_inventory_product_by_name", "retired_at", "name_key", "id", "category_id", "quantity", "minimum"),
        Index("ix_inventory_product_by_code", "retired_at", "code_key", "id", "category_id", "quantity", "minimum"),
        Index("ix_inventory_product_by_quantity", "retired_at", "quantity", "id", "category_id", "minimum"),
        Index(
            "ix_inventory_product_by_changed", "retired_at", "changed_at", "id", "category_id", "quantity", "minimum"
        ),
        Index("ix_inventory_product_retired", "name_key", "id", sqlite_where=text(IS_RETIRED)).ddl_if(dialect="sqlite"),
        Index(None, "category_id"),
        MYSQL_OPTIONS,
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    code: str = Field(sa_type=text_of(64))
    code_key: str = Field(sa_type=text_of(191))
    name: str = Field(sa_type=text_of(200))
    name_key: str = Field(sa_type=text_of(255))
    description: str = Field(default="", sa_type=text_of(2000))
    category_id: int | None = Field(default=None, foreign_key="inventory_category.id", sa_type=ROW_ID)
    quantity: int = Field(default=0, sa_type=ROW_ID)
    minimum: int = Field(default=0, sa_type=ROW_ID)
    version: int = Field(default=1)
    search_text: str = Field(sa_type=LONG_TEXT)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    changed_at: datetime = Field(sa_type=UtcMicroseconds)
    retired_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)


class Balance(CoreTable, table=True):
    """The quantity of a product in a location; never negative. The row appears with the first stock and stays."""

    __tablename__ = "inventory_balance"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        Index(None, "location_id", "quantity", "product_id"),
        {**MYSQL_OPTIONS, "sqlite_with_rowid": False},
    )

    product_id: int = Field(primary_key=True, foreign_key="inventory_product.id", sa_type=ROW_ID)
    location_id: int = Field(primary_key=True, foreign_key="inventory_location.id", sa_type=ROW_ID)
    quantity: int = Field(sa_type=ROW_ID)


class Operation(CoreTable, table=True):
    """An idempotency key: the first row of the transaction of its changes, so that both are stored or none.

    ``fingerprint`` is the SHA-256 of the request. The result is an ``OperationResult``.
    """

    __tablename__ = "inventory_operation"
    __table_args__ = (
        Index(None, "operation_type", "at"),
        Index(None, "at", "id"),
        Index(None, "actor", "at", "id"),
        MYSQL_OPTIONS,
    )

    id: str = Field(primary_key=True, sa_type=text_of(64))
    operation_type: str = Field(sa_type=text_of(20))
    fingerprint: str = Field(sa_type=text_of(64))
    actor: str = Field(sa_type=text_of(80))
    at: datetime = Field(sa_type=UtcMicroseconds)


class OperationResult(CoreTable, table=True):
    """The result of an operation: the last row of its transaction.

    ``result`` is JSON text. ``product_id`` is the one product of the operation, NULL for several or none; with ``at``, the
    operation's time, it is the index of the product's history. ``undoes_id`` is the operation that this one undid as a whole;
    unique, so nothing is undone twice.
    """

    __tablename__ = "inventory_operation_result"
    __table_args__ = (UniqueConstraint("undoes_id"), Index(None, "product_id", "at", "operation_id"), MYSQL_OPTIONS)

    operation_id: str = Field(primary_key=True, foreign_key="inventory_operation.id", sa_type=text_of(64))
    result: str = Field(sa_type=LONG_TEXT)
    at: datetime = Field(sa_type=UtcMicroseconds)
    product_id: int | None = Field(default=None, sa_type=ROW_ID)
    undoes_id: str | None = Field(default=None, foreign_key="inventory_operation.id", sa_type=text_of(64))


class Movement(CoreTable, table=True):
    """One change of one balance.

    ``quantity`` is signed (in is positive), ``balance_after`` is the quantity of the product in that location
    right after it. ``undoes_id`` names the movement that this one compensates; unique, so nothing is undone twice.
    Only a count may have quantity 0, as a confirmation.
    """

    __tablename__ = "inventory_movement"
    __table_args__ = (
        CheckConstraint("balance_after >= 0", name="balance_after_not_negative"),
        CheckConstraint("quantity <> 0 OR kind = 'count'", name="quantity_not_zero"),
        CheckConstraint("kind IN ('receive', 'issue', 'transfer', 'count', 'undo', 'import')", name="kind_known"),
        UniqueConstraint("undoes_id"),
        Index(None, "product_id", "id"),
        Index(None, "operation_id"),
        Index("ix_inventory_movement_by_time", "at", "kind", "quantity", "product_id", "undoes_id"),
        MYSQL_OPTIONS,
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    kind: str = Field(sa_type=text_of(10))
    product_id: int = Field(foreign_key="inventory_product.id", sa_type=ROW_ID)
    location_id: int = Field(foreign_key="inventory_location.id", sa_type=ROW_ID)
    quantity: int = Field(sa_type=ROW_ID)
    balance_after: int = Field(sa_type=ROW_ID)
    reason: str = Field(default="", sa_type=text_of(200))
    actor: str = Field(sa_type=text_of(80))
    at: datetime = Field(sa_type=UtcMicroseconds)
    operation_id: str = Field(foreign_key="inventory_operation.id", sa_type=text_of(64))
    undoes_id: int | None = Field(default=None, foreign_key="inventory_movement.id", sa_type=ROW_ID)


class ProductRevision(CoreTable, table=True):
    """What one operation did to the fields of one product; each version of a product has one.

    ``changes`` is a JSON object with the former and the new value of each changed column (see ``rules.products``), empty for a
    created product. ``version`` is the version that the operation left, so that an undo sees whether the product was edited since.
    """

    __tablename__ = "inventory_product_revision"
    __table_args__ = (
        # Faster than IN, which SQLite looks up for each of the 100,000 rows of an import.
        CheckConstraint(
            "kind = 'created' OR kind = 'edited' OR kind = 'retired' OR kind = 'restored'", name="kind_known"
        ),
        UniqueConstraint("product_id", "version"),
        {**MYSQL_OPTIONS, "sqlite_with_rowid": False},
    )

    operation_id: str = Field(primary_key=True, foreign_key="inventory_operation.id", sa_type=text_of(64))
    product_id: int = Field(primary_key=True, foreign_key="inventory_product.id", sa_type=ROW_ID)
    version: int
    kind: str = Field(sa_type=text_of(10))
    changes: str = Field(sa_type=LONG_TEXT)


class OutboxEvent(CoreTable, table=True):
    """An event, written in the transaction of its change and deleted when every plugin has taken it.

    ``due_at`` is the earliest next attempt by the database's clock. A relay claims an event by moving ``due_at`` into the
    future and writing its ``claim``; if the relay dies, the event is due again at that time. Events of one ``product_id`` are
    delivered in the order of ``id``; an event without one depends on no other.
    """

    __tablename__ = "inventory_outbox"
    __table_args__ = (Index(None, "due_at", "id"), Index(None, "claim"), Index(None, "product_id", "id"), MYSQL_OPTIONS)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    event: str = Field(sa_type=text_of(40))
    payload: str = Field(sa_type=LONG_TEXT)
    at: datetime = Field(sa_type=UtcMicroseconds)
    due_at: datetime = Field(sa_type=UtcMicroseconds)
    claim: str | None = Field(default=None, sa_type=text_of(32))
    attempts: int = Field(default=0)
    last_error: str = Field(default="", sa_type=text_of(500))
    product_id: int | None = Field(default=None, sa_type=ROW_ID)


class OutboxDeadLetter(CoreTable, table=True):
    """An event that no relay tries again, until it is retried or discarded on request."""

    __tablename__ = "inventory_outbox_dead_letter"
    __table_args__ = (MYSQL_OPTIONS,)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    event: str = Field(sa_type=text_of(40))
    payload: str = Field(sa_type=LONG_TEXT)
    at: datetime = Field(sa_type=UtcMicroseconds)
    dead_at: datetime = Field(sa_type=UtcMicroseconds)
    attempts: int
    last_error: str = Field(sa_type=text_of(500))
    product_id: int | None = Field(default=None, sa_type=ROW_ID)


BALANCE = metadata.tables["inventory_balance"]
CATEGORY = metadata.tables["inventory_category"]
LOCATION = metadata.tables["inventory_location"]
MOVEMENT = metadata.tables["inventory_movement"]
OPERATION = metadata.tables["inventory_operation"]
OPERATION_RESULT = metadata.tables["inventory_operation_result"]
OUTBOX = metadata.tables["inventory_outbox"]
OUTBOX_DEAD_LETTER = metadata.tables["inventory_outbox_dead_letter"]
PRODUCT = metadata.tables["inventory_product"]
PRODUCT_REVISION = metadata.tables["inventory_product_revision"]

_SEARCH_TABLES = ("", "_config", "_data", "_docsize", "_idx", "_terms")
"""The search index of SQLite, and the tables in which FTS5 keeps it."""


def set_table_prefix(prefix: str) -> None:
    """Replace the prefix ``inventory_`` of the core's tables, indexes, constraints and triggers in this process.

    Every process that opens the database needs the same prefix. Call this before the first ``Inventory`` is made.

    Args:
        prefix: At most 16 lower-case letters, digits and underscores, or nothing; begins with a letter.

    Raises:
        InvalidInput: The prefix is not valid.
        RuntimeError: An ``Inventory`` was made with another prefix.
    """
    before = replace_prefix(prefix)
    # The keys of the metadata stay: SQLAlchemy has resolved the references with them.
    for table in metadata.tables.values():
        old, new = table.name, table_name(table.name.removeprefix(before))
        table.name = table.fullname = new
        named: list[Constraint | Index] = [*table.constraints, *table.indexes]
        for part in named:
            if isinstance(part.name, str):
                part.name = conv(part.name.replace(f"_{old}", f"_{new}", 1))
    CORE_SCHEMA.version_table = table_name("core_version")


def alembic_include_name(name: str | None, kind: str, _parents: object = None) -> bool:
    """Return False for the core's tables, so that ``alembic --autogenerate`` of the host application ignores them.

    Pass it to ``context.configure(include_name=…)`` in the ``env.py`` of the host.
    """
    if kind != "table" or name is None:
        return True
    return name not in {
        CORE_SCHEMA.version_table,
        *(table.name for table in metadata.tables.values()),
        *(table_name(f"product_search{part}") for part in _SEARCH_TABLES),
    }
