"""What an operation on many products did to their own fields: imports are undone by it, and each product's history finds it."""

from sqlalchemy import Index
from sqlmodel import Field

from inventory_core.tables.columns import LONG_TEXT, ROW_ID, text_of
from inventory_core.tables.metadata import MYSQL_OPTIONS, CoreTable


class ImportChange(CoreTable, table=True):
    """One product that an import, or a change of many, created or changed.

    ``before`` is the JSON text of the replaced fields, empty for a created product; ``version_after`` the version
    that the operation left, so that an undo sees whether somebody edited the product since.
    """

    __tablename__ = "import_change"
    __table_args__ = (Index(None, "product_id"), {**MYSQL_OPTIONS, "sqlite_with_rowid": False})

    operation_id: str = Field(primary_key=True, foreign_key="operation.id", sa_type=text_of(64))
    product_id: int = Field(primary_key=True, foreign_key="product.id", sa_type=ROW_ID)
    before: str = Field(default="", sa_type=LONG_TEXT)
    version_after: int
