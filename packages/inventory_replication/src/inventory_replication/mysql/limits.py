"""Bounds of a pool and of its connections, and the session settings that hold them at the server."""

from dataclasses import dataclass

from inventory_replication.errors import ConfigurationError
from inventory_replication.mysql.connection import TRACKING_ASSIGNMENTS

SQL_MODE = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""What every session runs under, whatever the option file of its server says."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Bounds of a pool and of its connections, in seconds unless it says otherwise.

    Args:
        pool_size: Connections that are kept; at least the threads of the process that use the pool at once. As many again
            may be opened for a moment.
        pool_timeout: Longest wait for a connection of the pool.
        connect_timeout: For the TCP connection, and again for each answer until the log-in is done.
        read_timeout: For the next bytes of an answer. Locks are waited for a little shorter, so that the server answers first.
        write_timeout: For the sending of a statement.
        statement_timeout: Longest ``SELECT``, counted by the server until the last row has been taken; ``None``: no limit.
        recycle: Age at which a connection is replaced at its next use.
        ping_after: A connection that was idle longer is asked for a sign of life before its use.
    """

    pool_size: int = 10
    pool_timeout: float = 5.0
    connect_timeout: float = 2.0
    read_timeout: float = 10.0
    write_timeout: float = 10.0
    statement_timeout: float | None = None
    recycle: int = 1800
    ping_after: float = 30.0

    def __post_init__(self) -> None:
        for name in ("pool_size", "pool_timeout", "connect_timeout", "read_timeout", "write_timeout", "recycle"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"ConnectionLimits.{name} is {getattr(self, name)!r}; it must be above 0.")
        if self.statement_timeout is not None and not self.statement_timeout >= 0.001:
            raise ConfigurationError(
                f"ConnectionLimits.statement_timeout is {self.statement_timeout!r}; it must be 0.001 or more, or None."
            )

    def session_settings(self, *, read_only: bool) -> str:
        """The one statement that a new session runs: UTC, `SQL_MODE`, no autocommit, tracked commits, bounded waits."""
        lock_wait = max(1, int(self.read_timeout) - 1)
        settings = [
            TRACKING_ASSIGNMENTS,
            "time_zone='+00:00'",
            f"sql_mode='{SQL_MODE}'",
            "autocommit=OFF",
            f"transaction_read_only={'ON' if read_only else 'OFF'}",
            f"innodb_lock_wait_timeout={lock_wait}",
            f"lock_wait_timeout={lock_wait}",
        ]
        if self.statement_timeout is not None:
            settings.append(f"max_execution_time={int(self.statement_timeout * 1000)}")
        return f"SET SESSION {', '.join(settings)}"
