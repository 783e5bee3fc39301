"""Compares the rows of replicas with those of the source, chunk by chunk, under load. Reads only, and locks nothing.

A chunk is a range of the primary key. Its checksum is taken on the source; on the replica, once that has everything that the
source had then; and if they differ, on the source again. If both checksums of the source are equal, the chunk did not change in
between, so the replica must have the same and the difference is proved; otherwise the chunk is compared again.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from inventory_replication.provisioning.admin import ClusterAdmin
from inventory_replication.provisioning.plan.findings import Finding
from inventory_replication.provisioning.plan.roles import Roles, States
from inventory_replication.provisioning.server_admin import ServerAdmin, quote

CHUNK_ROWS: Final = 5_000
"""Rows per statement; each statement takes some hundredths of a second."""
MAX_ATTEMPTS: Final = 5
"""How often a chunk that changes meanwhile is compared."""
STATEMENT_TIMEOUT_SECONDS: Final = 15
"""Time limit of one statement on a server."""

_COLUMNS = """
SELECT c.TABLE_NAME, c.COLUMN_NAME, k.ORDINAL_POSITION FROM information_schema.COLUMNS c
JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
LEFT JOIN information_schema.KEY_COLUMN_USAGE k ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME
  AND k.COLUMN_NAME = c.COLUMN_NAME AND k.CONSTRAINT_NAME = 'PRIMARY'
WHERE c.TABLE_SCHEMA = %s AND t.TABLE_TYPE = 'BASE TABLE' AND c.GENERATION_EXPRESSION = ''
ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION
"""

Key = tuple[Any, ...]
Checksum = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the application.

    Args:
        schema: Its schema.
        name: Its name.
        columns: All but generated ones, in order.
        key: Columns of the primary key; empty: it has none, and is compared as a whole.
    """

    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def checksum(self, after: Key | None, until: Key | None) -> tuple[str, list[Any]]:
        """Return statement and arguments that count the rows of a chunk and combine their hashes in any order."""
        values = ", ".join(quote(column) for column in self.columns)
        nulls = ", ".join(f"ISNULL({quote(column)})" for column in self.columns)
        row = f"CONCAT_WS('|', {values}, CONCAT({nulls}))"
        condition, arguments = self._between(after, until)
        statement = (
            f"SELECT /*+ MAX_EXECUTION_TIME({STATEMENT_TIMEOUT_SECONDS * 1000}) */ COUNT(*), "  # noqa: S608 - quoted names
            f"COALESCE(BIT_XOR(CAST(CONV(LEFT(SHA2({row}, 256), 16), 16, 10) AS UNSIGNED)), 0) "
            f"FROM {self._place} WHERE {condition}"
        )
        return statement, arguments

    def next_key(self, after: Key | None) -> tuple[str, list[Any]]:
        """Return statement and arguments that find the last key of the chunk after a key."""
        columns = ", ".join(quote(column) for column in self.key)
        condition, arguments = self._between(after, None)
        statement = (
            f"SELECT /*+ MAX_EXECUTION_TIME({STATEMENT_TIMEOUT_SECONDS * 1000}) */ {columns} "  # noqa: S608 - quoted names
            f"FROM {self._place} WHERE {condition} ORDER BY {columns} LIMIT 1 OFFSET {CHUNK_ROWS - 1}"
        )
        return statement, arguments

    @property
    def _place(self) -> str:
        return f"{quote(self.schema)}.{quote(self.name)}"

    def _between(self, after: Key | None, until: Key | None) -> tuple[str, list[Any]]:
        parts: list[str] = []
        arguments: list[Any] = []
        for operator, key in ((">", after), ("<", until)):
            if key is not None:
                condition, found = _compared(self.key, operator, key)
                parts.append(condition)
                arguments += found
        return " AND ".join(parts) or "TRUE", arguments


def compare_rows(admin: ClusterAdmin, states: States, roles: Roles, *, wait: float) -> Iterator[Finding]:
    """Compare the tables of the application on every replica with those of the source.

    Args:
        admin: Of all servers.
        states: The state of the servers; only tables that both servers have are compared.
        roles: The roles of the servers.
        wait: Seconds that a replica may take to get what the source has.

    Raises:
        AdminError: The source does not answer, or a statement took too long on it.
    """
    source = admin.server(roles.source)
    tables = read_tables(source, admin.desired.database)
    for name in states:
        if roles.follows[name] == roles.source:
            shared = [table for table in tables if f"{table.schema}.{table.name}" in states[name].objects]
            try:
                yield from _compare_replica(source, admin.server(name), shared, states[name].label, wait)
            except _NotComparedError as reason:
                cure = "run it again when there is less load"
                yield Finding("rows_not_compared", name, f"{states[name].label}: {reason}", cure)


class _NotComparedError(Exception):
    """A replica did not get far enough in time, or rows changed all the time."""


def _compare_replica(
    source: ServerAdmin, replica: ServerAdmin, tables: list[Table], label: str, wait: float
) -> Iterator[Finding]:
    until = time.monotonic() + wait
    for table in tables:
        different = chunks = 0
        first: Key | None = None
        for after, last in _chunks(source, table):
            chunks += 1
            if not _same(source, replica, table, (after, last), until):
                different += 1
                first = first if different > 1 else after
        if different:
            where = f"in {different} of {chunks} parts, the first after {_shown(first)}"
            what = f"{label} has different rows in {table.schema}.{table.name} than {source.server.name}, {where}"
            cure = f"find out why, then copy it again with provision --rebuild {replica.server.name}"
            yield Finding("rows_differ", replica.server.name, what, cure)


def _same(
    source: ServerAdmin, replica: ServerAdmin, table: Table, chunk: tuple[Key | None, Key | None], until: float
) -> bool:
    before = _checksum(source, table, *chunk)
    for _ in range(MAX_ATTEMPTS):
        executed = source.executed()
        missing = replica.count_missing(executed, max(1.0, until - time.monotonic()))
        if missing:
            raise _NotComparedError(
                f"it did not catch up with {source.server.name} in time; {missing} transactions are missing"
            )
        copied = _checksum(replica, table, *chunk)
        if copied == before:
            return True
        after = _checksum(source, table, *chunk)
        if after == before:
            return False
        before = after
    raise _NotComparedError(f"rows of {table.schema}.{table.name} changed all the time")


def _chunks(source: ServerAdmin, table: Table) -> Iterator[tuple[Key | None, Key | None]]:
    """Yield ranges that cover the table; the last one has no end, so it includes extra rows of a replica."""
    after: Key | None = None
    while table.key:
        statement, arguments = table.next_key(after)
        found = source.rows(statement, *arguments)
        if not found:
            break
        yield after, found[0]
        after = found[0]
    yield after, None


def _checksum(server: ServerAdmin, table: Table, after: Key | None, until: Key | None) -> Checksum:
    statement, arguments = table.checksum(after, until)
    count, total = server.rows(statement, *arguments)[0]
    return int(count), int(total)


def read_tables(source: ServerAdmin, schema: str) -> list[Table]:
    """Return the tables of a schema with their columns, as the source has them."""
    columns: dict[str, list[str]] = {}
    keys: dict[str, dict[int, str]] = {}
    for table, column, position in source.rows(_COLUMNS, schema):
        columns.setdefault(table, []).append(column)
        if position is not None:
            keys.setdefault(table, {})[int(position)] = column
    return [Table(schema, name, tuple(found), _ordered(keys.get(name, {}))) for name, found in columns.items()]


def _ordered(key: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(key[position] for position in sorted(key))


def _compared(columns: tuple[str, ...], operator: str, key: Key) -> tuple[str, list[Any]]:
    """Return a condition on all columns of a key: after it (``>``), or up to and including it (``<``).

    Written out, because MySQL does not use an index for a row comparison.
    """
    strict: list[str] = []
    arguments: list[Any] = []
    for number, column in enumerate(columns):
        equal = [f"{quote(each)} = %s" for each in columns[:number]]
        last = f"{quote(column)} {operator} %s"
        strict.append(f"({' AND '.join([*equal, last])})")
        arguments += key[: number + 1]
    if operator == "<":
        strict.append(f"({' AND '.join(f'{quote(each)} = %s' for each in columns)})")
        arguments += key
    bound = f"{quote(columns[0])} {operator}= %s"
    return f"({bound} AND ({' OR '.join(strict)}))", [key[0], *arguments]


def _shown(key: Key | None) -> str:
    return "the beginning" if key is None else ", ".join(map(str, key))[:80]
