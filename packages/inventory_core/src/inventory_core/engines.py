"""Engines over one database: how connections are set up so that readers cannot write and writers do not lose."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection

BUSY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class ReadWriteEngines:
    """``takes_turns``: writers of this process queue up; ``one_connection``: readers queue up with them."""

    read: Engine
    write: Engine
    takes_turns: bool
    one_connection: bool

    def dispose(self) -> None:
        self.read.dispose()
        self.write.dispose()


def open_engines(url: str | URL) -> ReadWriteEngines:
    """Build the engines for a SQLAlchemy URL; nothing is connected yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _server(parsed)
    if parsed.database in (None, "", ":memory:"):
        return _sqlite_in_memory(parsed)
    write = _sqlite_engine(parsed, read_only=False)
    return ReadWriteEngines(_sqlite_engine(parsed, read_only=True), write, takes_turns=True, one_connection=False)


def _server(url: URL) -> ReadWriteEngines:
    options: dict[str, Any] = {"pool_pre_ping": True, "pool_recycle": 1800, "pool_size": 10, "max_overflow": 10}
    write, read = create_engine(url, **options), create_engine(url, **options)
    if url.get_backend_name() in ("mysql", "mariadb"):
        for engine, access in ((write, "READ WRITE"), (read, "READ ONLY")):
            event.listen(engine, "connect", _mysql_setup(access))
    return ReadWriteEngines(read, write, takes_turns=False, one_connection=False)


def _mysql_setup(access: str) -> Any:
    def set_up(connection: DBAPIConnection, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, {access}")
        cursor.close()

    return set_up


def _sqlite_in_memory(url: URL) -> ReadWriteEngines:
    engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    _set_up_sqlite(engine, read_only=False)
    return ReadWriteEngines(engine, engine, takes_turns=True, one_connection=True)


def _sqlite_engine(url: URL, *, read_only: bool) -> Engine:
    engine = create_engine(url, pool_size=16, max_overflow=16, connect_args={"timeout": BUSY_SECONDS})
    _set_up_sqlite(engine, read_only=read_only)
    return engine


def _set_up_sqlite(engine: Engine, *, read_only: bool) -> None:
    pragmas = [
        "foreign_keys = ON",
        "journal_mode = WAL",
        "synchronous = FULL",
        "temp_store = MEMORY",
        "cache_size = -32000",
    ]
    if read_only:
        pragmas.append("query_only = ON")

    def connected(connection: sqlite3.Connection, _: Any) -> None:
        # The driver's own transaction handling would begin late and never IMMEDIATE.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    # A deferred writer that finds another one ahead fails at once, without waiting for the busy time-out.
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
