"""Whose reads under way are to be cut off, because nothing will come there while somebody else could answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from inventory_replication.decisions.breaker import Breaker
from inventory_replication.decisions.routing_table import RoutingTable

MIN_MISSED_PROBES: Final = 2
"""A single question without an answer may be the fault of a busy machine; a breaker that opens at the first one changes nothing
about that."""


@dataclass(frozen=True, slots=True)
class MissedProbes:
    """The monitor's questions to one server that nobody answered, in a row. Times are monotonic seconds.

    Args:
        count: How many.
        since: When the last but one was sent, or the only one: whoever has heard of the server after that has heard something newer
            than this silence.
        last: When the last one was sent.
    """

    count: int = 0
    since: float = inf
    last: float = inf

    def after(self, probed_at: float, *, answered: bool) -> "MissedProbes":
        """The next one, after a question that was sent then; a refusal is an answer too."""
        if answered:
            return NONE_MISSED
        return MissedProbes(self.count + 1, self.last if self.count else probed_at, probed_at)


NONE_MISSED: Final = MissedProbes()
"""The server has answered."""


def find_unresponsive(
    missed: Mapping[str, MissedProbes], breakers: Mapping[str, Breaker], table: RoutingTable
) -> dict[str, float]:
    """The servers on which a reader waits in vain, and the time: whoever has heard nothing since then is to wait no longer.

    Only replicas whose breaker is open and that left several questions unanswered in a row; never the source, nor a former one that
    has not been seen as a replica since. While no other server can be read the wait may still end well. Not if all of several
    servers are silent: then this process is most likely cut off, and a client that is refused at once can go to another one.

    Args:
        missed: By server; one without an entry has answered.
        breakers: By server.
        table: What is known now; it holds no server whose breaker is open.
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
