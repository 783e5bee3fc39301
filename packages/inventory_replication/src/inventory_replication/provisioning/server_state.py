"""What provisioning knows of one server before it decides anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.snapshot import ServerFacts
from inventory_replication.provisioning.desired_state import Right

MIN_VERSION = (8, 4)
"""Oldest MySQL whose words are used here."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account as a server has it.

    Args:
        requires_tls: It may log in over an encrypted connection only.
        rights: Its privileges, those that it may hand on among them as ``GRANT OPTION``.
        refusal: Why the server does not let it in with the wanted password; empty: it does.
        wrong_password: That is because of the password or of the way in which it is checked.
    """

    requires_tls: bool
    rights: frozenset[Right]
    refusal: str = ""
    wrong_password: bool = False


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """How the channel of a replica is configured."""

    user: str
    encrypted: bool
    ca_file: str
    auto_position: bool
    verify_host: bool = False


@dataclass(frozen=True, slots=True)
class ServerState:
    """One server.

    Args:
        name: Its name in the configuration.
        address: Where we reach it, for messages.
        facts: Identity, position, channels.
        version: Its first two numbers.
        settings: Global variables by name, as text.
        persisted: Those that survive a restart because they were persisted.
        purged: GTIDs that it can no longer send.
        has_first_log: Its oldest binary log is the first that it ever wrote.
        executed_later: Its position, asked when all servers had been asked for everything else.
        objects: ``schema.name`` of every table, view, routine and event outside of the system's schemas.
        schemas: Schemas outside of the system's.
        accounts: The wanted accounts that it has, by user.
        other_accounts: ``user@host`` of all others but those of the system, of root and of the administrator.
        channel: Settings of the default channel, if there is one.
        offers_tls: It takes encrypted connections.
        clone_plugin: The clone plugin is active.
        tracking_fault: Why commits cannot be reported to clients; empty: they can.
        clock_ahead: Seconds by which its clock is ahead of this machine's, 0 if that lies within what the question took.
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
        """Name and address, as messages begin."""
        return f"{self.name} ({self.address})"

    @property
    def is_new(self) -> bool:
        """Whether it holds nothing of a user's and follows nobody; empty schemas do not count."""
        return not self.objects and not self.facts.channels

    def executed(self) -> GtidSet:
        """Its position when it was asked first."""
        return self.facts.executed

    def errant_against(self, source: "ServerState") -> GtidSet:
        """Transactions that it has and the source, asked later, has not."""
        return self.facts.executed - source.executed_later
