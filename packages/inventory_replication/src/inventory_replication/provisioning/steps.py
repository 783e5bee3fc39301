"""What provisioning may do, one value per step: on which server, what, and why. Carrying out is elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from inventory_replication.config import Credentials
from inventory_replication.decisions.snapshot import SourceRecord
from inventory_replication.provisioning.desired_state import Right


@dataclass(frozen=True, slots=True)
class Step:
    """A change of one server.

    Args:
        server: Its name.
        code: Code of the finding that the step mends, a key of ``CHECKS``.
        why: What is wrong now, to be read after the server's name.
    """

    server: str
    code: str
    why: str

    @property
    def does(self) -> str:
        """The change, as an order."""
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{self.server}: {self.does} ({self.why})"

    def as_json(self) -> dict[str, str]:
        """For ``--json``."""
        return {"server": self.server, "step": type(self).__name__, "does": self.does, "why": self.why}


@dataclass(frozen=True, slots=True)
class CreateSchema(Step):
    """Create the schema of the application."""

    schema: str

    @property
    def does(self) -> str:
        """The change, as an order."""
        return f"create the schema {self.schema}"


@dataclass(frozen=True, slots=True)
class CreateAccount(Step):
    """Create an account without any right."""

    account: Credentials = field(repr=False)
    tls: bool

    @property
    def does(self) -> str:
        """The change, as an order."""
        return f"create the account {self.account.user}"


@dataclass(frozen=True, slots=True)
class SecureAccount(Step):
    """Give an account the wanted password and, with TLS, let it in over encrypted connections only."""

    account: Credentials = field(repr=False)
    tls: bool

    @property
    def does(self) -> str:
        """The change, as an order."""
        return f"set the password of the account {self.account.user}{', to be used over TLS only' if self.tls else ''}"


@dataclass(frozen=True, slots=True)
class GrantRights(Step):
    """Give an account what it lacks."""

    user: str
    rights: frozenset[Right]

    @property
    def does(self) -> str:
        """The change, as an order."""
        return f"grant {self.user} {listed(self.rights)}"


@dataclass(frozen=True, slots=True)
class RevokeRights(Step):
    """Take from an account what its role does not need."""

    user: str
    rights: frozenset[Right]

    @property
    def does(self) -> str:
        """The change, as an order."""
        return f"revoke from {self.user} {listed(self.rights)}"


@dataclass(frozen=True, slots=True)
class SetReadOnly(Step):
    """Make a server refuse writes, now and after each restart; or take them until its next restart."""

    on: bool

    @property
    def does(self) -> str:
        """The change, as an order."""
        return f"set super_read_only={'ON and keep it over restarts' if self.on else 'OFF until its next restart'}"


@dataclass(frozen=True, slots=True)
class RefuseWritesAtStart(Step):
    """Make a server that takes writes refuse them after each restart, until it is proved to be the source still."""

    @property
    def does(self) -> str:
        """The change, as an order."""
        return "set super_read_only=ON from its next restart on"


@dataclass(frozen=True, slots=True)
class RecordSource(Step):
    """Write down, in the database and in the file of the command, who is the source."""

    record: SourceRecord

    @property
    def does(self) -> str:
        """The change, as an order."""
        return f"record it as the source with epoch {self.record.epoch}"


@dataclass(frozen=True, slots=True)
class PersistSetting(Step):
    """Set a global variable, now where that is possible (`now`), and for each restart."""

    variable: str
    value: str
    now: bool

    @property
    def does(self) -> str:
        """The change, as an order."""
        return f"set {self.variable}={self.value}{'' if self.now else ' from its next restart on'}"


@dataclass(frozen=True, slots=True)
class EmptyNewServer(Step):
    """Drop empty schemas of a new server, which its source will create again, and forget the GTIDs of its initialisation."""

    schemas: tuple[str, ...]

    @property
    def does(self) -> str:
        """The change, as an order."""
        dropped = f"drop the empty schemas {', '.join(self.schemas)} and " if self.schemas else ""
        return f"{dropped}forget its own GTIDs"


@dataclass(frozen=True, slots=True)
class InstallClone(Step):
    """Load the clone plugin."""

    @property
    def does(self) -> str:
        """The change, as an order."""
        return "load the clone plugin"


@dataclass(frozen=True, slots=True)
class Clone(Step):
    """Replace all that the server holds by a copy of the donor; it restarts by that."""

    donor: str

    @property
    def does(self) -> str:
        """The change, as an order."""
        return f"copy everything from {self.donor} with the CLONE plugin and restart"


@dataclass(frozen=True, slots=True)
class Follow(Step):
    """Follow the source by GTID auto-position."""

    source: str

    @property
    def does(self) -> str:
        """The change, as an order."""
        return f"follow {self.source} by GTID auto-position"


@dataclass(frozen=True, slots=True)
class StartReplica(Step):
    """Start receiver and applier."""

    @property
    def does(self) -> str:
        """The change, as an order."""
        return "start replication"


@dataclass(frozen=True, slots=True)
class ForgetSource(Step):
    """Stop following and forget whom."""

    @property
    def does(self) -> str:
        """The change, as an order."""
        return "stop following and forget the channel"


def listed(rights: Iterable[Right]) -> str:
    """Rights in words, those on one place together."""
    places: dict[tuple[str, str], list[str]] = {}
    for right in sorted(rights):
        places.setdefault((right.schema, right.table), []).append(right.privilege)
    return "; ".join(
        f"{', '.join(names)} on {schema or '*'}.{table or '*'}" for (schema, table), names in places.items()
    )
