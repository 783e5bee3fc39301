"""Answers without end: read as they are used, in memory that does not grow with them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

ROWS_AT_ONCE = 1_000
SQLITE_CACHE_KIBIBYTES = 8_000
"""Each page of the file is used once or twice, so a large cache would hold what nobody asks for again."""


@contextmanager
def stream(session: Session, statement: Select[Any]) -> Iterator[Iterable[Any]]:
    """Give the rows of a statement, fetched in portions; the session stays in use inside the block."""
    with _small_cache(session), session.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE}) as result:
        yield result


@contextmanager
def _small_cache(session: Session) -> Iterator[None]:
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        yield
        return
    usual = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql(f"PRAGMA cache_size = -{SQLITE_CACHE_KIBIBYTES}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {usual}")
