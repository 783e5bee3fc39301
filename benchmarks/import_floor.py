"""The floor of an import: bare ``sqlite3`` reads the same file and writes the same rows."""

import csv
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

CACHE_KIBIBYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class TableChange:
    """Rows that an import added to one table, and rows that it changed, with the statements that write them."""

    insert: str
    added: Sequence[tuple[object, ...]]
    update: str
    changed: Sequence[tuple[object, ...]]


def floor_seconds(before: Path, after: Path, file: Path) -> float:
    """Bring ``before`` to the state of ``after`` and return the seconds of reading ``file`` and writing the rows.

    ``before`` and ``after`` are SQLite inventories, before and after an import of ``file``; ``before`` is changed. Finding
    the differences is not part of the time. Indexes and triggers of the database apply, in one transaction; foreign keys are
    not checked.
    """
    with closing(sqlite3.connect(before, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
        connection.execute("ATTACH DATABASE ? AS after", (str(after),))
        changes = [_difference(connection, name) for name in _table_names(connection)]
        began = time.perf_counter()
        with file.open(encoding="utf-8", newline="") as text:
            for _ in csv.reader(text):
                pass
        connection.execute("BEGIN IMMEDIATE")
        for change in changes:
            connection.executemany(change.insert, change.added)
            connection.executemany(change.update, change.changed)
        connection.execute("COMMIT")
        return time.perf_counter() - began


def _table_names(connection: sqlite3.Connection) -> list[str]:
    listed = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    ).fetchall()
    return [name for (name,) in listed if not name.startswith("sqlite_")]


def _difference(connection: sqlite3.Connection, table: str) -> TableChange:
    columns = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (table,)).fetchall()
    names = [name for name, _ in columns]
    keys = [name for name, place in columns if place]
    same_key = " AND ".join(f'b."{key}" = a."{key}"' for key in keys)
    joined = f'FROM after."{table}" AS a LEFT JOIN main."{table}" AS b ON {same_key}'
    others = [name for name in names if name not in keys]
    every = ", ".join(f'a."{name}"' for name in names)
    values_and_keys = ", ".join(f'a."{name}"' for name in [*others, *keys])
    differs = " OR ".join(f'a."{name}" IS NOT b."{name}"' for name in names)
    is_new = f'b."{keys[0]}" IS NULL'
    return TableChange(
        f'INSERT INTO main."{table}" VALUES ({", ".join("?" * len(names))})',  # noqa: S608
        connection.execute(f"SELECT {every} {joined} WHERE {is_new}").fetchall(),
        'UPDATE main."{}" SET {} WHERE {}'.format(  # noqa: S608
            table,
            ", ".join(f'"{name}" = ?' for name in others) or f'"{keys[0]}" = "{keys[0]}"',
            " AND ".join(f'"{key}" = ?' for key in keys),
        ),
        connection.execute(f"SELECT {values_and_keys} {joined} WHERE NOT {is_new} AND ({differs})").fetchall(),
    )


if __name__ == "__main__":
    # In a process of its own: what this one needs would count as the peak memory of the imports that its parent starts later.
    sys.stdout.write(str(floor_seconds(*map(Path, sys.argv[1:4]))))
