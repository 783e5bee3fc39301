"""How a process connects: bounds of its pools and connections, and TLS. Frozen values, checked when they are built."""

from dataclasses import dataclass
from pathlib import Path

from inventory_replication.errors import ConfigurationError


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


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """How connections are encrypted, and whom they believe.

    Args:
        ca_file: Certificates (PEM) that may have signed the servers'. ``None``: the traffic is encrypted, and any server is
            believed.
        verify_host: Also compare the name in a server's certificate with its host; those that MySQL makes hold no host.
    """

    ca_file: str | Path | None = None
    verify_host: bool = False

    def __post_init__(self) -> None:
        if self.verify_host and self.ca_file is None:
            raise ConfigurationError("TlsPolicy.verify_host needs a ca_file: without one no certificate is verified.")
