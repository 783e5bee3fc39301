"""The metadata of the web's own tables, apart from the core's and from the host application's."""

from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from inventory_core import NAMING_CONVENTION

metadata = MetaData(naming_convention=NAMING_CONVENTION)


class WebTable(SQLModel, registry=registry(metadata=metadata)):
    """Base class of the tables of the web. Options and column types come from ``inventory_core``."""

    metadata = metadata
