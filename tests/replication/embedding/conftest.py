"""Two new servers, made a source and its replica by the commands of the README, and the environment that its programs read."""

import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_docker.plugin import DockerComposeExecutor

from tests.replication.embedding.shown import blocks
from tests.replication.embedding.shown_programs import Reader
from tests.replication.mysql.certificates import Certificates
from tests.replication.mysql.servers import ROOT, running_services

COMPOSE_FILE = Path(__file__).parents[1] / "provisioning" / "compose.yml"


@pytest.fixture(scope="session")
def reader(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:  # noqa: ARG001
    """Somebody who has the servers, and follows the README from its first command on."""
    compose = DockerComposeExecutor("docker compose", str(COMPOSE_FILE), f"inventory-embedding-{uuid.uuid4().hex[:8]}")
    with running_services(compose, ["up --detach --wait one two"], ["down --volumes --remove-orphans --timeout 0"]):
        addresses = [compose.execute(f"port {name} 3306").decode().strip() for name in ("one", "two")]
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "DB1": addresses[0],
            "DB2": addresses[1],
            "DATABASES": ",".join(addresses),
            "ROOT_PASSWORD": ROOT.password,
            "TOKEN_SECRET": "a secret of the tests, no other",
            # The containers reach one another elsewhere than their host does.
            "INVENTORY_REPLICATION_PEER_ADDRESSES": "db1=one:3306,db2=two:3306",
            "INVENTORY_REPLICATION_WAIT": "60",
            **{
                f"{role}_PASSWORD": f"{role.lower()}-for-tests"
                for role in ("APP", "MONITOR", "MIGRATOR", "REPLICATION")
            },
        }
        yield Reader(tmp_path_factory.mktemp("embedding"), environment)


@pytest.fixture(scope="session")
def provisioned(reader: Reader) -> Reader:
    """The same, when the servers are a source and its replica and the programs are typed in."""
    done = reader.shell("".join(blocks("Provision the servers", "sh")))
    assert done.returncode == 0, done.stdout + done.stderr
    reader.type_in()
    return reader
