"""Places that hold stock."""

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from inventory_core.tables.columns import ROW_ID, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable


class Location(CoreTable, table=True):
    """A place that holds stock; exactly one has ``is_default`` true, every other one NULL (unique ignores NULL)."""

    __tablename__ = "location"
    __table_args__ = (UniqueConstraint("name_key"), UniqueConstraint("is_default"), MYSQL_OPTIONS)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    name: str = Field(sa_type=text_of(80))
    name_key: str = Field(sa_type=text_of(255))
    is_default: bool | None = Field(default=None)
