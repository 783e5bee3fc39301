"""One connection pool per server and purpose. The database keeps the sessions of the reader pools read-only."""

import os
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, cast
from weakref import WeakSet

from pymysql.err import Error
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import Dialect, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from inventory_replication.config import ConnectionLimits, Credentials, Isolation, Server
from inventory_replication.decisions.error_kinds import ErrorKind
from inventory_replication.decisions.outcomes import PoolEffect, pool_effect
from inventory_replication.mysql.connection import TRACKING_ASSIGNMENTS, ReadOnlyConnection, TrackingConnection
from inventory_replication.mysql.diagnostics import classify_exception

SQL_MODE = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""The SQL mode of every session, whatever the option file of the server says."""

_READERS_ISOLATION = "REPEATABLE READ"


def session_statement(limits: ConnectionLimits, *, read_only: bool, isolation: str = "READ COMMITTED") -> str:
    """Return the statement that a new session runs first: UTC, `SQL_MODE`, no autocommit, tracked commits, bounded waits.

    Args:
        limits: The limits.
        read_only: For readers, who see one snapshot throughout a transaction, whatever ``isolation`` says.
        isolation: Isolation level of writes.
    """
    lock_wait = max(1, int(limits.read_timeout) - 1)
    level = _READERS_ISOLATION if read_only else isolation
    settings = [
        TRACKING_ASSIGNMENTS,
        "time_zone='+00:00'",
        f"sql_mode='{SQL_MODE}'",
        "autocommit=OFF",
        f"transaction_read_only={'ON' if read_only else 'OFF'}",
        f"transaction_isolation='{level.replace(' ', '-')}'",
        f"innodb_lock_wait_timeout={lock_wait}",
        f"lock_wait_timeout={lock_wait}",
    ]
    if limits.statement_timeout is not None:
        settings.append(f"max_execution_time={int(limits.statement_timeout * 1000)}")
    return f"SET SESSION {', '.join(settings)}"


class PoolGuard:
    """Listens to one engine: creates its connections and discards stale ones before they are handed out.

    Increase ``epoch`` to drop every connection that was created before.
    """

    def __init__(self, server_name: str, *, read_only: bool, ping_after: float) -> None:
        self.epoch = 0
        self._server_name = server_name
        self._read_only = read_only
        self._ping_after = ping_after
        self._readers: WeakSet[ReadOnlyConnection] = WeakSet()
        self._lock = threading.Lock()
        self._make = cast(Callable[..., DBAPIConnection], ReadOnlyConnection if read_only else TrackingConnection)

    def listen_to(self, engine: Engine) -> None:
        """Install all listeners, once per engine. Pools that the engine creates later inherit them."""
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "checkout", self._check)
        event.listen(engine, "checkin", self._note_use)
        event.listen(engine, "handle_error", self._judge)

    def interrupt_readers(self, since: float) -> int:
        """Interrupt every waiting reader that has received nothing since that monotonic time. Thread-safe.

        Each gets the error of a lost connection, which removes the connection from the pool. A pool for writers has no readers.

        Returns:
            How many waits were interrupted.
        """
        with self._lock:
            readers = tuple(self._readers)
        return sum(each.interrupt_readers(since) for each in readers)

    def _connect(
        self,
        dialect: Dialect,  # noqa: ARG002
        record: ConnectionPoolEntry,
        arguments: tuple[object, ...],
        named: dict[str, object],
    ) -> DBAPIConnection:
        record.info.update(epoch=self.epoch, process=os.getpid(), used=monotonic())
        made = self._make(*arguments, **named)
        if isinstance(made, ReadOnlyConnection):
            with self._lock:
                self._readers.add(made)
        return made

    def _check(self, driver: DBAPIConnection, record: ConnectionPoolEntry, proxied: PoolProxiedConnection) -> None:
        info = record.info
        if info["process"] != os.getpid():
            # Closing it here would send a farewell for the process that owns it.
            cast(Any, record).dbapi_connection = cast(Any, proxied).dbapi_connection = None
            raise DisconnectionError("this connection belongs to another process")
        if info["epoch"] != self.epoch:
            raise DisconnectionError("this connection was made before the server changed its role")
        connection = cast(TrackingConnection, driver)
        connection.reset_tracking()
        if connection.closed_by_peer():
            raise DisconnectionError(f"{self._server_name} has closed an idle connection")
        try:
            if self._read_only and connection.tracking_fault is not None:
                with connection.cursor() as cursor:
                    cursor.execute("SET SESSION TRANSACTION READ ONLY")
            elif monotonic() - info["used"] > self._ping_after:
                connection.ping()
        except Error as fault:
            raise DisconnectionError(f"{self._server_name} did not answer on an idle connection") from fault

    def _note_use(self, driver: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:  # noqa: ARG002
        record.info["used"] = monotonic()

    def _judge(self, context: ExceptionContext) -> None:
        kind = classify_exception(context.original_exception)
        if kind is None or (kind is ErrorKind.READ_ONLY and self._read_only):
            return
        effect = pool_effect(kind)
        if effect is PoolEffect.CONNECTION:
            # One slow statement says nothing about the other connections.
            context.invalidate_pool_on_disconnect = False
        elif effect is PoolEffect.SERVER:
            context.is_disconnect = True


@dataclass(frozen=True, slots=True)
class ServerEngine:
    """The pool of one server for one purpose. Create it after fork; connections are opened when they are needed.

    ``engine`` is an ordinary SQLAlchemy engine whose connections are `TrackingConnection`. A connection that was opened before
    the last `invalidate`, or by another process, is never handed out.
    """

    server: Server
    read_only: bool
    limits: ConnectionLimits
    engine: Engine
    guard: PoolGuard

    @property
    def epoch(self) -> int:
        """How often the connections were invalidated."""
        return self.guard.epoch

    def invalidate(self) -> None:
        """Drop every connection opened so far, after the server changed its role or was replaced.

        Nothing is sent and nothing waits: idle connections are dropped now, those in use when they are returned.
        """
        self.guard.epoch += 1
        self.engine.dispose(close=False)

    def close(self) -> None:
        """Close the idle connections; the engine may be used again."""
        self.engine.dispose()


def build_engine(
    server: Server,
    account: Credentials,
    *,
    database: str,
    read_only: bool,
    tls: ssl.SSLContext | None,
    limits: ConnectionLimits | None = None,
    isolation: Isolation = "READ COMMITTED",
) -> ServerEngine:
    """Create a pool for ``server``; nothing is sent before its first use.

    Every session uses UTC, utf8mb4 and `SQL_MODE`, without autocommit, with tracked commits and bounded lock waits. With
    ``read_only`` the database keeps its transactions read-only, and a connection whose session is made writable closes itself.

    Args:
        server: The server.
        account: The account.
        database: Default schema.
        read_only: For readers, on a replica or on the source.
        tls: One context for all engines of the process (`client_tls`); ``None`` connects without TLS.
        limits: See `ConnectionLimits`.
        isolation: Isolation level of writes; readers use ``REPEATABLE READ``.
    """
    limits = limits or ConnectionLimits()
    arguments: dict[str, object] = {
        "charset": "utf8mb4",
        "init_command": session_statement(limits, read_only=read_only, isolation=isolation),
        "connect_timeout": limits.connect_timeout,
        "read_timeout": limits.read_timeout,
        "write_timeout": limits.write_timeout,
    }
    arguments |= {"ssl_disabled": True} if tls is None else {"ssl": tls}
    engine = create_engine(
        URL.create("mysql+pymysql", account.user, account.password, server.host, server.port, database),
        connect_args=arguments,
        pool_size=limits.pool_size,
        max_overflow=limits.pool_size,
        pool_timeout=limits.pool_timeout,
        pool_recycle=limits.recycle,
        pool_use_lifo=True,
    )
    guard = PoolGuard(server.name, read_only=read_only, ping_after=limits.ping_after)
    guard.listen_to(engine)
    return ServerEngine(server, read_only, limits, engine, guard)


def tracked_connection(connection: Connection) -> TrackingConnection:
    """Return the driver's connection behind a connection of an engine of `build_engine`; sends nothing.

    Raises:
        TypeError: The engine is not from `build_engine`.
    """
    driver: object = connection.connection.dbapi_connection
    if not isinstance(driver, TrackingConnection):
        raise TypeError(
            f"{type(driver).__name__} is not a connection of this package; create its engine with build_engine()"
        )
    return driver
