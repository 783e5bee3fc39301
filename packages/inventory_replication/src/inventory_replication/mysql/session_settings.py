"""The one statement that each new session runs, which holds the bounds at the server too."""

from inventory_replication.connections import ConnectionLimits
from inventory_replication.mysql.connection import TRACKING_ASSIGNMENTS

SQL_MODE = "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""What every session runs under, whatever the option file of its server says."""

_READERS_ISOLATION = "REPEATABLE READ"


def session_settings(limits: ConnectionLimits, *, read_only: bool, isolation: str = "READ COMMITTED") -> str:
    """UTC, `SQL_MODE`, no autocommit, tracked commits, bounded waits.

    Args:
        limits: The bounds.
        read_only: For readers, who see one moment for the whole of a transaction, whatever ``isolation`` says.
        isolation: Of transactions that write.
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
