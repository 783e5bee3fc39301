"""Handles of the real MySQL servers that the tests talk to."""

import contextlib
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pymysql
from pytest_docker.plugin import DockerComposeExecutor, Services

from inventory_replication.config import Credentials, Server
from tests.replication.mysql.fault_proxy import Address

DATABASE = "inventory"
ROOT = Credentials("root", "root-for-tests")
APP = Credentials("app", "app-for-tests")
MONITOR = Credentials("monitor", "monitor-for-tests")
REPLICATION = Credentials("replication", "replication-for-tests")

CHANNEL_TABLES = (
    "replication_connection_configuration",
    "replication_connection_status",
    "replication_applier_status",
    "replication_applier_status_by_coordinator",
    "replication_applier_status_by_worker",
    "global_status",
)
BOUND = 30.0
"""Seconds after which a server that should have come into a state is given up."""
START_BOUND = 240.0
"""The same for one that is to start, perhaps with a new data directory, on a busy machine."""


@contextlib.contextmanager
def running_services(compose: DockerComposeExecutor, setup: list[str], cleanup: list[str]) -> Iterator[Services]:
    """Start services, and remove them at the end and also when starting fails, which pytest-docker alone does not."""
    try:
        for command in setup:
            compose.execute(command)
        yield Services(compose)
    finally:
        for command in cleanup:
            compose.execute(command)


def eventually(what: str, check: Callable[[], object], seconds: float = BOUND) -> None:
    """Ask until the answer is true."""
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.02)


@dataclass
class MySQLServer:
    """One server in its container. `query` speaks to it as root, past everything that is under test."""

    name: str
    compose: DockerComposeExecutor
    tls: ssl.SSLContext
    _port: int | None = field(default=None, init=False)

    @property
    def port(self) -> int:
        """The host port; Docker picks another each time the container starts."""
        if self._port is None:
            endpoint = self.compose.execute(f"port {self.name} 3306").decode().strip()
            self._port = int(endpoint.rsplit(":", 1)[-1])
        return self._port

    @property
    def address(self) -> Address:
        return ("127.0.0.1", self.port)

    @property
    def config(self) -> Server:
        return Server(self.name, "127.0.0.1", self.port)

    @property
    def uuid(self) -> str:
        return str(self.value("SELECT @@server_uuid"))

    def connect(self, account: Credentials = ROOT, **options: Any) -> pymysql.connections.Connection:
        """Return a plain driver connection with autocommit; the caller closes it."""
        settings: dict[str, Any] = {"autocommit": True, "read_timeout": 60, "ssl": self.tls, **options}
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user=account.user, password=account.password, **settings
        )

    def query(self, statement: str, *arguments: object, database: str | None = None) -> tuple[tuple[Any, ...], ...]:
        connection = self.connect(database=database)
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, arguments or None)
            return tuple(cursor.fetchall())

    def value(self, statement: str, *arguments: object, database: str | None = None) -> Any:
        return self.query(statement, *arguments, database=database)[0][0]

    def executed(self) -> str:
        return str(self.value("SELECT @@GLOBAL.gtid_executed"))

    def has(self, gtids: str, seconds: float = BOUND) -> bool:
        return bool(self.value("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)", gtids, seconds) == 0)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the server's processes where they are; the kernel goes on answering for them."""
        self.compose.execute(f"pause {self.name}")
        try:
            yield
        finally:
            self.compose.execute(f"unpause {self.name}")

    def kill(self, signal: str = "KILL") -> None:
        self.compose.execute(f"kill --signal {signal} {self.name}")

    def start(self) -> None:
        """Start a server that was killed, with its data, and wait until it answers; it has another port then."""
        self.compose.execute(f"start {self.name}")
        self._port = None
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        def answers() -> bool:
            with contextlib.suppress(pymysql.err.Error, OSError, ValueError):
                return bool(self.value("SELECT 1"))
            return False

        eventually(f"{self.name} answers", answers, START_BOUND)


@dataclass
class ReplicaSet:
    """A source and two replicas that follow it by GTID auto-position."""

    source: MySQLServer
    replica1: MySQLServer
    replica2: MySQLServer
    tls: ssl.SSLContext
    """Trusts exactly these servers."""

    @property
    def replicas(self) -> tuple[MySQLServer, MySQLServer]:
        return (self.replica1, self.replica2)

    @property
    def servers(self) -> tuple[MySQLServer, ...]:
        return (self.source, *self.replicas)

    def catch_up(self) -> None:
        """Wait until both replicas have everything of the source."""
        executed = self.source.executed()
        for replica in self.replicas:
            assert replica.has(executed), f"{replica.name} does not follow the source"

    def restore(self) -> None:
        """Bring back what a test may have stopped or switched."""
        for replica in self.replicas:
            stopped = replica.value(
                "SELECT COUNT(*) FROM performance_schema.replication_applier_status a "
                "JOIN performance_schema.replication_connection_status c USING (CHANNEL_NAME) "
                "WHERE a.SERVICE_STATE = 'ON' AND c.SERVICE_STATE <> 'OFF'"
            )
            if not stopped:
                replica.query("START REPLICA")
            if not replica.value("SELECT @@super_read_only"):
                replica.query("SET GLOBAL super_read_only = ON")
        self.catch_up()

    @contextlib.contextmanager
    def table(self, columns: str = "id INT PRIMARY KEY, note VARCHAR(40)") -> Iterator[str]:
        """A table of the test's own, on all servers."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.source.query(f"CREATE TABLE {DATABASE}.{name} ({columns})")
        self.catch_up()
        try:
            yield name
        finally:
            self.source.query(f"DROP TABLE {DATABASE}.{name}")


def create_accounts(source: MySQLServer) -> None:
    """The accounts of the tests, each with what it needs; they reach the replicas by replication."""
    source.query(f"CREATE DATABASE {DATABASE}")
    for account in (APP, MONITOR, REPLICATION):
        source.query("CREATE USER %s IDENTIFIED WITH caching_sha2_password BY %s", account.user, account.password)
    source.query(f"GRANT ALL ON {DATABASE}.* TO app")
    for table in CHANNEL_TABLES:
        source.query(f"GRANT SELECT ON performance_schema.{table} TO monitor")
    source.query("GRANT REPLICATION SLAVE ON *.* TO replication")


def follow(replica: MySQLServer, source: str = "source") -> None:
    """Make an empty server follow the source by auto-position, with today's words."""
    replica.query("RESET BINARY LOGS AND GTIDS")
    attach(replica, source)
    replica.query("SET PERSIST super_read_only = ON")


def attach(replica: MySQLServer, source: str) -> None:
    """Make a server that has data of the source's go on from there."""
    replica.query("STOP REPLICA")
    replica.query(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST=%s, SOURCE_PORT=3306, SOURCE_USER=%s, SOURCE_PASSWORD=%s, "
        "SOURCE_SSL=1, SOURCE_SSL_CA='/etc/mysql/authority.pem', SOURCE_SSL_VERIFY_SERVER_CERT=1, "
        "SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=10000, SOURCE_HEARTBEAT_PERIOD=1, "
        "REQUIRE_ROW_FORMAT=1, GTID_ONLY=1",
        source,
        REPLICATION.user,
        REPLICATION.password,
    )
    replica.query("START REPLICA")
