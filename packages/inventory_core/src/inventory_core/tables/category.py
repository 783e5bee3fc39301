"""Categories: the predefined ones and those that people typed."""

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from inventory_core.tables.columns import ROW_ID, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable


class Category(CoreTable, table=True):
    """A kind of product; ``name_key`` (folded) is unique, so that accents and case do not make two of one."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("name_key"), MYSQL_OPTIONS)

    id: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    name: str = Field(sa_type=text_of(80))
    name_key: str = Field(sa_type=text_of(255))
