"""What the tests of the pools share."""

from collections.abc import Callable

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from inventory_replication.mysql.engines import ServerEngine

EngineFor = Callable[..., ServerEngine]
INSERT = "INSERT INTO {t} VALUES (1, 'a')"


def insert(table: str) -> TextClause:
    return text(INSERT.format(t=table))


def number(error: DBAPIError) -> int:
    """The server's number of an error."""
    assert error.orig is not None
    return int(error.orig.args[0])
