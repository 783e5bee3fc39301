"""Operations already carried out, with their first result; insert only."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from inventory_core.tables.columns import LONG_TEXT, ROW_ID, UtcMicroseconds, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable


class Operation(CoreTable, table=True):
    """An idempotency key: the first row of the transaction of its changes, so both are there or neither is.

    ``fingerprint`` is the SHA-256 of what was requested. The answer is an ``OperationResult``.
    """

    __tablename__ = "operation"
    __table_args__ = (
        Index(None, "verb", "at"),
        Index(None, "at", "id"),
        Index(None, "actor", "at", "id"),
        MYSQL_OPTIONS,
    )

    id: str = Field(primary_key=True, sa_type=text_of(64))
    verb: str = Field(sa_type=text_of(20))
    fingerprint: str = Field(sa_type=text_of(64))
    actor: str = Field(sa_type=text_of(80))
    at: datetime = Field(sa_type=UtcMicroseconds)


class OperationResult(CoreTable, table=True):
    """What an operation answered: the last row of its transaction.

    ``result`` is JSON text. ``product_id`` is the one product that the operation is about, NULL for several or none; with ``at``,
    the operation's time, it leads to the product's own history. ``undoes_id`` is the operation that this one took back as a
    whole; unique, so nothing is undone twice.
    """

    __tablename__ = "operation_result"
    __table_args__ = (UniqueConstraint("undoes_id"), Index(None, "product_id", "at", "operation_id"), MYSQL_OPTIONS)

    operation_id: str = Field(primary_key=True, foreign_key="operation.id", sa_type=text_of(64))
    result: str = Field(sa_type=LONG_TEXT)
    at: datetime = Field(sa_type=UtcMicroseconds)
    product_id: int | None = Field(default=None, sa_type=ROW_ID)
    undoes_id: str | None = Field(default=None, foreign_key="operation.id", sa_type=text_of(64))
