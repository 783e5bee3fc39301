"""Three servers that each test finds new, and the command that makes something of them."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymysql
import pytest

from inventory_replication.config import Credentials
from inventory_replication.mysql.tls import client_tls
from inventory_replication.provisioning import cli
from inventory_replication.provisioning.admin import ClusterAdmin
from inventory_replication.provisioning.plan.desired_state import Role
from inventory_replication.provisioning.plan.steps import Step
from inventory_replication.provisioning.settings import Settings, read_settings
from tests.replication.mysql.servers import ROOT, MySQLServer

DATABASE = "inventory"
ACCOUNTS = {role: Credentials(str(role), f"{role}-for-tests") for role in Role}
READ_ONLY = 1290


@dataclass(frozen=True)
class Outcome:
    """What the command did."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """What ``--json`` printed."""
        loaded: dict[str, Any] = json.loads(self.out)
        return loaded

    @property
    def codes(self) -> list[str]:
        """Codes of the findings."""
        return [finding["code"] for finding in self.answer.get("findings", ())]

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Server and kind of each step."""
        return [(step["server"], step["step"]) for step in self.answer["steps"]]


@dataclass
class Trial:
    """The servers, and the command with its settings."""

    one: MySQLServer
    two: MySQLServer
    three: MySQLServer
    ca_file: Path
    changed: dict[str, str] = field(default_factory=dict)
    """Settings that a test changes."""

    @property
    def servers(self) -> tuple[MySQLServer, ...]:
        return (self.one, self.two, self.three)

    def named(self, name: str) -> MySQLServer:
        return next(server for server in self.servers if server.name == name)

    def environment(self, *names: str) -> dict[str, str]:
        """The settings for these servers (two of them, unless it says otherwise), the first to be the source."""
        chosen = [self.named(name) for name in names or ("one", "two")]
        settings = {
            "servers": ",".join(f"{server.name}=127.0.0.1:{server.port}" for server in chosen),
            "peer_addresses": ",".join(f"{server.name}={server.name}:3306" for server in chosen),
            "ca_file": str(self.ca_file),
            "source_ca": "/etc/mysql/authority.pem",
            "admin_password": ROOT.password,
            "wait": "20",
            **{f"{role}_password": account.password for role, account in ACCOUNTS.items()},
            **self.changed,
        }
        return {f"INVENTORY_REPLICATION_{name.upper()}": value for name, value in settings.items()}

    def run(self, *arguments: str, servers: tuple[str, ...] = ()) -> Outcome:
        """The command, in this process, with its answer as JSON."""
        out, err = io.StringIO(), io.StringIO()
        code: object = None
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            for name, value in self.environment(*servers).items():
                patch.setenv(name, value)
            try:
                cli.main([*arguments, "--json"])
            except SystemExit as end:
                code = end.code
        assert isinstance(code, int)
        return Outcome(code, out.getvalue(), err.getvalue())

    def provision(self, *arguments: str, servers: tuple[str, ...] = ()) -> Outcome:
        """Provision, and see that it went well."""
        outcome = self.run("provision", *arguments, servers=servers)
        assert outcome.code == 0, outcome
        return outcome

    def settings(self, *names: str) -> Settings:
        return read_settings({}, self.environment(*names), None)

    @contextlib.contextmanager
    def admin(self, *names: str) -> Iterator[ClusterAdmin]:
        """As the command has it."""
        settings = self.settings(*names)
        with ClusterAdmin(settings.desired_state(), settings.required("admin"), client_tls(self.ca_file)) as admin:
            yield admin

    def traces(self) -> dict[str, tuple[Any, ...]]:
        """Everything about every server that provisioning could change."""
        return {server.name: trace(server) for server in self.servers}


TRACES = (
    "SELECT @@GLOBAL.gtid_executed, @@GLOBAL.gtid_purged, @@super_read_only, @@read_only",
    "SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.persisted_variables ORDER BY 1",
    "SELECT * FROM performance_schema.replication_connection_configuration",
    "SELECT COUNT(*) FROM performance_schema.replication_connection_status WHERE SERVICE_STATE <> 'OFF'",
    "SELECT SERVICE_STATE FROM performance_schema.replication_applier_status",
    "SELECT user, host, authentication_string, ssl_type FROM mysql.user ORDER BY 1, 2",
    "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY 1",
    "SELECT PLUGIN_NAME FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'clone'",
)


def trace(server: MySQLServer) -> tuple[Any, ...]:
    """Whatever a step would leave on a server."""
    found: list[Any] = []
    connection = server.connect()
    with connection, connection.cursor() as cursor:
        for statement in TRACES:
            cursor.execute(statement)
            found.append(tuple(cursor.fetchall()))
    return tuple(found)


def renew(server: MySQLServer) -> None:
    """Make a server as new as it came out of its image: one empty schema, one transaction of its own."""
    connection = server.connect()
    with connection, connection.cursor() as cursor:
        for variable in ("super_read_only", "read_only", "log_bin_trust_function_creators"):
            cursor.execute(f"SET GLOBAL {variable} = OFF")
        cursor.execute("STOP REPLICA")
        cursor.execute("RESET REPLICA ALL")
        cursor.execute("SET SESSION sql_log_bin = OFF")
        cursor.execute("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")
        for (schema,) in cursor.fetchall():
            if schema not in {"mysql", "sys", "information_schema", "performance_schema"}:
                cursor.execute(f"DROP SCHEMA `{schema}`")
        cursor.execute("SELECT user, host FROM mysql.user WHERE user <> 'root' AND user NOT LIKE 'mysql.%'")
        for user, host in cursor.fetchall():
            cursor.execute("DROP USER %s@%s", (user, host))
        with contextlib.suppress(pymysql.err.OperationalError):
            cursor.execute("UNINSTALL PLUGIN clone")
        cursor.execute("SELECT VARIABLE_NAME FROM performance_schema.persisted_variables")
        # What is read at start only may be in force without being persisted otherwise, which is no new server.
        for (variable,) in cursor.fetchall():
            if variable != "relay_log_recovery":
                cursor.execute(f"RESET PERSIST `{variable}`")
        cursor.execute("SET SESSION sql_log_bin = ON")
        cursor.execute("RESET BINARY LOGS AND GTIDS")
        cursor.execute(f"CREATE SCHEMA {DATABASE}")


@contextlib.contextmanager
def interrupted_before(kind: str) -> Iterator[Callable[[Step], None]]:
    """A `notify` that ends the run before the first step of that kind, as if its process had been ended."""

    def notify(step: Step) -> None:
        if type(step).__name__ == kind:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        yield notify


def launch(server: MySQLServer) -> MySQLServer:
    """Start a server that was killed, without waiting for it; it has another port then."""
    server.compose.execute(f"start {server.name}")
    return MySQLServer(server.name, server.compose, server.tls)


def purge(server: MySQLServer) -> None:
    """Let a server forget its binary logs."""
    server.query("FLUSH BINARY LOGS")
    log = server.query("SHOW BINARY LOG STATUS")[0][0]
    server.query("PURGE BINARY LOGS TO %s", log)
    assert server.value("SELECT @@GLOBAL.gtid_purged")


def fill(source: MySQLServer) -> None:
    """A table, unless it is there, and three more rows; two transactions."""
    source.query("CREATE TABLE IF NOT EXISTS inventory.stock (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(40))")
    source.query("INSERT INTO inventory.stock (note) VALUES ('a'), ('a'), ('a')")


def rows(server: MySQLServer) -> int:
    """How many rows that table has there."""
    return int(server.value("SELECT COUNT(*) FROM inventory.stock"))


def in_step(source: MySQLServer, *replicas: MySQLServer) -> None:
    """The replicas get what the source has."""
    executed = source.executed()
    for replica in replicas:
        assert replica.has(executed), f"{replica.name} has not what {source.name} has"
