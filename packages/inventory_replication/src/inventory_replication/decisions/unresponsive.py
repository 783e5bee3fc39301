"""Which readers to interrupt: those of unresponsive servers, if another server could serve them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from inventory_replication.decisions.breaker import Breaker
from inventory_replication.decisions.routing_table import RoutingTable

MIN_MISSED_PROBES: Final = 2
"""A single missed probe may be due to a busy machine, even if the breaker opens at the first one."""


@dataclass(frozen=True, slots=True)
class MissedProbes:
    """Consecutive probes that one server did not answer. Times are monotonic seconds.

    Args:
        count: How many.
        since: When the last but one was sent, or the only one. A reader that received something later has newer information than
            the missed probes.
        last: When the last one was sent.
    """

    count: int = 0
    since: float = inf
    last: float = inf

    def after(self, probed_at: float, *, answered: bool) -> "MissedProbes":
        """Return the state after a probe that was sent then; a refusal counts as an answer."""
        if answered:
            return NONE_MISSED
        return MissedProbes(self.count + 1, self.last if self.count else probed_at, probed_at)


NONE_MISSED: Final = MissedProbes()
"""The server has answered."""


def find_unresponsive(
    missed: Mapping[str, MissedProbes], breakers: Mapping[str, Breaker], table: RoutingTable
) -> dict[str, float]:
    """Return the servers whose readers wait in vain, with a time: interrupt readers that received nothing since then.

    Only replicas with an open breaker and several missed probes are returned; never the source, nor a former one that has not
    been seen as a replica since. While no other server can be read, waiting may still succeed, so none is returned, unless all
    of several servers are silent: then this process is most likely isolated, and a client that gets an error can go to another
    instance.

    Args:
        missed: By server; one without an entry has answered.
        breakers: By server.
        table: The current table; it contains no server whose breaker is open.
    """
    silent = {
        member.name: missed[member.name].since
        for member in table.snapshot.members
        if missed.get(member.name, NONE_MISSED).count >= MIN_MISSED_PROBES and not breakers[member.name].admits
    }
    if table.source is None and not table.replicas:
        return silent if len(silent) == len(table.snapshot.members) > 1 else {}
    lineage = table.snapshot.lineage
    sources = lineage.deposed | {lineage.source_uuid, ""}
    replicas = {member.name for member in table.snapshot.members if member.server_uuid not in sources}
    return {name: since for name, since in silent.items() if name in replicas}
