"""What an import did to the products' own fields, kept so that the whole import can be undone."""

from sqlalchemy import Index
from sqlmodel import Field

from inventory_core.tables.columns import LONG_TEXT, ROW_ID, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable


class ImportChange(CoreTable, table=True):
    """One product that an import created or changed.

    ``before`` is the JSON text of the replaced fields, empty for a created product; ``version_after`` the version
    that the import left, so that an undo sees whether somebody edited the product since.
    """

    __tablename__ = "import_change"
    __table_args__ = (Index(None, "product_id"), {**MYSQL_OPTIONS, "sqlite_with_rowid": False})

    operation_id: str = Field(primary_key=True, foreign_key="operation.id", sa_type=text_of(64))
    product_id: int = Field(primary_key=True, foreign_key="product.id", sa_type=ROW_ID)
    before: str = Field(default="", sa_type=LONG_TEXT)
    version_after: int
