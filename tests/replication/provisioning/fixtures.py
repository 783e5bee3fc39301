"""New servers for the tests of provisioning: started once, made new again for each test, removed whatever happens."""

import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_docker.plugin import DockerComposeExecutor

from tests.replication.mysql.certificates import Certificates
from tests.replication.mysql.servers import MySQLServer, running_services
from tests.replication.provisioning.trial import Trial, renew

COMPOSE_FILE = Path(__file__).with_name("compose.yml")


@pytest.fixture(scope="session")
def new_servers(
    certificates: Certificates, tls: ssl.SSLContext, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Trial]:
    """Three servers; tests take `trial` instead."""
    ca_file = tmp_path_factory.mktemp("provisioning") / "authority.pem"
    ca_file.write_text(certificates.authority, "ascii")
    compose = DockerComposeExecutor(
        "docker compose", str(COMPOSE_FILE), f"inventory-provisioning-{uuid.uuid4().hex[:8]}"
    )
    with running_services(compose, ["up --detach"], ["down --volumes --remove-orphans --timeout 0"]):
        one, two, three = (MySQLServer(name, compose, tls) for name in ("one", "two", "three"))
        for server in (one, two, three):
            server.wait_until_it_answers()
        yield Trial(one, two, three, ca_file)


@pytest.fixture
def trial(new_servers: Trial) -> Trial:
    """Three new servers; the command knows `one` and `two`."""
    new_servers.changed.clear()
    for server in new_servers.servers:
        renew(server)
    return new_servers
