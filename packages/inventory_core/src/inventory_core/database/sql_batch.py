"""Write and read many rows in few statements, in bounded memory."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, islice
from typing import Any

from sqlalchemy import Column, Connection, Select, Table
from sqlalchemy.orm import Session

from inventory_core.database.columns import UtcMicroseconds
from inventory_core.errors import DatabaseBusy

MAX_PARAMETERS = 30_000
"""SQLite allows 32,766 per statement."""
INSERT_BATCH_SIZE = 500
"""A fixed number: the driver caches the statement, which takes as long to parse as its rows to insert."""
UPDATE_BATCH_SIZE = 1_000
"""The database evaluates the cases row by row, so more at once would be slower."""
BULK_CACHE_KIBIBYTES = 128_000
"""For large changes: pages that do not fit are written repeatedly within one transaction."""
MAX_STATEMENT_CHARACTERS = 4_000_000
"""A server accepts statements of 64 MiB, or of its configured size; a character may take four bytes."""

Row = Sequence[Any]
_TIME = UtcMicroseconds()
FETCH_BATCH_SIZE = 1_000
SCAN_CACHE_KIBIBYTES = 8_000
"""A scan uses each page of the file once or twice, so a large cache would not help."""


def insert_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    at_once: int = INSERT_BATCH_SIZE,
    *,
    literals: Mapping[str, str] | None = None,
) -> None:
    """Insert rows of driver values, ``at_once`` in one statement.

    ``literals`` are further columns with one value in all rows, as SQL text, which is faster than a parameter in each row.
    """
    same = literals or {}
    values = f"({', '.join([*[_mark(connection)] * len(columns), *same.values()])})"
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(column) for column in (*columns, *same))
    for batch in _batches(connection, rows, at_once):
        statement = f"INSERT INTO {table.name} ({names}) VALUES {', '.join([values] * len(batch))}"  # noqa: S608
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(batch)))


def update_rows(connection: Connection, table: Table, change: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a guarded UPDATE for each row of driver values; each must match one row.

    ``change`` follows ``UPDATE table``, its parameters written ``?``.

    Raises ``DatabaseBusy`` if one does not: then a lock did not hold.
    """
    statement = f"UPDATE {table.name} {change.replace('?', _mark(connection))}"
    if rows and connection.exec_driver_sql(statement, list(rows)).rowcount != len(rows):
        raise DatabaseBusy(1)


def set_by_id(
    connection: Connection,
    table: Table,
    column: str,
    values: Sequence[tuple[int, Any]],
    *,
    besides: str = "",
    values_of_all: Row = (),
) -> None:
    """Set one column of many rows, as pairs of id and value, in few statements.

    ``besides`` sets further columns in every row, its parameters written ``?``, with ``values_of_all`` as driver values.
    """
    mark = _mark(connection)
    besides = f", {besides.replace('?', mark)}" if besides else ""
    for batch in _batches(connection, values, UPDATE_BATCH_SIZE):
        cases = " ".join([f"WHEN {mark} THEN {mark}"] * len(batch))
        ids = ", ".join([mark] * len(batch))
        statement = f"UPDATE {table.name} SET {column} = CASE id {cases} END{besides} WHERE id IN ({ids})"  # noqa: S608
        parameters = (*chain.from_iterable(batch), *values_of_all, *(row_id for row_id, _ in batch))
        connection.exec_driver_sql(statement, parameters)


def select_in(
    connection: Connection, columns: Sequence[Column[Any]], key: Column[Any], values: Collection[Any], *, locked: bool
) -> Sequence[Any]:
    """Return columns of the rows whose ``key`` is one of these driver values; if ``locked``, until the transaction ends.

    A locking read sees the committed state, whatever snapshot the transaction has; SQLite's single writer needs no lock.
    """
    mark = _mark(connection)
    names = ", ".join(column.name for column in columns)
    statement = f"SELECT {names} FROM {key.table.name} WHERE {key.name} IN"  # noqa: S608
    found: list[Any] = []
    for start in range(0, len(values), MAX_PARAMETERS):
        batch = tuple(islice(values, start, start + MAX_PARAMETERS))
        lock = " FOR UPDATE" if locked and connection.dialect.name != "sqlite" else ""
        text = f"{statement} ({', '.join([mark] * len(batch))}){lock}"
        # A session source that sends readers to replicas cannot recognise a text that only reads.
        found += connection.exec_driver_sql(text, batch, execution_options={"read_only": not locked}).all()
    return found


@contextmanager
def page_cache(connection: Connection, kibibytes: int, *, raise_heap_limit: bool = False) -> Iterator[None]:
    """Set the size of SQLite's page cache inside the block; does nothing on other databases.

    ``raise_heap_limit`` also allows the process this much more memory.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    before = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    limit = connection.exec_driver_sql("PRAGMA soft_heap_limit").scalar_one() if raise_heap_limit else 0
    connection.exec_driver_sql(f"PRAGMA cache_size = -{kibibytes}")
    if limit:
        connection.exec_driver_sql(f"PRAGMA soft_heap_limit = {limit + kibibytes * 1024}")
    try:
        yield
    finally:
        # An interruption closes the connection, and frees the memory.
        if not connection.invalidated:
            connection.exec_driver_sql(f"PRAGMA cache_size = {before}")
            if limit:
                connection.exec_driver_sql(f"PRAGMA soft_heap_limit = {limit}")


def stored_time(connection: Connection, moment: datetime | None) -> Any:
    """Return a time as the driver stores it."""
    to_driver = _TIME.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return moment if to_driver is None else to_driver(moment)


def read_time(connection: Connection, stored: Any) -> datetime | None:
    """Return a time that the driver read."""
    from_driver = _TIME.dialect_impl(connection.dialect).result_processor(connection.dialect, None)
    return stored if from_driver is None else from_driver(stored)


def _batches(connection: Connection, rows: Sequence[Row], at_once: int) -> Iterator[Sequence[Row]]:
    """Yield up to ``at_once`` rows at a time, and to a server fewer of them if their texts are long."""
    start = characters = 0
    for number, row in enumerate(rows if connection.dialect.name != "sqlite" else ()):
        length = sum(len(value) for value in row if isinstance(value, str))
        characters += length
        if number - start == at_once or (characters > MAX_STATEMENT_CHARACTERS and number > start):
            yield rows[start:number]
            start, characters = number, length
    for begin in range(start, len(rows), at_once):
        yield rows[begin : begin + at_once]


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"


@contextmanager
def stream(session: Session, statement: Select[Any]) -> Iterator[Iterable[Any]]:
    """Yield the rows of a statement, fetched in batches; the session stays in use inside the block."""
    with (
        page_cache(session.connection(), SCAN_CACHE_KIBIBYTES),
        session.execute(statement, execution_options={"yield_per": FETCH_BATCH_SIZE}) as result,
    ):
        yield result
