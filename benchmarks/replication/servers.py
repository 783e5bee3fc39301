"""The real servers of the replication benchmarks: those of the tests, started for one run and removed afterwards."""

import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_docker.plugin import DockerComposeExecutor
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.orm import Session

from inventory_replication import ClusterConfig, MonitorPolicy, ReplicatedCluster, TlsPolicy
from inventory_replication.mysql.tls import client_tls
from tests.replication.mysql.certificates import Certificates
from tests.replication.mysql.servers import (
    APP,
    DATABASE,
    MySQLServer,
    ReplicaSet,
    create_accounts,
    follow,
    running_services,
)
from tests.replication.runtime.clusters import configured

COMPOSE_FILE = Path(__file__).parents[2] / "tests" / "replication" / "mysql" / "compose.yml"
NAMES = ("source", "replica1", "replica2")
READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Stand:
    """A source and two replicas that have caught up, and connections to them.

    Args:
        servers: The servers.
        ca_file: The CA that signed their certificates.
    """

    servers: ReplicaSet
    ca_file: Path

    def config(self, **changes: Any) -> ClusterConfig:
        """Return a cluster with default policies."""
        plain = {"monitor": MonitorPolicy(), "tls": TlsPolicy(self.ca_file, verify_host=True)}
        return configured(self.servers, self.ca_file, **{**plain, **changes})

    @contextmanager
    def cluster(self, **changes: Any) -> Iterator[ReplicatedCluster[Session]]:
        """Yield a cluster whose monitor has probed every server in its role."""
        with ReplicatedCluster(self.config(**changes)) as cluster:
            self.ready(cluster)
            yield cluster

    def ready(self, cluster: ReplicatedCluster[Session]) -> None:
        """Wait until both replicas serve."""
        until = time.monotonic() + READY_SECONDS
        while sorted(server.role for server in cluster.status().servers) != ["replica", "replica", "source"]:
            if time.monotonic() > until:
                raise RuntimeError(f"the servers are not ready after {READY_SECONDS:.0f} s: {cluster.status()}")
            time.sleep(0.05)

    @contextmanager
    def plain(self, server: MySQLServer, port: int | None = None) -> Iterator[Engine]:
        """Return the floor: a plain SQLAlchemy engine for the same server, with a writer's isolation."""
        engine = create_engine(
            URL.create("mysql+pymysql", APP.user, APP.password, "127.0.0.1", port or server.port, DATABASE),
            connect_args={"ssl": self.servers.tls, "charset": "utf8mb4"},
            isolation_level="READ COMMITTED",
        )
        try:
            yield engine
        finally:
            engine.dispose()

    def fill(self, table: str, rows: int) -> None:
        """Insert rows 0 and up, on all servers."""
        values = ",".join(f"({number}, 'note {number}')" for number in range(rows))
        self.servers.source.query(f"INSERT INTO {DATABASE}.{table} VALUES {values}")  # noqa: S608
        self.servers.catch_up()


@contextmanager
def replicated_servers() -> Iterator[Stand]:
    """Start the servers with MySQL's default durability: a commit is on disk before it is confirmed."""
    made = Certificates.make(*NAMES)
    for name, text in {"AUTHORITY": made.authority, "CERTIFICATE": made.server, "KEY": made.server_key}.items():
        os.environ[f"INVENTORY_TEST_{name}"] = text
    compose = DockerComposeExecutor("docker compose", str(COMPOSE_FILE), f"inventory-bench-{uuid.uuid4().hex[:10]}")
    with (
        tempfile.TemporaryDirectory(prefix="inventory-bench-") as folder,
        running_services(
            compose,
            [f"up --detach {' '.join(NAMES)}"],
            ["--profile '*' down --volumes --remove-orphans --timeout 0"],
        ),
    ):
        ca_file = Path(folder, "authority.pem")
        ca_file.write_text(made.authority, "ascii")
        tls = client_tls(ca_file, verify_host=True)
        source, one, other = (MySQLServer(name, compose, tls) for name in NAMES)
        for server in (source, one, other):
            server.wait_until_it_answers()
        create_accounts(source)
        servers = ReplicaSet(source, one, other, tls)
        for replica in servers.replicas:
            follow(replica)
        servers.catch_up()
        yield Stand(servers, ca_file)
