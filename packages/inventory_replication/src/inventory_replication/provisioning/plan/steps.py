"""What provisioning can do, one value per step: on which server, what, and why. `apply` executes them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from inventory_replication.config import Credentials
from inventory_replication.decisions.snapshot import SourceRecord
from inventory_replication.provisioning.plan.desired_state import Right


@dataclass(frozen=True, slots=True)
class Step:
    """A change of one server.

    Args:
        server: Its name.
        code: Code of the finding that the step fixes, a key of ``CHECKS``.
        why: What is wrong now; follows the server's name in messages.
    """

    server: str
    code: str
    why: str

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{self.server}: {self.does} ({self.why})"

    def as_json(self) -> dict[str, str]:
        """Return the step for ``--json``."""
        return {"server": self.server, "step": type(self).__name__, "does": self.does, "why": self.why}


@dataclass(frozen=True, slots=True)
class CreateSchema(Step):
    """Create the schema of the application."""

    schema: str

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return f"create the schema {self.schema}"


@dataclass(frozen=True, slots=True)
class CreateAccount(Step):
    """Create an account without privileges."""

    account: Credentials = field(repr=False)
    tls: bool

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return f"create the account {self.account.user}"


@dataclass(frozen=True, slots=True)
class SecureAccount(Step):
    """Set the desired password of an account and, with TLS, require encrypted connections."""

    account: Credentials = field(repr=False)
    tls: bool

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return f"set the password of the account {self.account.user}{', to be used over TLS only' if self.tls else ''}"


@dataclass(frozen=True, slots=True)
class GrantRights(Step):
    """Grant an account the privileges that it lacks."""

    user: str
    rights: frozenset[Right]

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return f"grant {self.user} {format_rights(self.rights)}"


@dataclass(frozen=True, slots=True)
class RevokeRights(Step):
    """Revoke privileges that the role of an account does not need."""

    user: str
    rights: frozenset[Right]

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return f"revoke from {self.user} {format_rights(self.rights)}"


@dataclass(frozen=True, slots=True)
class SetReadOnly(Step):
    """Make a server refuse writes, now and after each restart; or accept them until its next restart."""

    on: bool

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return f"set super_read_only={'ON and keep it over restarts' if self.on else 'OFF until its next restart'}"


@dataclass(frozen=True, slots=True)
class RefuseWritesAtStart(Step):
    """Make a writable server refuse writes after each restart, until it is proved to be the source still."""

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return "set super_read_only=ON from its next restart on"


@dataclass(frozen=True, slots=True)
class RecordSource(Step):
    """Record the source in the database and in the file of the command."""

    record: SourceRecord

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return f"record it as the source with epoch {self.record.epoch}"


@dataclass(frozen=True, slots=True)
class PersistSetting(Step):
    """Set a global variable for each restart and, if possible (`now`), immediately."""

    variable: str
    value: str
    now: bool

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return f"set {self.variable}={self.value}{'' if self.now else ' from its next restart on'}"


@dataclass(frozen=True, slots=True)
class EmptyNewServer(Step):
    """Drop empty schemas of a new server, which its source will create again, and the GTIDs of its initialisation."""

    schemas: tuple[str, ...]

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        dropped = f"drop the empty schemas {', '.join(self.schemas)} and " if self.schemas else ""
        return f"{dropped}forget its own GTIDs"


@dataclass(frozen=True, slots=True)
class InstallClone(Step):
    """Load the clone plugin."""

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return "load the clone plugin"


@dataclass(frozen=True, slots=True)
class Clone(Step):
    """Replace everything on the server by a copy of the donor; the server restarts."""

    donor: str

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return f"copy everything from {self.donor} with the CLONE plugin and restart"


@dataclass(frozen=True, slots=True)
class Follow(Step):
    """Follow the source by GTID auto-position."""

    source: str

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return f"follow {self.source} by GTID auto-position"


@dataclass(frozen=True, slots=True)
class StartReplica(Step):
    """Start receiver and applier."""

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return "start replication"


@dataclass(frozen=True, slots=True)
class ForgetSource(Step):
    """Stop following and delete the channel."""

    @property
    def does(self) -> str:
        """The change, in the imperative."""
        return "stop following and forget the channel"


def format_rights(rights: Iterable[Right]) -> str:
    """Return privileges as text, grouped by schema and table."""
    places: dict[tuple[str, str], list[str]] = {}
    for right in sorted(rights):
        places.setdefault((right.schema, right.table), []).append(right.privilege)
    return "; ".join(
        f"{', '.join(names)} on {schema or '*'}.{table or '*'}" for (schema, table), names in places.items()
    )
