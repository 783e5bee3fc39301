"""The table of audit events; insert only, see ``log``."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlmodel import Field

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds
from inventory_web.db.tables import WebTable


class AuditEvent(WebTable, table=True):
    """Who did what to whom, when and from where. ``details`` is a JSON object of texts and numbers.

    The ``…_key`` columns contain normalized names, for comparison without case.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        Index(None, "at"),
        Index(None, "event", "id"),
        Index(None, "actor_key", "id"),
        Index(None, "subject_key", "id"),
        MYSQL_OPTIONS,
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    at: datetime = Field(sa_type=UtcMicroseconds)
    event: str = Field(sa_type=String(40))
    actor: str = Field(sa_type=String(80))
    actor_key: str = Field(sa_type=String(191))
    subject: str = Field(sa_type=String(200))
    subject_key: str = Field(sa_type=String(191))
    address: str = Field(sa_type=String(64))
    request_id: str = Field(sa_type=String(64))
    details: str = Field(sa_type=LONG_TEXT)
