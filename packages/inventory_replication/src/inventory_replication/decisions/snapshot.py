"""What servers reported in one round of the monitor, and the snapshot of the cluster that follows from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from inventory_replication.decisions.gtid import EMPTY, GtidSet

RECORD_SCHEMA: Final = "inventory_replication"
RECORD_TABLE: Final = "source_epoch"


@dataclass(frozen=True, slots=True, order=True)
class SourceRecord:
    """One row.

    Args:
        epoch: Number of the change; grows by one with each.
        server_uuid: Of the server that became the source.
    """

    epoch: int
    server_uuid: str

    def supersedes(self, server_uuid: str, known: "SourceRecord | None") -> bool:
        """Whether a server with this identity, which knows this record as its newest, was replaced and has not noticed."""
        return self.server_uuid != server_uuid and (known is None or known.epoch < self.epoch)


def latest_record(records: Iterable[SourceRecord | None]) -> SourceRecord | None:
    """The record with the highest epoch; ``None`` if there is none."""
    return max((record for record in records if record is not None), default=None)


@dataclass(frozen=True, slots=True)
class ReplicationChannel:
    """One replication channel of a server, from ``performance_schema.replication_*`` or ``SHOW REPLICA STATUS``.

    Args:
        source_uuid: ``server_uuid`` of the server it copies from; empty while it was never connected.
        receiver_running: The receiver is ON (not OFF, not CONNECTING).
        applier_running: Coordinator and workers of the applier are ON.
        name: Empty for the default channel.
        source_address: ``host:port`` it is configured for, for messages.
        receiver_enabled: The receiver is ON or CONNECTING: not switched off, though perhaps without a connection.
        receiver_error: Number and text of its last error, empty where there is none.
        applier_error: Number and text of the applier's last error, empty where there is none.
    """

    source_uuid: str
    receiver_running: bool
    applier_running: bool
    name: str = ""
    source_address: str = ""
    receiver_enabled: bool = True
    receiver_error: str = ""
    applier_error: str = ""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """An answer.

    Args:
        server_uuid: ``@@server_uuid``.
        server_id: ``@@server_id``.
        read_only: ``@@read_only``.
        super_read_only: ``@@super_read_only``.
        gtids_on: ``@@gtid_mode`` is ``ON`` (not ``ON_PERMISSIVE``).
        executed: ``@@gtid_executed``.
        channels: Its replication channels; empty on a server that copies from nobody.
        record: The newest change of the source that is written down on it; ``None``: there is none, or it may not be read.
    """

    server_uuid: str
    server_id: int
    read_only: bool
    super_read_only: bool
    gtids_on: bool
    executed: GtidSet
    channels: tuple[ReplicationChannel, ...] = ()
    record: SourceRecord | None = None

    @property
    def writable(self) -> bool:
        """Whether the server takes writes from an ordinary account."""
        return not (self.read_only or self.super_read_only)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No answer.

    Args:
        why: One line for people.
        alive: The server proved that it lives (wrong password, too many connections, bad certificate): not counted as its death.
    """

    why: str
    alive: bool = False


Answer = ServerFacts | NoAnswer


class Mode(StrEnum):
    """What the cluster can do."""

    NORMAL = "normal"
    """Writes on the source, reads on replicas."""
    SOURCE_ONLY = "source_only"
    """No replica serves: the source does everything."""
    READ_ONLY = "read_only"
    """No source: reads with their staleness, no writes."""
    DOWN = "down"
    """Neither."""


def find_mode(*, has_source: bool, replicas_running: Iterable[bool]) -> Mode:
    """Return what a source and replicas can do together. The only definition of the mode.

    Args:
        has_source: Whether there is a source to be used.
        replicas_running: For each replica to be used, whether its replication runs.
    """
    running = list(replicas_running)
    if has_source:
        return Mode.NORMAL if any(running) else Mode.SOURCE_ONLY
    return Mode.READ_ONLY if running else Mode.DOWN


class MemberState(StrEnum):
    """What one server is good for."""

    SOURCE = "source"
    REPLICA = "replica"
    """Copies from the source, and its replication runs."""
    STALLED = "stalled"
    """A true replica whose replication does not run: its data is right and grows old."""
    UNREACHABLE = "unreachable"
    DEPOSED = "deposed"
    """A former source that was replaced while it was away: it must neither be read nor written."""
    REFUSED = "refused"
    """Answers, but must neither be read nor written; the reason says what to mend."""


class Cause(StrEnum):
    """Why there is this source, or none."""

    PROVED = "proved"
    """Exactly one server is writable, and nothing speaks against it."""
    UNVERIFIED = "unverified"
    """The source lives but did not let the monitor in; no other server is writable."""
    NO_WRITABLE_SERVER = "no_writable_server"
    SPLIT_BRAIN = "split_brain"
    """More than one server is writable, in two rounds one after the other."""
    SUSPECTED = "suspected"
    """More than one was found writable in one round. They are asked one after the other, so a switchover may look like it."""
    DEPOSED = "deposed"
    """The only writable server is a former source that was replaced and never joined its successor."""
    UNSUITABLE = "unsuitable"
    """The only writable server holds other data, has GTIDs off, or shares its identity."""


@dataclass(frozen=True, slots=True)
class Member:
    """One server as it is judged.

    Args:
        name: Its configured name.
        state: See `MemberState`.
        reason: One line for people.
        server_uuid: As it last answered; empty if it never did.
        executed: As it last answered: it has at least this, unless it was rebuilt.
        copies: A channel of it receives or applies, so that transactions of others may still arrive.
    """

    name: str
    state: MemberState
    reason: str
    server_uuid: str = ""
    executed: GtidSet = EMPTY
    copies: bool = False

    @property
    def readable(self) -> bool:
        """Whether it is a replica of this cluster, running or stalled."""
        return self.state in {MemberState.REPLICA, MemberState.STALLED}


@dataclass(frozen=True, slots=True)
class Lineage:
    """What must not be forgotten from one round to the next.

    Args:
        source_uuid: The last server that was proved to be the source.
        executed: What it was last known to have.
        deposed: Former sources that were not yet seen as replicas of a later one.
        lost: Transactions that an earlier source was known to have and the present one has not.
        inherited: What the source before this one was last known to have.
        record: The newest change of the source that any server had written down.
    """

    source_uuid: str = ""
    executed: GtidSet = EMPTY
    deposed: frozenset[str] = frozenset()
    lost: GtidSet = EMPTY
    inherited: GtidSet = EMPTY
    record: SourceRecord | None = None


@dataclass(frozen=True, slots=True)
class TopologySnapshot:
    """All servers as one round of the monitor found them. Immutable.

    Args:
        epoch: Number of source changes: 1 with the first source; grows by one exactly when the source becomes another
            server. A pool belongs to an epoch and is invalidated in the next.
        members: All servers in configured order.
        cause: Why there is this source, or none.
        reason: The same as one line for people, with what to do.
        taken_at: Monotonic time of the round.
        lineage: For the next round.
    """

    epoch: int
    members: tuple[Member, ...]
    cause: Cause
    reason: str
    taken_at: float
    lineage: Lineage = field(default_factory=Lineage)

    @property
    def mode(self) -> Mode:
        """The mode of the servers as they were found. Units of work may use fewer of them: see `RoutingTable.mode`."""
        running = (member.state is MemberState.REPLICA for member in self.replicas)
        return find_mode(has_source=self.source is not None, replicas_running=running)

    @property
    def source(self) -> Member | None:
        """The one server that may be written to."""
        return next((member for member in self.members if member.state is MemberState.SOURCE), None)

    @property
    def replicas(self) -> tuple[Member, ...]:
        """Servers that are replicas of this cluster, running or stalled."""
        return tuple(member for member in self.members if member.readable)

    @property
    def lost(self) -> GtidSet:
        """Transactions that are known to be lost with an earlier source; not empty means an alarm."""
        return self.lineage.lost

    def member(self, name: str) -> Member | None:
        """The member of that name."""
        return next((member for member in self.members if member.name == name), None)

    def prunable_by(self) -> tuple[GtidSet, ...]:
        """Last known sets of all servers but the source, for `CausalToken.pruned`; one that never answered stops the pruning."""
        return tuple(member.executed for member in self.members if member.state is not MemberState.SOURCE)
