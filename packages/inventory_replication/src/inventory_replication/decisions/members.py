"""What a server is found to be, and the snapshot of all of them."""

from dataclasses import dataclass, field
from enum import StrEnum

from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.decisions.source_record import SourceRecord


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
        mode: See `Mode`.
        cause: Why there is this source, or none.
        reason: The same as one line for people, with what to do.
        taken_at: Monotonic time of the round.
        lineage: For the next round.
    """

    epoch: int
    members: tuple[Member, ...]
    mode: Mode
    cause: Cause
    reason: str
    taken_at: float
    lineage: Lineage = field(default_factory=Lineage)

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
