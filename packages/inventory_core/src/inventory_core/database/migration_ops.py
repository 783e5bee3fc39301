"""Repeatable changes of tables.

MySQL commits each change of a table immediately. A migration that failed half-way runs again from its beginning, so each of its
steps skips what an earlier run has done. The other databases roll back a failed migration.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa


def create_table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> None:
    """Create a table unless an earlier run did. A table of the same name with other columns is an error."""
    columns = {part.name for part in parts if isinstance(part, sa.Column)}
    if not (_may_be_repeated() and has_table(name) and columns <= _columns(name)):
        _operations().create_table(name, *parts, **options)


def drop_table(name: str) -> None:
    """Drop a table unless an earlier run did."""
    if not _may_be_repeated() or has_table(name):
        _operations().drop_table(name)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column unless an earlier run did."""
    if not _may_be_repeated() or column.name not in _columns(table):
        _operations().add_column(table, column)


def create_index(name: str, table: str, columns: Sequence[str]) -> None:
    """Create an index unless an earlier run did."""
    if not _may_be_repeated() or name not in {index["name"] for index in _inspector().get_indexes(table)}:
        _operations().create_index(name, table, list(columns))


def has_table(name: str) -> bool:
    """Return whether the table exists now."""
    return _inspector().has_table(name)


def _operations() -> Any:
    # Alembic is slow to import, and programs that do not migrate import this module too.
    from alembic import op  # noqa: PLC0415

    return op


def _connection() -> sa.Connection:
    connection: sa.Connection = _operations().get_bind()
    return connection


def _may_be_repeated() -> bool:
    return _connection().dialect.name == "mysql"


def _columns(table: str) -> set[str]:
    return {column["name"] for column in _inspector().get_columns(table)}


def _inspector() -> sa.Inspector:
    # Create a new one each time, because it caches.
    return sa.inspect(_connection())
