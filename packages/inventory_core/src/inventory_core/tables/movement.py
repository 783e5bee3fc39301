"""The ledger: who, when, why and how much; insert only."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from inventory_core.tables.columns import ROW_ID, UtcMicroseconds, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable


class Movement(CoreTable, table=True):
    """One change of one balance.

    ``quantity`` is signed (in is positive), ``balance_after`` is the quantity of the product in that location
    right after it. ``undoes_id`` names the movement that this one compensates; unique, so nothing is undone twice.
    Only a count may have quantity 0: it confirms.
    """

    __tablename__ = "movement"
    __table_args__ = (
        CheckConstraint("balance_after >= 0", name="balance_after_not_negative"),
        CheckConstraint("quantity <> 0 OR kind = 'count'", name="quantity_not_zero"),
        CheckConstraint("kind IN ('receive', 'issue', 'transfer', 'count', 'undo', 'import')", name="kind_known"),
        UniqueConstraint("undoes_id"),
        Index(None, "product_id", "id"),
        Index(None, "operation_id"),
        Index("ix_movement_by_time", "at", "kind", "quantity", "product_id", "undoes_id"),
        MYSQL_OPTIONS,
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    kind: str = Field(sa_type=text_of(10))
    product_id: int = Field(foreign_key="product.id", sa_type=ROW_ID)
    location_id: int = Field(foreign_key="location.id", sa_type=ROW_ID)
    quantity: int = Field(sa_type=ROW_ID)
    balance_after: int = Field(sa_type=ROW_ID)
    reason: str = Field(default="", sa_type=text_of(200))
    actor: str = Field(sa_type=text_of(80))
    at: datetime = Field(sa_type=UtcMicroseconds)
    operation_id: str = Field(foreign_key="operation.id", sa_type=text_of(64))
    undoes_id: int | None = Field(default=None, foreign_key="movement.id", sa_type=ROW_ID)
