"""Filters of the list that people gave a name."""

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlmodel import Field

from inventory_core import LONG_TEXT, MYSQL_OPTIONS, ROW_ID, UtcMicroseconds
from inventory_web.db.tables import WebTable


class SavedView(WebTable, table=True):
    """A filter and an order under a name that its owner has once; ``shared`` ones are there for everybody.

    ``query`` is the address of the list without its path, as ``ListQuery.args`` writes it. Of one owner at most one view
    ``opens_first``. ``version`` grows with each change.
    """

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("owner_id", "name_key"), Index(None, "shared", "name_key"), MYSQL_OPTIONS)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    owner_id: int = Field(foreign_key="user.id", sa_type=ROW_ID)
    name: str = Field(sa_type=String(80))
    name_key: str = Field(sa_type=String(255))
    shared: bool = Field(default=False)
    opens_first: bool = Field(default=False)
    query: str = Field(sa_type=LONG_TEXT)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_type=UtcMicroseconds)
    changed_at: datetime = Field(sa_type=UtcMicroseconds)
