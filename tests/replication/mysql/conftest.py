"""Real servers for the tests of this folder: started once, removed whatever happens."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_docker.plugin import DockerComposeExecutor, Services, get_docker_services

from inventory_replication.mysql.tls import client_tls
from tests.replication.mysql.servers import MySQLServer, ReplicaSet, create_accounts, follow


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    return str(Path(__file__).with_name("compose.yml"))


@pytest.fixture(scope="session")
def docker_compose_project_name() -> str:
    return f"inventory-replication-{uuid.uuid4().hex[:10]}"


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    return ["up --detach --wait source replica1 replica2"]


@pytest.fixture(scope="session")
def docker_cleanup() -> list[str]:
    return ["--profile '*' down --volumes --remove-orphans --timeout 0"]


@pytest.fixture(scope="session")
def docker_services(
    docker_compose_command: str,
    docker_compose_file: str,
    docker_compose_project_name: str,
    docker_setup: list[str],
    docker_cleanup: list[str],
) -> Iterator[Services]:
    """As the plugin's own, but what was started is also removed when starting fails."""
    compose = DockerComposeExecutor(docker_compose_command, docker_compose_file, docker_compose_project_name)
    with get_docker_services(
        docker_compose_command, docker_compose_file, docker_compose_project_name, [], docker_cleanup
    ) as services:
        for command in docker_setup:
            compose.execute(command)
        yield services


@pytest.fixture(scope="session")
def compose(
    docker_services: Services,  # noqa: ARG001
    docker_compose_command: str,
    docker_compose_file: str,
    docker_compose_project_name: str,
) -> DockerComposeExecutor:
    """Runs a subcommand of Compose on the servers that are up."""
    return DockerComposeExecutor(docker_compose_command, docker_compose_file, docker_compose_project_name)


@pytest.fixture(scope="session")
def replica_set(compose: DockerComposeExecutor, tmp_path_factory: pytest.TempPathFactory) -> ReplicaSet:
    """A source and two replicas, in step; tests take `servers` instead, which also mends."""
    folder = tmp_path_factory.mktemp("certificates")
    made: list[MySQLServer] = []
    for name in ("source", "replica1", "replica2"):
        ca = folder / f"{name}.pem"
        ca.write_bytes(compose.execute(f"exec -T {name} cat /var/lib/mysql/ca.pem"))
        made.append(MySQLServer(name, compose, client_tls(ca), str(ca)))
    together = folder / "all.pem"
    together.write_text("".join(Path(server.ca).read_text("ascii") for server in made), "ascii")
    source, replica1, replica2 = made
    create_accounts(source)
    replicas = ReplicaSet(source, replica1, replica2, client_tls(together))
    for replica in replicas.replicas:
        follow(replica)
    replicas.catch_up()
    return replicas


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
