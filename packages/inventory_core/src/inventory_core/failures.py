"""What a database driver's error means, told from its numbers and without importing a driver."""

import sqlite3
from enum import Enum

from sqlalchemy.exc import DBAPIError, IntegrityError

MYSQL_DEADLOCK = 1213
MYSQL_LOCK_WAIT = 1205
MYSQL_CHECK_VIOLATED = 3819
MYSQL_READ_ONLY = 1792
MYSQL_UNREACHABLE = frozenset({1040, 1044, 1045, 1049, 2002, 2003, 2005, 2006, 2013})
SQLITE_BUSY, SQLITE_LOCKED = 5, 6
SQLITE_STORAGE = {
    8: "the file or its folder is read-only",
    10: "the disk reports an error",
    13: "the disk is full",
    14: "the file cannot be opened",
    11: "the file is damaged",
    26: "the file is not a database",
}


class Failure(Enum):
    """Kinds of failure that callers treat alike."""

    TRY_AGAIN = "try again"
    DUPLICATE = "duplicate"
    CHECK = "check"
    STORAGE = "storage"
    READ_ONLY_UNIT = "read-only unit"
    OTHER = "other"


def classify(error: DBAPIError) -> Failure:
    """Tell what ``error`` means; ``OTHER`` is a fault of the program."""
    if isinstance(error.orig, sqlite3.Error):
        return _classify_sqlite(error.orig)
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if number in (MYSQL_DEADLOCK, MYSQL_LOCK_WAIT):
        return Failure.TRY_AGAIN
    if number == MYSQL_CHECK_VIOLATED:
        return Failure.CHECK
    if number == MYSQL_READ_ONLY:
        return Failure.READ_ONLY_UNIT
    if isinstance(error, IntegrityError):
        return Failure.DUPLICATE if number == 1062 else Failure.OTHER
    return Failure.STORAGE if number in MYSQL_UNREACHABLE else Failure.OTHER


def describe(error: DBAPIError) -> str:
    """One line for a person about a ``STORAGE`` failure."""
    if isinstance(error.orig, sqlite3.Error):
        meaning = SQLITE_STORAGE.get(_sqlite_code(error.orig) & 0xFF)
        if meaning:
            return meaning
    return str(error.orig).splitlines()[0]


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) or 0


def _classify_sqlite(error: sqlite3.Error) -> Failure:
    code = _sqlite_code(error)
    if code & 0xFF in (SQLITE_BUSY, SQLITE_LOCKED):
        return Failure.TRY_AGAIN
    if code == sqlite3.SQLITE_CONSTRAINT_CHECK:
        return Failure.CHECK
    if code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
        return Failure.DUPLICATE
    # query_only answers with the same primary code as a read-only file.
    if code == sqlite3.SQLITE_READONLY and "readonly" in str(error):
        return Failure.STORAGE
    return Failure.STORAGE if code & 0xFF in SQLITE_STORAGE else Failure.OTHER
