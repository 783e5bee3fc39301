"""Hide the differences between databases: error classification and insert-only triggers."""

import sqlite3
from enum import Enum
from pathlib import Path

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from inventory_core.errors import DatabaseBusy, InventoryError, ReadOnlyUnit, StorageRefused

MYSQL_DEADLOCK = 1213
MYSQL_LOCK_WAIT = 1205
MYSQL_CHECK_VIOLATED = 3819
MYSQL_DUPLICATE = 1062
MYSQL_READ_ONLY_TRANSACTION = 1792
MYSQL_STORAGE = frozenset(
    # The server is not reached or refuses the account, then: the account lacks a privilege, the connection is lost, the disk is
    # full, the server is read-only.
    {0, 1040, 1044, 1045, 1049, 2002, 2003, 2005, 2006, 1142, 1143, 1227, 1419, 2013, 4031, 1021, 1114, 1290, 1836}
)
SQLITE_STORAGE = {
    sqlite3.SQLITE_READONLY: "{file} or its folder is read-only; allow writing to both",
    sqlite3.SQLITE_IOERR: "the disk of {file} reports an error",
    sqlite3.SQLITE_FULL: "the disk of {file} is full; free some space",
    sqlite3.SQLITE_CANTOPEN: "{file} cannot be opened; is it a file, and may this user read and write it and its folder?",
    sqlite3.SQLITE_CORRUPT: "{file} is damaged; restore a backup",
    sqlite3.SQLITE_NOTADB: "{file} is not an SQLite database; choose another file",
}
MYSQL_ROLLED_BACK = frozenset({MYSQL_DEADLOCK, MYSQL_LOCK_WAIT, MYSQL_READ_ONLY_TRANSACTION, 1290, 1836, 3101})
"""Errors of COMMIT after which the change is certainly not stored: locks, a read-only server, a conflict within a group."""
SQLSTATE_ROLLED_BACK = ("23", "25006", "40")
"""SQLSTATE prefixes of the same errors on other servers: constraints, a read-only transaction, serialization failures."""
NO_SEARCH = "no such module"

CHANGES = ("UPDATE", "DELETE")
_BODIES = {
    "sqlite": "BEGIN SELECT RAISE(ABORT, '{message}'); END",
    "mysql": "FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{message}'",
}


class DriverErrorKind(Enum):
    """Kinds of failure with the same handling."""

    TRY_AGAIN = "try again"
    DUPLICATE = "duplicate"
    CHECK = "check"
    STORAGE = "storage"
    READ_ONLY_UNIT = "read-only unit"
    OTHER = "other"


def classify_driver_error(error: DBAPIError, *, reading: bool = False) -> DriverErrorKind:
    """Return the kind of ``error``; ``OTHER`` is a fault of the program.

    SQLite has one number for a read-only file and for a read-only connection, so pass whether the unit was ``reading``.
    """
    if isinstance(error.orig, sqlite3.Error):
        return _classify_sqlite(error.orig, reading=reading)
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if number in (MYSQL_DEADLOCK, MYSQL_LOCK_WAIT):
        return DriverErrorKind.TRY_AGAIN
    if number == MYSQL_CHECK_VIOLATED:
        return DriverErrorKind.CHECK
    if number == MYSQL_READ_ONLY_TRANSACTION:
        return DriverErrorKind.READ_ONLY_UNIT
    if isinstance(error, IntegrityError):
        return DriverErrorKind.DUPLICATE if number == MYSQL_DUPLICATE else DriverErrorKind.OTHER
    return DriverErrorKind.STORAGE if number in MYSQL_STORAGE else DriverErrorKind.OTHER


def is_commit_unknown(error: DBAPIError) -> bool:
    """Return whether a change may be stored although its COMMIT raised ``error``.

    SQLite answers every COMMIT. A server may have stored the change before the connection was lost.
    """
    if isinstance(error.orig, sqlite3.Error) or isinstance(error, IntegrityError):
        return False
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    sqlstate = str(getattr(error.orig, "sqlstate", None) or "")
    # 40003 is "statement completion unknown".
    rolled_back = number in MYSQL_ROLLED_BACK or sqlstate.startswith(SQLSTATE_ROLLED_BACK)
    return sqlstate == "40003" or not rolled_back


def translate_driver_error(error: DBAPIError, url: URL, *, reading: bool = False) -> InventoryError | None:
    """Return the core's error for a driver error of the database at ``url``; None for a fault of the program."""
    match classify_driver_error(error, reading=reading):
        case DriverErrorKind.TRY_AGAIN:
            return DatabaseBusy(1)
        case DriverErrorKind.STORAGE:
            return StorageRefused(describe(error, url))
        case DriverErrorKind.READ_ONLY_UNIT:
            return ReadOnlyUnit()
        case _:
            return None


def describe(error: DBAPIError, url: URL) -> str:
    """Return one readable line about a ``STORAGE`` failure of the database at ``url``."""
    if not isinstance(error.orig, sqlite3.Error):
        said = error.orig.args[-1] if error.orig is not None and error.orig.args else error
        return f"{url.host}: {_first_line(said)}"
    if NO_SEARCH in str(error.orig):
        return "the SQLite of this Python was built without FTS5, which the search needs; use another Python"
    file = Path(url.database or "")
    code = _sqlite_code(error.orig) & 0xFF
    if code == sqlite3.SQLITE_CANTOPEN and not file.parent.exists():
        return f"the folder {file.parent} does not exist; create it or choose another place"
    return SQLITE_STORAGE.get(code, _first_line(error.orig)).format(file=file)


def _first_line(said: object) -> str:
    return next(iter(str(said).splitlines()), "no answer")


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) or 0


def _classify_sqlite(error: sqlite3.Error, *, reading: bool) -> DriverErrorKind:
    code = _sqlite_code(error)
    if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return DriverErrorKind.TRY_AGAIN
    if code == sqlite3.SQLITE_CONSTRAINT_CHECK:
        return DriverErrorKind.CHECK
    if code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
        return DriverErrorKind.DUPLICATE
    if code == sqlite3.SQLITE_READONLY and reading:
        return DriverErrorKind.READ_ONLY_UNIT
    return (
        DriverErrorKind.STORAGE if code & 0xFF in SQLITE_STORAGE or NO_SEARCH in str(error) else DriverErrorKind.OTHER
    )


def forbid_row_changes(connection: Connection, *tables: str) -> None:
    """Create the triggers that refuse to change or delete rows of ``tables``; existing ones are replaced.

    Does nothing on a database whose triggers are not supported. On MySQL the account needs the privilege
    ``TRIGGER`` and, with a binary log, the server the setting ``log_bin_trust_function_creators``; on such a server each
    statement ends the transaction.
    """
    permit_row_changes(connection, *tables)
    for table in tables:
        for change in CHANGES:
            create = _creation(connection.dialect.name, table, change)
            if create:
                connection.execute(text(create))


def permit_row_changes(connection: Connection, *tables: str) -> None:
    """Drop these triggers, for a migration or to remove old rows."""
    if connection.dialect.name in _BODIES:
        for table in tables:
            for change in CHANGES:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {_name(table, change)}"))


def _creation(dialect: str, table: str, change: str) -> str | None:
    body = _BODIES.get(dialect)
    if body is None:
        return None
    message = f"rows of {table} are insert only"
    return f"CREATE TRIGGER {_name(table, change)} BEFORE {change} ON {table} {body.format(message=message)}"


def _name(table: str, change: str) -> str:
    return f"{table}_no_{change.lower()}"
