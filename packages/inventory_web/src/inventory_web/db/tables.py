"""The metadata of the web's tables, separate from those of the core and of the host application."""

from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from inventory_core import NAMING_CONVENTION

metadata = MetaData(naming_convention=NAMING_CONVENTION)


class WebTable(SQLModel, registry=registry(metadata=metadata)):
    """Base class of the web's tables. Options and column types come from ``inventory_core``."""

    metadata = metadata
