"""Settings are checked when they are built."""

from collections.abc import Callable

import pytest

from inventory_replication.config import (
    BreakerPolicy,
    ClusterConfig,
    Credentials,
    MonitorPolicy,
    RetryPolicy,
    RoutingPolicy,
    Server,
    TokenKey,
    TokenPolicy,
)
from inventory_replication.errors import ConfigurationError

KEY = TokenKey("k1", b"0123456789abcdef")


def cluster(**changes: object) -> ClusterConfig:
    settings: dict[str, object] = {
        "cluster_id": "shop",
        "servers": (Server("db1", "10.0.0.1"), Server("db2", "10.0.0.2")),
        "database": "inventory",
        "app": Credentials("app", "open sesame"),
        "tokens": TokenPolicy((KEY,)),
    }
    return ClusterConfig(**{**settings, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (lambda: Server("", "h"), "Server.name"),
        (lambda: Server("db 1", "h"), "Server.name"),
        (lambda: Server("db1", ""), "Server.host"),
        (lambda: Server("db1", "user@h"), "Server.host"),
        (lambda: Server("db1", "h", 0), "Server.port"),
        (lambda: Server("db1", "h", 65536), "Server.port"),
        (lambda: Server("db1", "h", True), "Server.port"),
        (lambda: Server("db1", "h", weight=0), "Server.weight"),
        (lambda: Server("db1", "h", weight=float("nan")), "Server.weight"),
        (lambda: Credentials("", "x"), "Credentials.user"),
        (lambda: RoutingPolicy(staleness_bound=0), "staleness_bound"),
        (lambda: RoutingPolicy(causal_wait_timeout=0), "causal_wait_timeout"),
        (lambda: RoutingPolicy(causal_wait_timeout=-1), "causal_wait_timeout"),
        (lambda: RoutingPolicy(causal_wait_timeout=float("inf")), "causal_wait_timeout"),
        (lambda: RoutingPolicy(on_causal_timeout="stale"), "on_causal_timeout"),  # type: ignore[arg-type]
        (lambda: RoutingPolicy(min_serving_replicas=-1), "min_serving_replicas"),
        (lambda: RoutingPolicy(staleness_bound=5, last_resort_bound=4), "last_resort_bound"),
        (lambda: RoutingPolicy(max_waiters_per_replica=-1), "max_waiters_per_replica"),
        (lambda: BreakerPolicy(failures_to_open=0), "failures_to_open"),
        (lambda: BreakerPolicy(first_delay=0), "first_delay"),
        (lambda: BreakerPolicy(first_delay=2, max_delay=1), "max_delay"),
        (lambda: BreakerPolicy(good_samples_to_close=0), "good_samples_to_close"),
        (lambda: BreakerPolicy(calm_after=-1), "calm_after"),
        (lambda: MonitorPolicy(poll_interval=0), "poll_interval"),
        (lambda: MonitorPolicy(connect_timeout=0), "connect_timeout"),
        (lambda: MonitorPolicy(read_timeout=0), "read_timeout"),
        (lambda: MonitorPolicy(history=7), "history"),
        (lambda: TokenKey("a.b", KEY.secret), "key_id"),
        (lambda: TokenKey("", KEY.secret), "key_id"),
        (lambda: TokenKey("k1", b"short"), "secret"),
        (lambda: TokenPolicy(()), "keys"),
        (lambda: TokenPolicy((KEY, KEY)), "keys"),
        (lambda: TokenPolicy((KEY,), max_bytes=255), "max_bytes"),
        (lambda: TokenPolicy((KEY,), max_bytes=4001), "max_bytes"),
        (lambda: TokenPolicy((KEY,), max_age=0), "max_age"),
        (lambda: RetryPolicy(attempts=0), "attempts"),
        (lambda: RetryPolicy(attempts=1.5), "attempts"),  # type: ignore[arg-type]
        (lambda: RetryPolicy(first_delay=-1), "first_delay"),
        (lambda: RetryPolicy(first_delay=1, max_delay=0.5), "max_delay"),
        (lambda: cluster(cluster_id="a;b"), "cluster_id"),
        (lambda: cluster(servers=()), "servers"),
        (lambda: cluster(servers=(Server("db1", "a"), Server("db1", "b"))), "servers"),
        (lambda: cluster(servers=(Server("db1", "a"), Server("db2", "a"))), "servers"),
        (lambda: cluster(database=""), "database"),
    ],
)
def test_a_wrong_value_is_refused_under_its_name(build: Callable[[], object], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        build()


def test_the_defaults_are_right() -> None:
    config = cluster()

    assert config.server("db2").address == "10.0.0.2:3306"
    assert config.routing.min_serving_replicas == 1
    assert RoutingPolicy(last_resort_bound=None).last_resort_bound is None


def test_an_unknown_server_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(ConfigurationError, match="db1, db2"):
        cluster().server("db9")


def test_a_server_is_read_from_a_url() -> None:
    server = Server.from_url("mysql+pymysql://app:p%40ss@db-replica:3307/inventory?charset=utf8mb4")

    assert (server.name, server.host, server.port) == ("db-replica-3307", "db-replica", 3307)
    assert Server.from_url("mysql://[::1]/x", "local").address == "[::1]:3306"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///s3cret",
        "mysql://app:s3cret@/x",
        "mysql://app:s3cret@h:port/x",
        "s3cret",
        "mysql://app:s3cret@h:0/x",
        "mysql://[s3cret/x",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Server.from_url(url)

    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_secrets_are_not_shown() -> None:
    shown = repr(cluster())

    assert "open sesame" not in shown
    assert "0123456789abcdef" not in shown


def test_the_pause_before_another_run_doubles_up_to_its_limit_and_is_spread() -> None:
    policy = RetryPolicy(first_delay=0.1, max_delay=0.35)

    assert [policy.delay(run, 1.0) for run in (1, 2, 3, 9_999)] == pytest.approx([0.1, 0.2, 0.35, 0.35])
    assert policy.delay(1, 0.0) == pytest.approx(0.05)
