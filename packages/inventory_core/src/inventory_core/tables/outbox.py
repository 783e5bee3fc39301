"""Events of committed changes that wait for their plugins, and those that were given up."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from inventory_core.tables.columns import LONG_TEXT, ROW_ID, UtcMicroseconds, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable


class OutboxEvent(CoreTable, table=True):
    """An event, written in the transaction of its change and deleted when every plugin has taken it.

    ``due_at`` is the earliest next attempt by the database's clock. A relay claims an event by moving ``due_at`` into the
    future and writing its ``claim``; if the relay dies, the event is due again at that time. Events of one ``product_id`` are
    delivered in the order of ``id``; an event without one depends on no other.
    """

    __tablename__ = "outbox"
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
    """An event that no relay tries again; kept until it is retried or discarded on request."""

    __tablename__ = "outbox_dead_letter"
    __table_args__ = (MYSQL_OPTIONS,)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    event: str = Field(sa_type=text_of(40))
    payload: str = Field(sa_type=LONG_TEXT)
    at: datetime = Field(sa_type=UtcMicroseconds)
    dead_at: datetime = Field(sa_type=UtcMicroseconds)
    attempts: int
    last_error: str = Field(sa_type=text_of(500))
    product_id: int | None = Field(default=None, sa_type=ROW_ID)
