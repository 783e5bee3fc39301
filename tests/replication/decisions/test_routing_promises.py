"""What the router promises in every state of the cluster."""

import math

from hypothesis import given
from hypothesis import strategies as st

from inventory_replication.config import RoutingPolicy
from inventory_replication.decisions.gtid import EMPTY
from inventory_replication.decisions.routing import (
    ReadRequirements,
    RouteReason,
    choose_reader,
)
from inventory_replication.decisions.routing_table import RoutingTable, ServerLoad
from inventory_replication.decisions.snapshot import Answer
from tests.replication.decisions.routing_cases import (
    GONE,
    NOW,
    OPEN,
    replica,
    source,
    table,
    upto,
)


@st.composite
def tables(draw: st.DrawFn) -> RoutingTable:
    positions = {name: draw(st.integers(1, 6)) for name in ("db2", "db3", "db4")}
    kinds = {name: draw(st.sampled_from(["running", "stalled", "gone"])) for name in positions}
    answers: dict[str, Answer] = {"db1": source(upto(6)) if draw(st.booleans()) else GONE}
    for name, kind in kinds.items():
        answers[name] = GONE if kind == "gone" else replica(name, upto(positions[name]), running=kind == "running")
    stale = {name: draw(st.sampled_from([0.1, 1.0, 5.0, 100.0, math.inf])) for name in positions}
    return table(
        answers,
        stale,
        RoutingPolicy(
            min_serving_replicas=draw(st.integers(0, 3)),
            last_resort_bound=draw(st.sampled_from([None, 50.0])),
            on_causal_timeout=draw(st.sampled_from(["source", "error"])),
            max_waiters_per_replica=draw(st.integers(0, 2)),
        ),
        lag={name: draw(st.sampled_from([0.0, 9.0])) for name in positions},
        loads={
            name: ServerLoad(draw(st.integers(0, 3)), draw(st.integers(0, 2)), draw(st.floats(0, 1)))
            for name in answers
        },
        breakers={name: OPEN for name in answers if draw(st.integers(0, 4)) == 0},
        draining=tuple(name for name in answers if draw(st.integers(0, 4)) == 0),
    )


dice_pairs = st.tuples(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
needs = st.builds(
    ReadRequirements,
    st.just(EMPTY) | st.integers(1, 6).map(upto),
    unknown=st.booleans(),
    rejected=st.booleans(),
    staleness_bound=st.sampled_from([None, 0.5, 2.0, 60.0]),
    allow_stale=st.booleans(),
)


@given(tables(), needs, dice_pairs)
def test_whatever_the_state_a_choice_keeps_every_promise(
    chosen_from: RoutingTable, requirements: ReadRequirements, draws: tuple[float, float]
) -> None:
    decision = choose_reader(chosen_from, requirements, NOW, draws)
    serving = {replica.name: replica for replica in chosen_from.replicas}

    if decision.server is None:
        assert chosen_from.source is None
    elif decision.is_source:
        assert decision.server == chosen_from.source
        assert decision.staleness == 0.0
    else:
        replica = serving[decision.server]
        assert decision.staleness >= NOW - replica.complete_until
        if requirements.staleness_bound is not None:
            assert decision.staleness <= requirements.staleness_bound
        if decision.reason is not RouteReason.REPLICA_STALE_ALLOWED:
            assert (requirements.unknown, requirements.rejected) == (False, False)
            assert replica.executed.contains(requirements.gtids) or decision.wait_for == requirements.gtids
        else:
            assert (requirements.allow_stale, chosen_from.source) == (True, None)
    if decision.wait_for is not None:
        assert not decision.wait_for.is_empty()
        assert decision.wait_limit > 0
        if decision.server in serving:
            assert serving[decision.server].load.waiters < chosen_from.policy.max_waiters_per_replica


@given(tables(), needs, dice_pairs)
def test_a_replica_known_to_have_everything_is_never_passed_over(
    chosen_from: RoutingTable, requirements: ReadRequirements, draws: tuple[float, float]
) -> None:
    bound = chosen_from.policy.staleness_bound if requirements.staleness_bound is None else requirements.staleness_bound
    able = [
        replica
        for replica in chosen_from.replicas
        if not replica.stalled
        and NOW - replica.complete_until <= bound
        and replica.executed.contains(requirements.gtids)
    ]
    if able and not requirements.unknown and not requirements.rejected and not requirements.from_source:
        decision = choose_reader(chosen_from, requirements, NOW, draws)

        assert not decision.is_source
        assert decision.wait_for is None
