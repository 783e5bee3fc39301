"""Products, with what the list needs to be read in order without looking anywhere else."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from inventory_core.tables.columns import LONG_TEXT, ROW_ID, UtcMicroseconds, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable

IS_RETIRED = "retired_at IS NOT NULL"


class Product(CoreTable, table=True):
    """A product. ``quantity`` is the sum of its balances, changed in the same transaction as they are.

    ``code_key``, ``name_key`` and ``search_text`` are folded forms (see ``rules.texts``) that only the
    operations write. ``version`` grows by one with every edit, retirement and restoration, not with the quantity.
    """

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("code_key"),
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        CheckConstraint("minimum >= 0", name="minimum_not_negative"),
        Index("ix_product_by_name", "retired_at", "name_key", "id", "category_id", "quantity", "minimum"),
        Index("ix_product_by_code", "retired_at", "code_key", "id", "category_id", "quantity", "minimum"),
        Index("ix_product_by_quantity", "retired_at", "quantity", "id", "category_id", "minimum"),
        Index("ix_product_by_changed", "retired_at", "changed_at", "id", "category_id", "quantity", "minimum"),
        Index("ix_product_retired", "name_key", "id", sqlite_where=text(IS_RETIRED)).ddl_if(dialect="sqlite"),
        Index(None, "category_id"),
        MYSQL_OPTIONS,
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    code: str = Field(sa_type=text_of(64))
    code_key: str = Field(sa_type=text_of(191))
    name: str = Field(sa_type=text_of(200))
    name_key: str = Field(sa_type=text_of(255))
    description: str = Field(default="", sa_type=text_of(2000))
    category_id: int | None = Field(default=None, foreign_key="category.id", sa_type=ROW_ID)
    quantity: int = Field(default=0, sa_type=ROW_ID)
    minimum: int = Field(default=0, sa_type=ROW_ID)
    version: int = Field(default=1)
    search_text: str = Field(sa_type=LONG_TEXT)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    changed_at: datetime = Field(sa_type=UtcMicroseconds)
    retired_at: datetime | None = Field(default=None, sa_type=UtcMicroseconds)
