"""Operations already carried out, with their first result."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from inventory_core.tables.columns import LONG_TEXT, ROW_ID, UtcMicroseconds, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable


class Operation(CoreTable, table=True):
    """An idempotency key: written in the transaction of its changes, so both are there or neither is.

    ``fingerprint`` is the SHA-256 of what was asked, ``result`` the JSON text of what was answered.
    ``product_id`` is the one product that it is about, NULL for several or none; it only leads to the product's own history.
    """

    __tablename__ = "operation"
    __table_args__ = (
        Index(None, "verb", "at"),
        Index(None, "at", "id"),
        Index(None, "actor", "at", "id"),
        Index(None, "product_id", "at", "id"),
        MYSQL_OPTIONS,
    )

    id: str = Field(primary_key=True, sa_type=text_of(64))
    verb: str = Field(sa_type=text_of(20))
    fingerprint: str = Field(sa_type=text_of(64))
    result: str = Field(sa_type=LONG_TEXT)
    actor: str = Field(sa_type=text_of(80))
    at: datetime = Field(sa_type=UtcMicroseconds)
    product_id: int | None = Field(default=None, sa_type=ROW_ID)
