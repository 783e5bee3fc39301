"""Causal tokens: what a reader has written, and therefore must see."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from inventory_replication.decisions.gtid import EMPTY, GtidSet
from inventory_replication.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class CausalToken:
    """The commits that a read must not miss. Immutable.

    Args:
        cluster: Identity of the cluster that the commits were made on.
        gtids: Their GTIDs.
        unknown: There is a commit whose GTID was not seen: only the source is known to have it.
        issued_at: When the last commit was added, in whole seconds since 1970 UTC. It lets old tokens lapse, nothing else.
    """

    cluster: str
    gtids: GtidSet = EMPTY
    unknown: bool = False
    issued_at: int = 0

    @property
    def asks_nothing(self) -> bool:
        """Whether any state satisfies it."""
        return not self.unknown and self.gtids.is_empty()

    def with_commit(self, gtids: GtidSet, utc_now: float) -> "CausalToken":
        """Add the GTIDs that a commit reported. Empty for a commit that changed nothing, which leaves the token as it is."""
        if gtids.is_empty():
            return self
        return replace(self, gtids=self.gtids | gtids, issued_at=max(self.issued_at, int(utc_now)))

    def with_unknown_commit(self, utc_now: float) -> "CausalToken":
        """Note that something was, or may have been, committed whose GTID is not known."""
        return replace(self, unknown=True, issued_at=max(self.issued_at, int(utc_now)))

    def merged(self, other: "CausalToken") -> "CausalToken":
        """What both ask for together.

        Raises:
            ConfigurationError: They are of different clusters.
        """
        if other.cluster != self.cluster:
            raise ConfigurationError(
                f"A causal token of {other.cluster!r} cannot be joined with one of {self.cluster!r}."
            )
        return CausalToken(
            self.cluster,
            self.gtids | other.gtids,
            unknown=self.unknown or other.unknown,
            issued_at=max(self.issued_at, other.issued_at),
        )

    def pruned(self, replicas: Iterable[GtidSet | None]) -> "CausalToken":
        """Leave out what every replica has already.

        Args:
            replicas: Last known executed set of **every** replica that any instance might read from, those out of service
                included, because they come back; ``None`` for one of which nothing is known, which keeps everything. The
                source has what it committed and need not be named. Without a replica everything goes.
        """
        everywhere = self.gtids
        for executed in replicas:
            everywhere = everywhere & (executed or EMPTY)
            if everywhere.is_empty():
                return self
        return replace(self, gtids=self.gtids - everywhere)

    def without_holes(self, executed: GtidSet) -> "CausalToken":
        """Fill the holes between own commits with commits of others, so that the text stays short.

        A server that has the last of a series has, as a rule, the ones before it too, so that nobody waits for longer.

        Args:
            executed: What the source is known to have. Only this is filled in: a number that was never used would be waited for
                without end.
        """
        return replace(self, gtids=self.gtids.without_holes(executed))

    def without(self, lost: GtidSet) -> "CausalToken":
        """Give up transactions that went down with a former source. To be used after the loss was reported, not to get by."""
        return replace(self, gtids=self.gtids - lost)

    def resolved(self, source_executed: GtidSet) -> "CausalToken":
        """Make a known token of an unknown one.

        Args:
            source_executed: Executed set of the source, read **from the source after** the unknown commit. It asks for
                more than needed, which costs time and never truth.
        """
        return replace(self, gtids=self.gtids | source_executed, unknown=False) if self.unknown else self
