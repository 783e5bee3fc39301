"""Clusters over the real servers, for the tests of the runtime."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Integer, String, column, insert, select, table
from sqlalchemy.orm import Session

from inventory_replication import (
    CausalContext,
    ClusterConfig,
    MonitorPolicy,
    ReplicatedCluster,
    RetryPolicy,
    Server,
    TlsPolicy,
    TokenKey,
    TokenPolicy,
)
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.servers import APP, DATABASE, MONITOR, MySQLServer, ReplicaSet

KEYS = TokenPolicy((TokenKey("k1", b"a secret of the tests, no other"),))
QUICK = MonitorPolicy(poll_interval=0.05, connect_timeout=0.5, read_timeout=0.5)
ClusterFor = Callable[..., ReplicatedCluster[Session]]


def configured(servers: ReplicaSet, ca_file: Any, /, **changes: Any) -> ClusterConfig:
    settings: dict[str, Any] = {
        "cluster_id": "tests",
        "servers": tuple(Server(each.name, "127.0.0.1", each.port) for each in servers.servers),
        "database": DATABASE,
        "app": APP,
        "monitor_account": MONITOR,
        "tokens": KEYS,
        "monitor": QUICK,
        "retry": RetryPolicy(),
        "tls": TlsPolicy(ca_file, verify_host=True),
    }
    return ClusterConfig(**{**settings, **changes})


@cache
def notes(name: str) -> Any:
    return table(name, column("id", Integer), column("note", String))


def put(name: str, number: int, note: str = "") -> Callable[[Session], int]:
    """Work that stores one row."""

    def work(session: Session) -> int:
        session.execute(insert(notes(name)).values(id=number, note=note))
        return number

    return work


def stored(session: Session, name: str) -> list[int]:
    return list(session.scalars(select(notes(name).c.id).order_by(notes(name).c.id)))


def placed(servers: ReplicaSet, **proxies: FaultProxy) -> tuple[Server, ...]:
    """The servers, some of them reached through a proxy."""
    return tuple(
        Server(each.name, "127.0.0.1", proxies[each.name].port if each.name in proxies else each.port)
        for each in servers.servers
    )


def roles(context: CausalContext) -> list[str]:
    return [each.role for each in context.served]


def reasons(context: CausalContext) -> list[str]:
    return [each.reason for each in context.served]


def states(cluster: ReplicatedCluster[Session]) -> dict[str, str]:
    return {each.name: each.state for each in cluster.status().servers}


def mode(cluster: ReplicatedCluster[Session]) -> str:
    return cluster.status().mode


@contextmanager
def applier_stopped(*replicas: MySQLServer) -> Iterator[None]:
    for each in replicas:
        each.query("STOP REPLICA SQL_THREAD")
    try:
        yield
    finally:
        for each in replicas:
            each.query("START REPLICA SQL_THREAD")


@contextmanager
def read_only(server: MySQLServer) -> Iterator[None]:
    server.query("SET GLOBAL super_read_only = ON")
    try:
        yield
    finally:
        writable(server)


def writable(server: MySQLServer) -> None:
    server.query("SET GLOBAL super_read_only = OFF")
    server.query("SET GLOBAL read_only = OFF")
