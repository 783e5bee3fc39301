"""The servers of the tests leave nothing behind and can be distinguished from others."""

import subprocess
import uuid
from pathlib import Path

import pytest
from pytest_docker.plugin import DockerComposeExecutor

from tests.replication.mysql.servers import ReplicaSet, running_services

pytestmark = pytest.mark.mysql

BROKEN = """
services:
  stands:
    image: ${INVENTORY_TEST_MYSQL_IMAGE:-mysql:9.7}
    entrypoint: [sleep, "600"]
    volumes: [data:/data]
  falls:
    image: ${INVENTORY_TEST_MYSQL_IMAGE:-mysql:9.7}
    entrypoint: ["false"]
volumes:
  data:
"""


def left_over(kind: str, project: str) -> str:
    command = ["docker", *kind.split(), "--quiet", "--filter", f"label=com.docker.compose.project={project}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_servers_that_fail_to_start_are_removed_with_their_data(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text(BROKEN, "utf-8")
    project = f"inventory-broken-{uuid.uuid4().hex[:10]}"
    compose = DockerComposeExecutor("docker compose", str(file), project)
    seen: list[str] = []

    with (
        pytest.raises(Exception, match="returned"),
        running_services(compose, ["create", "up --detach --wait"], ["down --volumes --timeout 0"]),
    ):
        seen.append("started")

    assert not seen
    for kind in ("ps --all", "volume ls", "network ls"):
        assert not left_over(kind, project)


def test_ports_are_picked_by_docker_and_open_on_this_machine_only(servers: ReplicaSet) -> None:
    for server in servers.servers:
        endpoint = server.compose.execute(f"port {server.name} 3306").decode().strip()

        assert endpoint == f"127.0.0.1:{server.port}"
    assert len({server.port for server in servers.servers}) == 3


def test_the_servers_replicate_by_gtid_over_verified_tls_and_refuse_writes(servers: ReplicaSet) -> None:
    for replica in servers.replicas:
        row = replica.query(
            "SELECT AUTO_POSITION, SSL_ALLOWED, SSL_VERIFY_SERVER_CERTIFICATE, GTID_ONLY "
            "FROM performance_schema.replication_connection_configuration"
        )[0]
        assert tuple(str(value) for value in row) == ("1", "YES", "YES", "1")
        assert replica.value("SELECT @@super_read_only") == 1


def test_a_replica_that_is_killed_comes_back_read_only_and_follows(servers: ReplicaSet, table: str) -> None:
    replica, identity = servers.replica2, servers.replica2.uuid
    replica.kill()
    replica.start()
    servers.source.query("INSERT INTO {t} VALUES (1, 'a')".replace("{t}", table), database="inventory")
    servers.catch_up()

    assert replica.uuid == identity
    assert replica.value("SELECT @@super_read_only") == 1
