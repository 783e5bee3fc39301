"""The desired state of a source and its replicas: servers, schema, accounts with their privileges, encryption."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from inventory_replication.config import Credentials, Server
from inventory_replication.decisions.snapshot import RECORD_SCHEMA, RECORD_TABLE, SourceRecord
from inventory_replication.errors import ConfigurationError

SCHEMA_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")

MONITOR_TABLES = (
    "global_status",
    "replication_applier_status",
    "replication_applier_status_by_coordinator",
    "replication_applier_status_by_worker",
    "replication_connection_configuration",
    "replication_connection_status",
)
"""Tables of ``performance_schema`` that the monitor reads."""


class Role(StrEnum):
    """The purpose of an account. The value is also its default name."""

    APP = "app"
    """Reads and changes rows."""
    MIGRATOR = "migrator"
    """Changes tables as well."""
    MONITOR = "monitor"
    """Queries the positions of servers."""
    REPLICATION = "replication"
    """Logs replicas in on their source."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One privilege: global, on a schema, or on a table."""

    privilege: str
    schema: str = ""
    table: str = ""

    def __str__(self) -> str:
        return f"{self.privilege} on {self.schema or '*'}.{self.table or '*'}"


@dataclass(frozen=True, slots=True)
class Account:
    """A managed account. It has exactly the privileges of its role, from any host."""

    role: Role
    credentials: Credentials

    @property
    def user(self) -> str:
        """Its name."""
        return self.credentials.user


@dataclass(frozen=True, slots=True)
class DesiredState:
    """The desired state.

    Args:
        servers: All of them. The first becomes the source if all servers are new.
        database: Schema of the application.
        accounts: Managed accounts; must include the replication account to provision or to switch over.
        peers: Host and port at which the other servers reach a server, if different from its own address.
        tls: Connections are encrypted and accounts require it. Without it, replicas fetch the source's public key to log in.
        source_ca: Path, on the replicas, of the CA certificates of the source; empty: encrypted, not verified.
        source_verify_host: Replicas also compare the source's certificate with the host at which they reach it.
        source: Name of the source of new servers; empty: the first one, or the one with data.
        rebuild: Replicas whose content may be discarded and copied again from the source.
        updatable_tables: Tables whose rows the application may change and delete; in all others it only reads and inserts rows.
            They need not exist yet. Empty: all tables.
        remembered: The source that this command last recorded; ``None``: it remembers nothing.
    """

    servers: tuple[Server, ...]
    database: str
    accounts: tuple[Account, ...]
    peers: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    tls: bool = True
    source_ca: str = ""
    source_verify_host: bool = False
    source: str = ""
    rebuild: frozenset[str] = frozenset()
    updatable_tables: frozenset[str] = frozenset()
    remembered: SourceRecord | None = None

    def __post_init__(self) -> None:
        names = [server.name for server in self.servers]
        if not names:
            raise ConfigurationError("There is no server: name each one as name=host:port.")
        addresses = {server.address for server in self.servers}
        if min(len(set(names)), len(addresses)) < len(names):
            raise ConfigurationError("A server's name or address occurs twice; list each server once.")
        for called in ({self.source} - {""}) | self.rebuild | set(self.peers):
            self.require(called)
        if not SCHEMA_NAME.fullmatch(self.database):
            raise ConfigurationError(f"The database is {self.database!r}; use 1 to 64 letters, digits or '_'.")
        if self.source_verify_host and not self.source_ca:
            raise ConfigurationError(
                "source_verify_host needs source_ca: without one no certificate is verified at all."
            )
        for table in self.updatable_tables:
            if not SCHEMA_NAME.fullmatch(table):
                raise ConfigurationError(f"{table!r} is not a table's name; use 1 to 64 letters, digits or '_'.")
        users = [account.user for account in self.accounts]
        if len(set(users)) < len(users):
            raise ConfigurationError(f"Each role needs a separate account; configured are {', '.join(users)}.")

    def require(self, name: str) -> None:
        """Raise unless there is a server of that name.

        Raises:
            ConfigurationError: The message lists the names.
        """
        names = [server.name for server in self.servers]
        if name not in names:
            raise ConfigurationError(f"There is no server {name!r}; the servers are {', '.join(names)}.")

    def without(self, names: set[str]) -> Self:
        """Return the desired state without these servers.

        Raises:
            ConfigurationError: None is left.
        """
        return replace(
            self,
            servers=tuple(server for server in self.servers if server.name not in names),
            peers={name: address for name, address in self.peers.items() if name not in names},
            source="" if self.source in names else self.source,
            rebuild=self.rebuild - names,
        )

    def peer(self, name: str) -> tuple[str, int]:
        """Return host and port at which the other servers reach this one."""
        server = next(server for server in self.servers if server.name == name)
        return self.peers.get(name, (server.host, server.port))

    def replication(self) -> Credentials:
        """Return the account for replicas.

        Raises:
            ConfigurationError: None is given.
        """
        for account in self.accounts:
            if account.role is Role.REPLICATION:
                return account.credentials
        raise ConfigurationError("The password of the replication account is missing.")


def rights_of(role: Role, database: str, updatable_tables: frozenset[str] = frozenset()) -> frozenset[Right]:
    """Return the least privileges that the role needs."""
    additions, changes = {"SELECT", "INSERT"}, {"UPDATE", "DELETE"}
    tables = {"CREATE", "ALTER", "DROP", "INDEX", "REFERENCES", "TRIGGER"}
    match role:
        case Role.APP:
            places = updatable_tables or {""}
            updates = {Right(privilege, database, table) for privilege in changes for table in places}
            return frozenset({Right(privilege, database) for privilege in additions} | updates)
        case Role.MIGRATOR:
            return frozenset(Right(privilege, database) for privilege in additions | changes | tables)
        case Role.MONITOR:
            reads = {Right("SELECT", "performance_schema", table) for table in MONITOR_TABLES}
            record = Right("SELECT", RECORD_SCHEMA, RECORD_TABLE)
            return frozenset(reads | {Right("REPLICATION CLIENT"), record})
        case Role.REPLICATION:
            return frozenset({Right("REPLICATION SLAVE")})
