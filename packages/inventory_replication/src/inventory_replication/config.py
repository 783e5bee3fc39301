"""Configuration of a cluster: servers, accounts and policies, as frozen values that are checked on creation.

Times are in seconds. Nothing here reads the environment or a file. A wrong value raises `ConfigurationError`, which names the
field.
"""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from inventory_replication.errors import ConfigurationError

MIN_SECRET_BYTES = 16
MAX_TOKEN_BYTES = 4000
"""Browsers drop cookies above 4096 bytes, including name and attributes."""


def require_number(field_name: str, value: object, lowest: float, *, above: bool = False) -> None:
    """Raise `ConfigurationError` unless a value is a finite number of at least ``lowest`` (or above it, with ``above``)."""
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and (value > lowest or (value == lowest and not above))
    ):
        return
    limit = f"above {lowest}" if above else f"of at least {lowest}"
    raise ConfigurationError(f"{field_name} is {value!r}; it must be a number {limit}.")


def require_count(field_name: str, value: object, lowest: int) -> None:
    """Raise `ConfigurationError` unless a value is an integer of at least ``lowest``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise ConfigurationError(f"{field_name} is {value!r}; it must be a whole number of at least {lowest}.")


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """Which server may serve a read.

    Args:
        staleness_bound: A replica that may be further behind serves only as one of the last (``min_serving_replicas``).
        causal_wait_timeout: How long a reader waits for its own change on a replica. Above 0, because the server takes 0 for no
            limit.
        on_causal_timeout: After that time read from the ``"source"``, or raise an ``"error"``.
        min_serving_replicas: Keep at least this number of replicas in service, freshest first, even beyond ``staleness_bound``,
            so that the source is not flooded when all replicas fall behind. Never overrides a causal token or the bound of a
            reader. 0 disables it.
        last_resort_bound: Staleness beyond which even those do not serve; ``None``: no limit.
        max_waiters_per_replica: Readers that may wait on one replica at a time; further ones read from the source.
    """

    staleness_bound: float = 2.0
    causal_wait_timeout: float = 0.5
    on_causal_timeout: Literal["source", "error"] = "source"
    min_serving_replicas: int = 1
    last_resort_bound: float | None = 60.0
    max_waiters_per_replica: int = 16

    def __post_init__(self) -> None:
        require_number("RoutingPolicy.staleness_bound", self.staleness_bound, 0, above=True)
        require_number("RoutingPolicy.causal_wait_timeout", self.causal_wait_timeout, 0, above=True)
        if self.on_causal_timeout not in {"source", "error"}:
            raise ConfigurationError(
                f"RoutingPolicy.on_causal_timeout is {self.on_causal_timeout!r}; it must be 'source' or 'error'."
            )
        require_count("RoutingPolicy.min_serving_replicas", self.min_serving_replicas, 0)
        if self.last_resort_bound is not None:
            require_number("RoutingPolicy.last_resort_bound", self.last_resort_bound, self.staleness_bound)
        require_count("RoutingPolicy.max_waiters_per_replica", self.max_waiters_per_replica, 0)


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a circuit breaker opens and closes.

    Args:
        failures_to_open: Consecutive connection failures that open it.
        first_delay: Pause before the first probe; doubles with each failure.
        max_delay: Upper limit of the pause. A server that recovered, even the source, may go unnoticed this long.
        good_samples_to_close: Consecutive successful probes, sent after the pause, that close it.
        calm_after: Time without failures after which the next pause is ``first_delay`` again.
    """

    failures_to_open: int = 3
    first_delay: float = 0.5
    max_delay: float = 2.0
    good_samples_to_close: int = 2
    calm_after: float = 60.0

    def __post_init__(self) -> None:
        require_count("BreakerPolicy.failures_to_open", self.failures_to_open, 1)
        require_number("BreakerPolicy.first_delay", self.first_delay, 0, above=True)
        require_number("BreakerPolicy.max_delay", self.max_delay, self.first_delay)
        require_count("BreakerPolicy.good_samples_to_close", self.good_samples_to_close, 1)
        require_number("BreakerPolicy.calm_after", self.calm_after, 0)


@dataclass(frozen=True, slots=True)
class MonitorPolicy:
    """How the monitor probes servers.

    Args:
        poll_interval: Pause between two rounds.
        connect_timeout: For a connection of the monitor.
        read_timeout: For an answer to the monitor.
        history: Number of distinct positions of the source that are kept to measure staleness.
        breaker: See `BreakerPolicy`.
    """

    poll_interval: float = 0.2
    connect_timeout: float = 1.0
    read_timeout: float = 1.0
    history: int = 600
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    def __post_init__(self) -> None:
        require_number("MonitorPolicy.poll_interval", self.poll_interval, 0, above=True)
        require_number("MonitorPolicy.connect_timeout", self.connect_timeout, 0, above=True)
        require_number("MonitorPolicy.read_timeout", self.read_timeout, 0, above=True)
        require_count("MonitorPolicy.history", self.history, 8)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that signs causal tokens, the same on every instance. ``repr`` hides the secret.

    Args:
        key_id: Part of the token, in clear text; change it together with the secret.
        secret: At least 16 unpredictable bytes.
    """

    key_id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", self.key_id):
            raise ConfigurationError(f"TokenKey.key_id is {self.key_id!r}; use 1 to 16 letters, digits, '_' or '-'.")
        if len(self.secret) < MIN_SECRET_BYTES:
            raise ConfigurationError(
                f"TokenKey.secret of {self.key_id} is too short; give at least {MIN_SECRET_BYTES} random bytes."
            )


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """How causal tokens are signed and limited.

    Args:
        keys: The first one signs, all are accepted. To rotate: append the new key on every instance, then move it to the front,
            and remove the old one after ``max_age``.
        max_bytes: Maximum length of a token, at most 4000 (a cookie). Instead of a longer one, a token is issued that sends its
            reader to the source.
        max_age: An older token is rejected; its reader goes to the source once.
    """

    keys: tuple[TokenKey, ...]
    max_bytes: int = 1024
    max_age: float = 86_400.0

    def __post_init__(self) -> None:
        if not self.keys:
            raise ConfigurationError("TokenPolicy.keys is empty; give at least one key.")
        if len({key.key_id for key in self.keys}) != len(self.keys):
            raise ConfigurationError("TokenPolicy.keys holds two keys with one key_id; give each its own.")
        require_count("TokenPolicy.max_bytes", self.max_bytes, 256)
        if self.max_bytes > MAX_TOKEN_BYTES:
            raise ConfigurationError(
                f"TokenPolicy.max_bytes is {self.max_bytes}; a cookie holds at most {MAX_TOKEN_BYTES}."
            )
        require_number("TokenPolicy.max_age", self.max_age, 1)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a unit of work is run again if it was certainly not committed.

    Args:
        attempts: Maximum number of runs, including the first.
        first_delay: Pause before the second run; doubles with each run.
        max_delay: Upper limit of the pause.
        switchover_timeout: How long a write waits for the next source after the present one became read-only, as in a planned
            switchover. Writes do not wait for a source that is gone.
    """

    attempts: int = 4
    first_delay: float = 0.02
    max_delay: float = 1.0
    switchover_timeout: float = 2.0

    def __post_init__(self) -> None:
        require_count("RetryPolicy.attempts", self.attempts, 1)
        require_number("RetryPolicy.first_delay", self.first_delay, 0)
        require_number("RetryPolicy.max_delay", self.max_delay, self.first_delay)
        require_number("RetryPolicy.switchover_timeout", self.switchover_timeout, 0)

    def delay(self, failed_runs: int, jitter: float) -> float:
        """Return the seconds to pause after ``failed_runs`` runs (1 or more).

        The delay doubles with each run; ``jitter`` (0 to 1) scales it to between half and all of that.
        """
        doubled: float = self.first_delay * 2.0 ** min(failed_runs - 1, 32)
        return min(doubled, self.max_delay) * (0.5 + jitter / 2)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of a pool and its connections, in seconds unless noted.

    Args:
        pool_size: Connections that are kept; at least the number of threads that use the pool at once. The same number may be
            opened on top for a moment.
        pool_timeout: Maximum wait for a connection of the pool.
        connect_timeout: For the TCP connection, and again for each answer until the login is complete.
        read_timeout: For the next bytes of an answer. Lock waits are a little shorter, so that the server answers first.
        write_timeout: For sending a statement.
        statement_timeout: Maximum duration of a ``SELECT``, measured by the server until the last row is read; ``None``: no
            limit.
        recycle: Age at which a connection is replaced at its next use.
        ping_after: Idle time after which a connection is pinged before its use.
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
    """How connections are encrypted and servers verified.

    Args:
        ca_file: CA certificates (PEM) of the servers. ``None``: traffic is encrypted, but no server is verified.
        verify_host: Also compare the host with the server's certificate. Certificates that MySQL generates contain no host.
    """

    ca_file: str | Path | None = None
    verify_host: bool = False

    def __post_init__(self) -> None:
        if self.verify_host and self.ca_file is None:
            raise ConfigurationError("TlsPolicy.verify_host needs a ca_file: without one no certificate is verified.")


__all__ = [
    "BreakerPolicy",
    "ClusterConfig",
    "ConnectionLimits",
    "Credentials",
    "Isolation",
    "MonitorPolicy",
    "RetryPolicy",
    "RoutingPolicy",
    "Server",
    "TlsPolicy",
    "TokenKey",
    "TokenPolicy",
]

Isolation = Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
"""Isolation level of a transaction, as SQLAlchemy spells it."""

MYSQL_PORT = 3306
MAX_PORT = 65535

_URL_FORM = "mysql+pymysql://user:password@host:3306/database"
_HOST = re.compile(r"[^\s/@?#]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def require_name(field_name: str, value: str) -> None:
    """Raise unless a name has 1 to 64 letters, digits, ``_``, ``.`` or ``-``, starting with a letter or digit."""
    if not _NAME.fullmatch(value):
        raise ConfigurationError(
            f"{field_name} is {value!r}; use 1 to 64 letters, digits, '_', '.' or '-', beginning with a letter or digit."
        )


@dataclass(frozen=True, slots=True)
class Server:
    """One MySQL server of the cluster. The source is detected, not configured.

    Args:
        name: Its name in status, metrics and errors; unique in the cluster.
        host: Name or address.
        port: TCP port.
        weight: Share of the reads relative to the other replicas; above 0.
    """

    name: str
    host: str
    port: int = MYSQL_PORT
    weight: float = 1.0

    def __post_init__(self) -> None:
        require_name("Server.name", self.name)
        if not _HOST.fullmatch(self.host):
            raise ConfigurationError(f"Server.host of {self.name} is {self.host!r}; give a host name or address alone.")
        require_count(f"Server.port of {self.name}", self.port, 1)
        if self.port > MAX_PORT:
            raise ConfigurationError(f"Server.port of {self.name} is {self.port}; ports end at {MAX_PORT}.")
        require_number(f"Server.weight of {self.name}", self.weight, 0, above=True)

    @classmethod
    def from_url(cls, url: str, name: str = "", weight: float = 1.0) -> "Server":
        """Return the server of a database URL; account, database and options in it are ignored.

        Args:
            url: For example ``mysql+pymysql://user:password@db1:3306/inventory``.
            name: ``host-port`` by default.
            weight: See `Server`.

        Raises:
            ConfigurationError: The URL is not a MySQL URL with a host. The message never shows it, as it contains a password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise ConfigurationError(f"A server's URL cannot be read; its form is {_URL_FORM}.") from None
        if not parts.scheme.startswith("mysql") or not host:
            raise ConfigurationError(f"A server's URL must have the form {_URL_FORM}.")
        port = MYSQL_PORT if port is None else port
        return cls(name or re.sub(r"[^A-Za-z0-9_.-]", "-", f"{host}-{port}").lstrip("_.-"), host, port, weight)

    @property
    def address(self) -> str:
        """``host:port``, as messages show it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account on the servers. ``repr`` hides the password."""

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.user:
            raise ConfigurationError("Credentials.user is empty; name the account.")


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """A whole cluster.

    Args:
        cluster_id: Part of every causal token; tokens of other clusters are rejected.
        servers: All servers, source and replicas, in any order; names and addresses are unique.
        database: Default schema of the application.
        app: Account of the application.
        tokens: See `TokenPolicy`.
        monitor_account: Account of the monitor; by default that of the application.
        routing: See `RoutingPolicy`.
        monitor: See `MonitorPolicy`.
        retry: See `RetryPolicy`.
        limits: See `ConnectionLimits`.
        tls: See `TlsPolicy`; ``None`` connects without TLS.
        isolation: Isolation level of writes. With ``READ COMMITTED`` a unit sees what others committed before it got its locks,
            and locks no gaps. Readers always use ``REPEATABLE READ``.
    """

    cluster_id: str
    servers: tuple[Server, ...]
    database: str
    app: Credentials
    tokens: TokenPolicy
    monitor_account: Credentials | None = None
    routing: RoutingPolicy = field(default_factory=RoutingPolicy)
    monitor: MonitorPolicy = field(default_factory=MonitorPolicy)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    tls: TlsPolicy | None = field(default_factory=TlsPolicy)
    isolation: Isolation = "READ COMMITTED"

    def __post_init__(self) -> None:
        require_name("ClusterConfig.cluster_id", self.cluster_id)
        if not self.servers:
            raise ConfigurationError("ClusterConfig.servers is empty; name at least the source.")
        named = {server.name for server in self.servers}
        placed = {server.address for server in self.servers}
        if min(len(named), len(placed)) < len(self.servers):
            listed = ", ".join(f"{server.name} ({server.address})" for server in self.servers)
            raise ConfigurationError(
                f"ClusterConfig.servers has a name or address twice: {listed}. List each server once."
            )
        if not self.database:
            raise ConfigurationError("ClusterConfig.database is empty; name the schema of the application.")
        if self.isolation not in get_args(Isolation):
            levels = ", ".join(get_args(Isolation))
            raise ConfigurationError(f"ClusterConfig.isolation is {self.isolation!r}; it must be one of {levels}.")

    def server(self, name: str) -> Server:
        """Return the server of that name.

        Raises:
            ConfigurationError: There is none; the message lists the names.
        """
        for server in self.servers:
            if server.name == name:
                return server
        names = ", ".join(server.name for server in self.servers)
        raise ConfigurationError(f"There is no server {name!r}; the servers are {names}.")
