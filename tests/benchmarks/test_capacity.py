"""The model behind the capacity page: what is known of such networks by theory holds of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.stack.capacity import Station, load_of, mixed, most_users

demands = st.floats(min_value=0.001, max_value=1.0)
stations = st.lists(
    st.builds(Station, st.uuids().map(str), demands, st.integers(min_value=1, max_value=8)), min_size=1, max_size=5
)


def test_a_single_user_never_queues() -> None:
    load = load_of([Station("a", 0.2), Station("b", 0.3, 4)], think=1.5, users=1)

    assert load.response == pytest.approx(0.5)
    assert load.throughput == pytest.approx(1 / 2.0)


@pytest.mark.parametrize("users", [1, 2, 10, 100])
def test_users_without_a_pause_at_balanced_stations_wait_as_theory_says(users: int) -> None:
    load = load_of([Station("a", 0.1), Station("b", 0.1), Station("c", 0.1)], think=0, users=users)

    assert load.throughput == pytest.approx(users / ((users + 2) * 0.1))


def test_the_station_with_the_most_work_is_the_bottleneck() -> None:
    load = load_of([Station("fast", 0.01), Station("slow", 0.05), Station("wide", 0.1, 4)], think=1, users=500)

    assert load.bottleneck == "slow"
    assert load.utilisation["slow"] == pytest.approx(1, abs=0.01)
    assert load.throughput == pytest.approx(20, rel=0.01)


@given(stations, st.floats(min_value=0, max_value=10), st.integers(min_value=1, max_value=60))
def test_no_load_exceeds_the_bounds(network: list[Station], think: float, users: int) -> None:
    load = load_of(network, think, users)
    work = sum(station.demand for station in network)
    slowest = max(station.demand / station.servers for station in network)

    assert load.throughput <= min(1 / slowest, users / (think + work)) * (1 + 1e-9)
    assert load.users == pytest.approx(load.throughput * (think + load.response))
    assert max(load.utilisation.values()) <= 1 + 1e-9


@given(stations, st.integers(min_value=1, max_value=40))
def test_one_user_more_never_shortens_the_wait_nor_lessens_what_is_done(network: list[Station], users: int) -> None:
    fewer, more = load_of(network, 1, users), load_of(network, 1, users + 1)

    assert more.response >= fewer.response - 1e-9
    assert more.throughput >= fewer.throughput - 1e-9


def test_the_most_users_are_those_whom_one_more_would_make_wait_too_long() -> None:
    network = [Station("a", 0.02, 2), Station("b", 0.01)]
    most = most_users(network, think=5, response=0.2)

    assert most is not None
    assert most.response <= 0.2 < load_of(network, 5, most.users + 1).response
    assert most_users(network, think=5, response=0.01) is None


def test_a_limit_of_business_is_kept() -> None:
    most = most_users([Station("a", 0.1)], think=5, response=10, busy=0.7)

    assert most is not None
    assert 0.68 < most.utilisation["a"] <= 0.7


def test_a_mix_costs_what_its_parts_cost() -> None:
    (station,) = mixed([Station("a", 0.01, 2)], [Station("a", 0.03, 2)], share=0.25)

    assert station == Station("a", 0.015, 2)


@pytest.mark.parametrize(("demand", "servers"), [(-0.1, 1), (0.1, 0)])
def test_what_is_not_a_station_is_refused(demand: float, servers: int) -> None:
    with pytest.raises(ValueError, match="no station"):
        Station("a", demand, servers)


def test_a_network_without_work_is_refused() -> None:
    with pytest.raises(ValueError, match="any load"):
        load_of([Station("a", 0.0)], think=1, users=1)
