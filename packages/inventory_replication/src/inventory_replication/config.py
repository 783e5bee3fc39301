"""What an operator decides: servers, accounts and policies, as frozen values that are checked when they are built.

Nothing here reads the environment or a file. A wrong value raises `ConfigurationError` that names the field.
"""

import re
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import urlsplit

from inventory_replication.connections import ConnectionLimits, TlsPolicy
from inventory_replication.errors import ConfigurationError
from inventory_replication.policies import (
    BreakerPolicy,
    MonitorPolicy,
    RetryPolicy,
    RoutingPolicy,
    TokenKey,
    TokenPolicy,
    require_count,
    require_number,
)

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
"""Isolation level of a transaction, as SQLAlchemy writes it."""

MYSQL_PORT = 3306
LAST_PORT = 65535

_URL_FORM = "mysql+pymysql://user:password@host:3306/database"
_HOST = re.compile(r"[^\s/@?#]+")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def require_name(field_name: str, value: str) -> None:
    """Refuse a name that is not 1 to 64 letters, digits, ``_``, ``.`` or ``-``, beginning with a letter or digit."""
    if not _NAME.fullmatch(value):
        raise ConfigurationError(
            f"{field_name} is {value!r}; use 1 to 64 letters, digits, '_', '.' or '-', beginning with a letter or digit."
        )


@dataclass(frozen=True, slots=True)
class Server:
    """One MySQL server of the cluster. Which one is the source is found out, not configured.

    Args:
        name: How status, metrics and errors call it; unique in the cluster.
        host: Name or address.
        port: TCP port.
        weight: Share of the reads against the other replicas; above 0.
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
        if self.port > LAST_PORT:
            raise ConfigurationError(f"Server.port of {self.name} is {self.port}; ports end at {LAST_PORT}.")
        require_number(f"Server.weight of {self.name}", self.weight, 0, above=True)

    @classmethod
    def from_url(cls, url: str, name: str = "", weight: float = 1.0) -> "Server":
        """Host and port of a database URL; account, database and options in it are not used.

        Args:
            url: Such as ``mysql+pymysql://user:password@db1:3306/inventory``.
            name: ``host-port`` where it is left out.
            weight: See `Server`.

        Raises:
            ConfigurationError: It is no MySQL URL with a host. The message never shows the URL, which holds a password.
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
    """An account on the servers. The password is not part of ``repr``."""

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.user:
            raise ConfigurationError("Credentials.user is empty; name the account.")


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """A whole cluster.

    Args:
        cluster_id: Stands in every causal token; a token of another cluster is not believed.
        servers: All servers, source and replicas, in any order; names and addresses are unique.
        database: Default schema of the application.
        app: Account of the application.
        tokens: See `TokenPolicy`.
        monitor_account: Account of the monitor; the application's where it is left out.
        routing: See `RoutingPolicy`.
        monitor: See `MonitorPolicy`.
        retry: See `RetryPolicy`.
        limits: See `ConnectionLimits`.
        tls: See `TlsPolicy`; ``None`` connects without TLS.
        isolation: Of transactions that write. ``READ COMMITTED`` lets a unit see what others stored before it got its locks, and
            locks no gaps. Readers always see one moment (``REPEATABLE READ``).
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
        """The server of that name.

        Raises:
            ConfigurationError: There is none; the message lists the names.
        """
        for server in self.servers:
            if server.name == name:
                return server
        names = ", ".join(server.name for server in self.servers)
        raise ConfigurationError(f"There is no server {name!r}; the servers are {names}.")
