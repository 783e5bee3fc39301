"""What `python -m benchmarks replication` measures, in small."""

from pathlib import Path

import pytest

from benchmarks.replication import overhead, serving
from benchmarks.replication.servers import Stand
from benchmarks.replication.turns import by_turns, percentile
from tests.replication.mysql.servers import ReplicaSet


@pytest.fixture
def stand(servers: ReplicaSet, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Use the servers of the tests, and few calls, to be fast."""
    few = {overhead: ("READS", "WRITES"), serving: ("ROUNDS", "USERS", "READS")}
    for room, names in few.items():
        for name in names:
            monkeypatch.setattr(room, name, 2)
    monkeypatch.setattr(overhead, "DECISIONS", 400)
    monkeypatch.setattr(serving, "MIXED_UNITS", 200)
    return Stand(servers, ca_file)


def test_ways_take_turns_in_an_order_that_rotates() -> None:
    called: list[str] = []
    taken = by_turns({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, 3)

    assert "".join(called[-6:]) == "baabba"
    assert [len(times.passed) for times in taken.values()] == [3, 3]


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 50), (99, 99), (100, 100)])
def test_a_percentile_is_the_nearest_rank(percent: int, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], percent) == value


@pytest.mark.mysql
def test_a_token_adds_no_message_to_a_write(stand: Stand) -> None:
    added, whole, *_ = overhead.tokens(stand).figures

    assert added.measured == 0
    assert whole.floor is not None
    assert whole.measured < whole.floor


@pytest.mark.mysql
def test_every_figure_of_units_of_work_has_a_floor(stand: Stand) -> None:
    tables = list(overhead.sessions(stand))

    assert len(tables) == 2
    assert all(figure.floor for table in tables for figure in table.figures)


@pytest.mark.mysql
def test_decisions_are_taken_with_both_replicas_in_sight(stand: Stand) -> None:
    assert [figure.unit for figure in overhead.decisions(stand).figures] == ["µs"] * 3


@pytest.mark.mysql
def test_each_way_of_a_causal_read_sees_its_write_where_it_should(stand: Stand) -> None:
    served = {row[0]: row[-1] for row in serving.causal_reads(stand).rows}

    assert (served["always the source"], served["a wait on every read"]) == ("0 %", "100 %")
    assert served["tokens"] != "0 %"


@pytest.mark.mysql
def test_replicas_take_their_share_of_a_mix(stand: Stand) -> None:
    (share,) = serving.mix(stand).figures

    assert 0 < share.measured <= 100


@pytest.mark.mysql
def test_a_silent_replica_is_measured_against_none(stand: Stand) -> None:
    assert len(serving.absence(stand).figures) == 3
