"""What SQLite itself knows about the file, and whether the search index fits the products."""

import sqlite3
from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from inventory_core.models import metadata
from inventory_core.operations.verifications.fault import VerificationFault


def faults(session: Session) -> Iterator[VerificationFault]:
    """Damaged pages and indexes, broken CHECK constraints, and references of tables that are not the core's."""
    for (line,) in session.execute(text("PRAGMA integrity_check")):
        if line != "ok":
            yield VerificationFault("the file is sound", "database", "ok", line)
    for table, row, target, _ in session.execute(text("PRAGMA foreign_key_check")):
        if table not in metadata.tables:
            yield VerificationFault("references lead somewhere", f"{table} row {row}", target, "nothing")


def search_index_faults(session: Session) -> list[VerificationFault]:
    """Compare the search index with the products. SQLite wants a transaction that may write; nothing is written."""
    check = "INSERT INTO product_search (product_search, rank) VALUES ('integrity-check', 1)"
    try:
        session.connection().exec_driver_sql(check)
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        return [
            VerificationFault("the search index fits", "product_search", "the products' search_text", str(error.orig))
        ]
    return []
