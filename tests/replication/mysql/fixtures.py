"""Real servers for tests: started once, removed whatever happens. Any conftest may take them over by importing the names."""

import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_docker.plugin import DockerComposeExecutor
from sqlalchemy.orm import Session

from inventory_replication import ReplicatedCluster
from inventory_replication.config import Server
from inventory_replication.mysql.engines import ServerEngine, build_engine
from inventory_replication.mysql.tls import client_tls
from tests.replication.mysql.certificates import Certificates
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.pools import EngineFor
from tests.replication.mysql.servers import (
    APP,
    DATABASE,
    MySQLServer,
    ReplicaSet,
    create_accounts,
    follow,
    running_services,
)
from tests.replication.runtime.clusters import ClusterFor, configured

COMPOSE_FILE = Path(__file__).with_name("compose.yml")


@pytest.fixture(scope="session")
def certificates() -> Iterator[Certificates]:
    """What the servers are started with, in the environment that Compose reads."""
    made = Certificates.make("source", "replica1", "replica2", "spare")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INVENTORY_TEST_AUTHORITY", made.authority)
        patch.setenv("INVENTORY_TEST_CERTIFICATE", made.server)
        patch.setenv("INVENTORY_TEST_KEY", made.server_key)
        yield made


@pytest.fixture(scope="session")
def ca_file(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Who has signed the servers of the tests, and nobody else."""
    file = tmp_path_factory.mktemp("certificates") / "authority.pem"
    file.write_text(certificates.authority, "ascii")
    return file


@pytest.fixture(scope="session")
def tls(ca_file: Path) -> ssl.SSLContext:
    """Trusts the servers of the tests, and nobody else."""
    return client_tls(ca_file, verify_host=True)


@pytest.fixture(scope="session")
def mysql_compose(certificates: Certificates) -> Iterator[DockerComposeExecutor]:  # noqa: ARG001
    """Runs a subcommand of Compose on the servers, which are up; the project's name is this session's own."""
    compose = DockerComposeExecutor("docker compose", str(COMPOSE_FILE), f"inventory-mysql-{uuid.uuid4().hex[:10]}")
    with running_services(
        compose,
        ["up --detach --wait source replica1 replica2"],
        ["--profile '*' down --volumes --remove-orphans --timeout 0"],
    ):
        yield compose


@pytest.fixture(scope="session")
def replica_set(mysql_compose: DockerComposeExecutor, tls: ssl.SSLContext) -> ReplicaSet:
    """A source and two replicas, in step; tests take `servers` instead, which also mends."""
    source, replica1, replica2 = (MySQLServer(name, mysql_compose, tls) for name in ("source", "replica1", "replica2"))
    create_accounts(source)
    replicas = ReplicaSet(source, replica1, replica2, tls)
    for replica in replicas.replicas:
        follow(replica)
    replicas.catch_up()
    return replicas


@pytest.fixture
def spare(servers: ReplicaSet, mysql_compose: DockerComposeExecutor) -> Iterator[MySQLServer]:
    """One more server, new and empty, that follows nobody."""
    mysql_compose.execute("--profile spare up --detach --wait spare")
    yield MySQLServer("spare", mysql_compose, servers.tls)
    mysql_compose.execute("--profile spare rm --force --stop --volumes spare")


@pytest.fixture
def servers(replica_set: ReplicaSet) -> Iterator[ReplicaSet]:
    """The replicated servers, as they should be, before and after the test."""
    yield replica_set
    replica_set.restore()


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
