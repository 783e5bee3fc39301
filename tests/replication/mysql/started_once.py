"""The replicated servers of a whole run of pytest: `tests/conftest.py` names this module, so that every folder has the same ones.

They start when the first test asks for them. Tests take `servers`, which also mends.
"""

import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_docker.plugin import DockerComposeExecutor

from inventory_replication.mysql.tls import client_tls
from tests.replication.mysql.certificates import Certificates
from tests.replication.mysql.servers import MySQLServer, ReplicaSet, create_accounts, follow, running_services

COMPOSE_FILE = Path(__file__).with_name("compose.yml")


@pytest.fixture(scope="session")
def certificates() -> Iterator[Certificates]:
    """What the servers are started with, in the environment that Compose reads."""
    made = Certificates.make("source", "replica1", "replica2", "spare", "one", "two", "three")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INVENTORY_TEST_AUTHORITY", made.authority)
        patch.setenv("INVENTORY_TEST_CERTIFICATE", made.server)
        patch.setenv("INVENTORY_TEST_KEY", made.server_key)
        yield made


@pytest.fixture(scope="session")
def ca_file(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CA of the test servers, and no other."""
    file = tmp_path_factory.mktemp("certificates") / "authority.pem"
    file.write_text(certificates.authority, "ascii")
    return file


@pytest.fixture(scope="session")
def tls(ca_file: Path) -> ssl.SSLContext:
    """Trusts the CA of the test servers, and no other."""
    return client_tls(ca_file, verify_host=True)


@pytest.fixture(scope="session")
def mysql_compose(certificates: Certificates) -> Iterator[DockerComposeExecutor]:  # noqa: ARG001
    """Runs a subcommand of Compose on the servers, which are up; the project's name is this session's own."""
    compose = DockerComposeExecutor("docker compose", str(COMPOSE_FILE), f"inventory-mysql-{uuid.uuid4().hex[:10]}")
    with running_services(
        compose,
        ["up --detach source replica1 replica2"],
        ["--profile '*' down --volumes --remove-orphans --timeout 0"],
    ):
        yield compose


@pytest.fixture(scope="session")
def replica_set(mysql_compose: DockerComposeExecutor, tls: ssl.SSLContext) -> ReplicaSet:
    """A source and two replicas that have caught up; tests take `servers` instead, which also repairs them."""
    source, replica1, replica2 = (MySQLServer(name, mysql_compose, tls) for name in ("source", "replica1", "replica2"))
    for server in (source, replica1, replica2):
        server.wait_until_it_answers()
    create_accounts(source)
    replicas = ReplicaSet(source, replica1, replica2, tls)
    for replica in replicas.replicas:
        follow(replica)
    replicas.catch_up()
    return replicas


@pytest.fixture
def servers(replica_set: ReplicaSet) -> Iterator[ReplicaSet]:
    """The replicated servers, as they should be, before and after the test."""
    yield replica_set
    replica_set.restore()
