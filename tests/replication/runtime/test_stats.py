"""Status and metrics for operators and Prometheus."""

import re
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from inventory_replication import ReplicatedCluster
from inventory_replication.stats import WAIT_BUCKETS, Counters, render_metrics
from inventory_replication.status import ClusterStatus, ServerStatus
from tests.replication.runtime.clusters import put

SERVER: dict[str, Any] = {
    "name": "db1",
    "address": "db1:3306",
    "role": "source",
    "state": "source",
    "staleness_seconds": 0.0,
    "in_flight": 2,
    "breaker": "closed",
    "reason": "the only one",
}
SAMPLE = re.compile(
    r'^inventory_replication_[a-z_]+(\{[a-z_]+="(\\.|[^"\\])*"(,[a-z_]+="(\\.|[^"\\])*")*\})? [0-9.e+-]+$'
)


def status(**changes: Any) -> ClusterStatus:
    return ClusterStatus("normal", 1, "db1", "fine", (ServerStatus(**{**SERVER, **changes}),))


def samples(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_every_line_is_of_the_exposition_format_and_every_name_is_described_once() -> None:
    counters = Counters()
    counters.count_unit("reader", "db1", "replica_fresh")
    counters.count_fault("db1", 'a "quoted"\nlabel\\')
    counters.count_wait("db1", 0.003, met=False)
    counters.count_token("expired")
    counters.count_repeat("conflict")
    counters.count_interrupted("db1", 2)
    text = render_metrics(counters.copy(), status(semisync=False), 0.0)

    assert text.endswith("\n")
    assert [line for line in samples(text) if not SAMPLE.match(line)] == []
    described = re.findall(r"^# TYPE (\S+) ", text, flags=re.MULTILINE)
    named = {re.sub(r"_(bucket|sum|count)$", "", line.split("{")[0].split(" ")[0]) for line in samples(text)}
    assert len(described) == len(set(described))
    assert set(described) == named


@pytest.mark.parametrize(("seconds", "classes"), [(0.0, len(WAIT_BUCKETS) + 1), (0.5, 3), (0.51, 2), (99.0, 1)])
def test_a_wait_is_counted_in_every_class_that_is_not_shorter(seconds: float, classes: int) -> None:
    counters = Counters()
    counters.count_wait("db2", seconds, met=True)
    filled = [
        line for line in samples(render_metrics(counters, status(), 0.0)) if "_bucket" in line and line.endswith(" 1")
    ]

    assert len(filled) == classes
    assert 'le="+Inf"' in filled[-1]


def test_staleness_that_is_not_proved_has_no_sample() -> None:
    assert "staleness_seconds{" in render_metrics(Counters(), status(), 0.0)
    assert "staleness_seconds{" not in render_metrics(Counters(), status(staleness_seconds=None), 0.0)


def test_an_instance_without_any_server_is_shown_as_isolated_and_a_former_source_as_deposed() -> None:
    healthy = samples(render_metrics(Counters(), status(), 0.0))
    deposed = status(state="deposed", role="none", clock_ahead_seconds=-3.5)
    cut_off = replace(deposed, cause="no_writable_server", isolated=True, recorded_epoch=7)
    shown = samples(render_metrics(Counters(), cut_off, 0.0))

    assert "inventory_replication_isolated 0" in healthy
    assert 'inventory_replication_deposed{server="db1"} 0' in healthy
    assert 'inventory_replication_cause{cause="proved"} 1' in healthy
    assert "inventory_replication_isolated 1" in shown
    assert 'inventory_replication_deposed{server="db1"} 1' in shown
    assert 'inventory_replication_cause{cause="no_writable_server"} 1' in shown
    assert 'inventory_replication_clock_ahead_seconds{server="db1"} -3.5' in shown
    assert "inventory_replication_recorded_epoch 7" in shown


@pytest.mark.mysql
def test_every_unit_is_counted_by_role_server_and_reason(cluster: ReplicatedCluster[Session], table: str) -> None:
    cluster.write(put(table, 1))
    with cluster.reader(from_source=True):
        pass
    counted = samples(cluster.metrics())

    assert 'inventory_replication_units_total{role="writer",server="source",reason="write"} 1' in counted
    assert 'inventory_replication_units_total{role="reader",server="source",reason="source_asked"} 1' in counted
    assert 'inventory_replication_mode{mode="normal"} 1' in counted


@pytest.mark.mysql
def test_status_reports_each_server_and_what_runs_on_it(cluster: ReplicatedCluster[Session]) -> None:
    with cluster.reader(from_source=True):
        found = cluster.status()

    assert (found.mode, found.source, found.epoch, found.lost_gtids) == ("normal", "source", 1, "")
    assert [(each.name, each.role, each.in_flight) for each in found.servers] == [
        ("source", "source", 1),
        ("replica1", "replica", 0),
        ("replica2", "replica", 0),
    ]
    assert all(each.staleness_seconds is not None and each.address.startswith("127.0.0.1:") for each in found.servers)


@pytest.mark.mysql
def test_no_line_of_the_log_holds_a_statement_a_token_or_a_password(
    cluster: ReplicatedCluster[Session], table: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", "inventory_replication"), cluster.causal() as context:
        cluster.write(put(table, 1, "secret note"))
        with cluster.reader():
            pass
        carried = context.token or "no token"

    assert caplog.text
    assert not any(word in caplog.text for word in ("INSERT", "secret", "for-tests", carried))
