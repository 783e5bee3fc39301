"""Quantity per product and location."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from inventory_core.tables.columns import ROW_ID
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable


class Balance(CoreTable, table=True):
    """What lies in one place; never negative. The row appears with the first stock and stays."""

    __tablename__ = "balance"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        Index(None, "location_id", "quantity", "product_id"),
        {**MYSQL_OPTIONS, "sqlite_with_rowid": False},
    )

    product_id: int = Field(primary_key=True, foreign_key="product.id", sa_type=ROW_ID)
    location_id: int = Field(primary_key=True, foreign_key="location.id", sa_type=ROW_ID)
    quantity: int = Field(sa_type=ROW_ID)
