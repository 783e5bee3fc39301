"""What one test needs of the real servers, which `started_once` starts. Any conftest may take it over by importing the names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_docker.plugin import DockerComposeExecutor
from sqlalchemy.orm import Session

from inventory_replication import ReplicatedCluster
from inventory_replication.config import Server
from inventory_replication.mysql.engines import ServerEngine, build_engine
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.pools import EngineFor
from tests.replication.mysql.servers import APP, DATABASE, MySQLServer, ReplicaSet
from tests.replication.runtime.clusters import ClusterFor, configured


@pytest.fixture
def spare(servers: ReplicaSet, mysql_compose: DockerComposeExecutor) -> Iterator[MySQLServer]:
    """One more server, new and empty, without a source."""
    mysql_compose.execute("--profile spare up --detach spare")
    server = MySQLServer("spare", mysql_compose, servers.tls)
    server.wait_until_it_answers()
    yield server
    mysql_compose.execute("--profile spare rm --force --stop --volumes spare")


@pytest.fixture
def table(servers: ReplicaSet) -> Iterator[str]:
    """The name of an empty table (id, note) of the test's own, on all servers."""
    with servers.table() as name:
        yield name


@pytest.fixture
def engine_for(servers: ReplicaSet) -> Iterator[EngineFor]:
    made: list[ServerEngine] = []

    def build(server: MySQLServer, *, read_only: bool = False, port: int | None = None, **options: Any) -> ServerEngine:
        where = Server(server.name, "127.0.0.1", port or server.port)
        made.append(build_engine(where, APP, database=DATABASE, read_only=read_only, tls=servers.tls, **options))
        return made[-1]

    yield build
    for each in made:
        each.close()


@pytest.fixture
def cluster_for(servers: ReplicaSet, ca_file: Path) -> Iterator[ClusterFor]:
    """Makes clusters over the servers; takes changes of `ClusterConfig`."""
    made: list[ReplicatedCluster[Session]] = []

    def build(**changes: Any) -> ReplicatedCluster[Session]:
        made.append(ReplicatedCluster(configured(servers, ca_file, **changes)))
        return made[-1]

    yield build
    for each in made:
        each.close()


@pytest.fixture
def cluster(cluster_for: ClusterFor) -> ReplicatedCluster[Session]:
    return cluster_for()


@pytest.fixture
def proxy(servers: ReplicaSet) -> Iterator[FaultProxy]:
    """Before the source."""
    with FaultProxy(servers.source.address) as made:
        yield made
