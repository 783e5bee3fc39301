"""The metadata that the core's tables share, apart from the host application's own."""

from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""How indexes and constraints are named."""

metadata = MetaData(naming_convention=NAMING_CONVENTION)

# Binary comparison without padding is what SQLite does: keys, order and LIKE then answer alike on both.
MYSQL_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_0900_bin",
}


class CoreTable(SQLModel, registry=registry(metadata=metadata)):
    """Parent of the core's tables; keeps them out of ``SQLModel.metadata``."""

    metadata = metadata
