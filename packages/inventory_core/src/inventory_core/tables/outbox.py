"""Events to deliver to ``after_*`` hooks once their transaction is committed."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from inventory_core.tables.columns import LONG_TEXT, ROW_ID, UtcMicroseconds, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable


class OutboxEvent(CoreTable, table=True):
    """An event; written in the transaction that it tells of, deleted when every hook has taken it.

    ``due_at`` is the earliest next attempt: a deliverer claims an event by moving it into the future and
    writing its ``claim``, so that an event whose deliverer died is delivered by another one later.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "due_at", "id"), Index(None, "claim"), MYSQL_OPTIONS)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    event: str = Field(sa_type=text_of(40))
    payload: str = Field(sa_type=LONG_TEXT)
    at: datetime = Field(sa_type=UtcMicroseconds)
    due_at: datetime = Field(sa_type=UtcMicroseconds)
    claim: str | None = Field(default=None, sa_type=text_of(32))
    attempts: int = Field(default=0)
    last_error: str = Field(default="", sa_type=text_of(500))
