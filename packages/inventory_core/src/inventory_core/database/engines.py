"""Create engines for one database, configured so that readers cannot write and writers wait for each other."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Engine, PoolProxiedConnection, StaticPool, create_engine, event, make_url
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from typing_extensions import override

from inventory_core.errors import StorageRefused

LOCK_TIMEOUT_SECONDS = 10
SUPPORTED_DIALECTS = {"sqlite": "SQLite", "mysql": "MySQL"}
SQLITE_SYNCHRONOUS = "FULL"
"""A commit is on the disk when it returns; tests do not wait for that."""
SQLITE_MEMORY_BYTES = 96 << 20
"""Memory for all SQLite caches of the process; a single connection could use 32 MB."""
MIN_SQLITE_VERSION = (3, 35, 0)
"""The first version that drops a column without copying the table and that has a trigram full-text index."""


@dataclass(frozen=True, slots=True)
class ReadWriteEngines:
    """``takes_turns``: writers of this process wait for each other; ``one_connection``: readers do, too."""

    read: Engine
    write: Engine
    takes_turns: bool
    one_connection: bool

    def __post_init__(self) -> None:
        for engine in (self.read, self.write):
            require_dialect(engine.dialect.name)

    def dispose(self) -> None:
        """Close every idle connection."""
        self.read.dispose()
        self.write.dispose()


def open_engines(url: str | URL) -> ReadWriteEngines:
    """Create the engines for a SQLAlchemy URL of SQLite or MySQL; connects to nothing yet.

    Raises ``StorageRefused`` for any other database and if SQLite is too old.
    """
    parsed = make_url(url)
    require_dialect(parsed.get_backend_name())
    if parsed.get_backend_name() != "sqlite":
        return _server(parsed)
    if sqlite3.sqlite_version_info < MIN_SQLITE_VERSION:
        wanted = ".".join(map(str, MIN_SQLITE_VERSION))
        raise StorageRefused(f"SQLite {wanted} or newer is needed, this Python has {sqlite3.sqlite_version}")
    if _is_in_memory(parsed):
        url = parsed.set(drivername="sqlite+deferred")
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        _set_up_sqlite(engine)
        return ReadWriteEngines(engine, engine, takes_turns=True, one_connection=True)
    write = _sqlite_file(parsed.set(drivername="sqlite+immediate"))
    read = _sqlite_file(parsed.set(drivername="sqlite+deferred"))
    _set_up_sqlite(write, f"synchronous = {SQLITE_SYNCHRONOUS}", "journal_mode = WAL")
    event.listen(read, "connect", _write_ahead_if_possible)
    _set_up_sqlite(read, "query_only = ON")
    return ReadWriteEngines(read, write, takes_turns=True, one_connection=False)


def require_dialect(name: str) -> None:
    """Raise ``StorageRefused`` unless this SQLAlchemy dialect is supported."""
    if name not in SUPPORTED_DIALECTS:
        raise StorageRefused(f"{name} is not supported; use {' or '.join(SUPPORTED_DIALECTS.values())}")


def _is_in_memory(url: URL) -> bool:
    return url.database in (None, "", ":memory:", "file::memory:") or url.query.get("mode") == "memory"


def _server(url: URL) -> ReadWriteEngines:
    options: dict[str, Any] = {"pool_pre_ping": True, "pool_recycle": 1800, "pool_size": 10, "max_overflow": 10}
    write, read = create_engine(url, **options), create_engine(url, **options)
    # Writers read the committed state and lock little; a reader, as on SQLite, reads one snapshot.
    event.listen(write, "connect", _mysql_setup("READ COMMITTED, READ WRITE"))
    event.listen(read, "connect", _mysql_setup("REPEATABLE READ, READ ONLY"))
    return ReadWriteEngines(read, write, takes_turns=False, one_connection=False)


def _mysql_setup(transactions: str) -> Callable[[DBAPIConnection, Any], None]:
    def set_up(connection: DBAPIConnection, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT VERSION()")
        if "mariadb" in str(cursor.fetchone()).lower():
            require_dialect("mariadb")
        # Refuse values that are too long even if the server would cut them; its other modes are kept.
        strict = "sql_mode = CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'STRICT_TRANS_TABLES')"
        cursor.execute(f"SET time_zone = '+00:00', innodb_lock_wait_timeout = {LOCK_TIMEOUT_SECONDS}, {strict}")
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {transactions}")
        cursor.close()

    return set_up


def _sqlite_file(url: URL) -> Engine:
    wait = {} if "timeout" in url.query else {"timeout": LOCK_TIMEOUT_SECONDS}
    return create_engine(url, pool_size=16, max_overflow=16, connect_args=wait)


def _set_up_sqlite(engine: Engine, *further: str) -> None:
    def connected(connection: sqlite3.Connection, _: Any) -> None:
        # The driver's own transaction handling would begin late and never IMMEDIATE.
        connection.isolation_level = None
        # The setting applies to the whole process; keep one that the program has set.
        if not connection.execute("PRAGMA soft_heap_limit").fetchone()[0]:
            connection.execute(f"PRAGMA soft_heap_limit = {SQLITE_MEMORY_BYTES}").close()
        for pragma in ("foreign_keys = ON", "temp_store = MEMORY", "cache_size = -32000", *further):
            connection.execute(f"PRAGMA {pragma}").close()

    event.listen(engine, "connect", connected)


def _write_ahead_if_possible(connection: sqlite3.Connection, _: Any) -> None:
    # A restored backup is in another mode, and the first reader would block the writer that wants to change it.
    connection.execute(f"PRAGMA synchronous = {SQLITE_SYNCHRONOUS}").close()
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL").close()


class DeferredSQLite(SQLiteDialect_pysqlite):
    """Begins a transaction that reads one snapshot."""

    supports_statement_cache = True
    begin = "BEGIN"

    @override
    def do_begin(self, dbapi_connection: PoolProxiedConnection) -> None:
        dbapi_connection.cursor().execute(self.begin)


class ImmediateSQLite(DeferredSQLite):
    """Begins a transaction that writes: a deferred one fails immediately if another writer is ahead, whatever the time-out."""

    supports_statement_cache = True
    begin = "BEGIN IMMEDIATE"


registry.register("sqlite.deferred", __name__, DeferredSQLite.__name__)
registry.register("sqlite.immediate", __name__, ImmediateSQLite.__name__)
