"""States of a cluster that the tests of the router choose from."""

from collections.abc import Mapping

from inventory_replication.config import BreakerPolicy, RoutingPolicy
from inventory_replication.decisions.breaker import Breaker
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.routing import (
    ReadRequirements,
    RouteDecision,
    choose_reader,
)
from inventory_replication.decisions.routing_table import RoutingTable, ServerLoad, build_routing_table
from inventory_replication.decisions.snapshot import Answer, NoAnswer, ReplicationChannel, ServerFacts, TopologySnapshot
from inventory_replication.decisions.staleness import Freshness
from inventory_replication.decisions.topology import decide_topology

NOW = 1_000.0
U1, U2, U3, U4 = (f"{n}0000000-0000-11f0-8000-000000000000" for n in "1234")
UUIDS = {"db1": U1, "db2": U2, "db3": U3, "db4": U4}
GONE = NoAnswer("connection refused")
OPEN = Breaker().after_failure(NOW, 0.0, BreakerPolicy(failures_to_open=1))
POLICY = RoutingPolicy()


ANYTHING = ReadRequirements()


def upto(number: int) -> GtidSet:
    return GtidSet.of(U1, 1, number)


def source(executed: GtidSet) -> ServerFacts:
    return ServerFacts(U1, 1, read_only=False, super_read_only=False, gtids_on=True, executed=executed)


def replica(name: str, executed: GtidSet, *, running: bool = True, of: str = U1) -> ServerFacts:
    channel = ReplicationChannel(of, receiver_running=True, applier_running=running)
    return ServerFacts(UUIDS[name], int(name[-1]), True, True, True, executed, (channel,))


def table(
    answers: Mapping[str, Answer],
    stale: Mapping[str, float],
    policy: RoutingPolicy = POLICY,
    *,
    previous: TopologySnapshot | None = None,
    lag: Mapping[str, float] | None = None,
    loads: Mapping[str, ServerLoad] | None = None,
    breakers: Mapping[str, Breaker] | None = None,
    draining: tuple[str, ...] = (),
    weights: Mapping[str, float] | None = None,
) -> RoutingTable:
    """A table of these answers; ``stale`` is the staleness bound of each replica at NOW."""
    snapshot = decide_topology(answers, previous, NOW)
    freshness = {name: Freshness(NOW - bound, (lag or {}).get(name, 0.0)) for name, bound in stale.items()}
    return build_routing_table(
        snapshot,
        policy,
        loads={**{name: ServerLoad() for name in answers}, **(loads or {})},
        freshness=freshness,
        breakers=breakers or {},
        draining=draining,
        weights=weights or {},
    )


def read(
    chosen_from: RoutingTable, requirements: ReadRequirements = ANYTHING, draws: tuple[float, float] = (0.0, 0.0)
) -> RouteDecision:
    return choose_reader(chosen_from, requirements, NOW, draws)


TWO: Mapping[str, Answer] = {"db1": source(upto(100)), "db2": replica("db2", upto(95)), "db3": replica("db3", upto(90))}
FRESH = {"db2": 0.1, "db3": 0.2}


def chosen(decision: RouteDecision) -> tuple[str | None, str]:
    return decision.server, str(decision.reason)
