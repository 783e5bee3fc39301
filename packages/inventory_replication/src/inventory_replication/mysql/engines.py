"""One pool of connections per server and purpose; the pool of readers is read-only at the database."""

import ssl
from dataclasses import dataclass

from sqlalchemy import URL, Connection, Engine, create_engine

from inventory_replication.config import Credentials, Isolation, Server
from inventory_replication.connections import ConnectionLimits
from inventory_replication.mysql.connection import TrackingConnection
from inventory_replication.mysql.pool_guards import PoolGuard
from inventory_replication.mysql.session_settings import session_settings


@dataclass(frozen=True, slots=True)
class ServerEngine:
    """The pool of one server for one purpose. Build it after fork; connections are made when they are needed.

    ``engine`` is an ordinary SQLAlchemy engine whose connections are `TrackingConnection`. A connection that was made before
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
        """Let go of every connection made until now, after the server changed its role or was replaced.

        Nothing is sent and nothing waits: idle connections are dropped, those in use are dropped when they come back.
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
    """A pool to ``server``; nothing is sent before its first use.

    Every session: UTC, utf8mb4, `SQL_MODE`, autocommit off, commits tracked, bounded lock waits. With ``read_only`` its
    transactions are read-only at the database, and a connection whose session somebody makes writable closes itself.

    Args:
        server: Where to.
        account: As whom.
        database: Default schema.
        read_only: For readers, on a replica or on the source.
        tls: One context for all engines of the process (`client_tls`); ``None`` connects without TLS.
        limits: See `ConnectionLimits`.
        isolation: Of transactions that write; readers have ``REPEATABLE READ``.
    """
    limits = limits or ConnectionLimits()
    arguments: dict[str, object] = {
        "charset": "utf8mb4",
        "init_command": session_settings(limits, read_only=read_only, isolation=isolation),
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
    """The driver's connection behind a connection of an engine made here; sends nothing.

    Raises:
        TypeError: The engine was not made by `build_engine`.
    """
    driver: object = connection.connection.dbapi_connection
    if not isinstance(driver, TrackingConnection):
        raise TypeError(
            f"{type(driver).__name__} is no connection of this package; make its engine with build_engine()"
        )
    return driver
