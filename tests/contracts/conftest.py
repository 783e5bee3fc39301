"""The same inventory on SQLite and on MySQL: every test with `database` runs on each topology."""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest
from pytest_docker.plugin import DockerComposeExecutor
from sqlalchemy import URL

from inventory_core import Inventory, build_plugin_manager
from inventory_core.context import utc_now
from tests.contracts.replicated import ReplicatedSets
from tests.contracts.topologies import Database, MySQLSchemas, SQLiteFiles, Topology
from tests.replication.mysql.servers import APP, ROOT, START_BOUND, ReplicaSet, eventually, running_services
from tests.web.app_pool import LentApplications
from tests.web.process import passwords_are_hashed_fast, templates_are_compiled_once

__all__ = ["passwords_are_hashed_fast", "templates_are_compiled_once"]

COMPOSE_FILE = Path(__file__).with_name("compose.yml")
MYSQL = pytest.param("mysql", marks=pytest.mark.mysql)
REPLICATED = pytest.param("replicated", marks=pytest.mark.mysql)
TOPOLOGIES = ("sqlite", MYSQL, REPLICATED)

MakeInventory = Callable[..., Inventory]


@pytest.fixture(scope="session", params=TOPOLOGIES)
def topology(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Topology:
    if request.param == "sqlite":
        return SQLiteFiles(tmp_path_factory.mktemp("contracts"))
    chosen: Topology = request.getfixturevalue(f"{request.param}_topology")
    return chosen


@pytest.fixture(scope="session")
def mysql_port() -> Iterator[int]:
    compose = DockerComposeExecutor("docker compose", str(COMPOSE_FILE), f"inventory-contracts-{uuid.uuid4().hex[:10]}")
    with running_services(compose, ["up --detach"], ["down --volumes --remove-orphans --timeout 0"]):
        port = int(compose.execute("port server 3306").decode().strip().rsplit(":", 1)[-1])
        eventually("the server answers", lambda: _answers(port), START_BOUND)
        yield port


def _answers(port: int) -> bool:
    with contextlib.suppress(pymysql.err.Error, OSError):
        pymysql.connect(host="127.0.0.1", port=port, user=ROOT.user, password=ROOT.password).close()
        return True
    return False


@pytest.fixture(scope="session")
def ask_mysql(mysql_port: int) -> Iterator[Callable[[str], None]]:
    """Runs a statement as the server's administrator."""
    connection = pymysql.connect(
        host="127.0.0.1", port=mysql_port, user=ROOT.user, password=ROOT.password, autocommit=True
    )

    def ask(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    with connection:
        yield ask


@pytest.fixture(scope="session")
def mysql_topology(mysql_port: int, ask_mysql: Callable[[str], None]) -> MySQLSchemas:
    """The application's account has rights on its schemas and on nothing else."""
    ask_mysql(f"CREATE USER {APP.user} IDENTIFIED BY '{APP.password}'")
    ask_mysql(rf"GRANT ALL ON `contracts\_%`.* TO {APP.user}")
    url = URL.create("mysql+pymysql", APP.user, APP.password, "127.0.0.1", mysql_port)
    return MySQLSchemas(
        url, lambda name: ask_mysql(f"CREATE DATABASE {name}"), lambda name: ask_mysql(f"DROP DATABASE {name}")
    )


@pytest.fixture(scope="session")
def replicated_topology(replica_set: ReplicaSet, ca_file: Path) -> ReplicatedSets:
    return ReplicatedSets(replica_set, ca_file)


@pytest.fixture
def database(topology: Topology) -> Iterator[Database]:
    """A database of the test's own; what the test writes, it reads."""
    with topology.database() as made:
        yield made


@pytest.fixture
def make_inventory(database: Database) -> MakeInventory:
    """Make an inventory with these plugins over the test's database; more than one are instances side by side."""

    def make(*plugins: object, clock: Callable[[], Any] = utc_now) -> Inventory:
        return Inventory(database.open_another(), build_plugin_manager(plugins), clock)

    return make


@pytest.fixture
def inventory(database: Database) -> Inventory:
    return Inventory(database.sessions)


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> SQLiteFiles:
    """What a server's answers are compared with."""
    return SQLiteFiles(tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="session")
def lent_applications() -> LentApplications:
    return LentApplications()
