"""The state of one server, as provisioning knows it before it decides anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.snapshot import ServerFacts
from inventory_replication.provisioning.plan.desired_state import Right

MIN_VERSION = (8, 4)
"""Oldest supported MySQL."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account as a server has it.

    Args:
        requires_tls: It may log in over encrypted connections only.
        rights: Its privileges, including those that it may grant, as ``GRANT OPTION``.
        refusal: Why the server refuses it with the desired password; empty if it does not.
        wrong_password: Because of the password or its plugin.
    """

    requires_tls: bool
    rights: frozenset[Right]
    refusal: str = ""
    wrong_password: bool = False


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """Settings of a replica's channel."""

    user: str
    encrypted: bool
    ca_file: str
    auto_position: bool
    verify_host: bool = False


@dataclass(frozen=True, slots=True)
class ServerState:
    """One server.

    Args:
        name: Its configured name.
        address: Its address from here, for messages.
        facts: Identity, position, channels.
        version: Its first two numbers.
        settings: Global variables by name, as text.
        persisted: Persisted variables, which survive a restart.
        purged: GTIDs that it can no longer send.
        has_first_log: Its oldest binary log is the first that it ever wrote.
        executed_later: Its position, queried after everything else was queried on all servers.
        objects: ``schema.name`` of every table, view, routine and event outside of the system schemas.
        schemas: Schemas other than the system's.
        accounts: The desired accounts that it has, by user.
        other_accounts: ``user@host`` of all others except those of the system, root and the administrator.
        channel: Settings of the default channel, if there is one.
        offers_tls: It accepts encrypted connections.
        clone_plugin: The clone plugin is active.
        tracking_fault: Why commits cannot be reported to clients; empty if they can.
        clock_ahead: Seconds by which its clock is ahead of this machine's; 0 if the duration of the query could explain it.
    """

    name: str
    address: str
    facts: ServerFacts
    version: tuple[int, int]
    settings: Mapping[str, str]
    persisted: Mapping[str, str] = field(default_factory=dict)
    purged: GtidSet = EMPTY
    has_first_log: bool = True
    executed_later: GtidSet = EMPTY
    objects: frozenset[str] = frozenset()
    schemas: frozenset[str] = frozenset()
    accounts: Mapping[str, AccountFacts] = field(default_factory=dict)
    other_accounts: frozenset[str] = frozenset()
    channel: ChannelSettings | None = None
    offers_tls: bool = True
    clone_plugin: bool = False
    tracking_fault: str = ""
    clock_ahead: float = 0.0

    @property
    def label(self) -> str:
        """Name and address, the beginning of messages."""
        return f"{self.name} ({self.address})"

    @property
    def is_new(self) -> bool:
        """Whether it has no user data and follows no server; empty schemas do not count."""
        return not self.objects and not self.facts.channels

    def executed(self) -> GtidSet:
        """Return its position at the first query."""
        return self.facts.executed

    def errant_against(self, source: "ServerState") -> GtidSet:
        """Return its transactions that the source, queried later, does not have."""
        return self.facts.executed - source.executed_later
