"""Instances of the web over a source and two replicas, as the settings of an operator join them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import URL

from inventory_core import Inventory, SingleDatabase
from inventory_web import Settings, create_app
from inventory_web.auth.users import add_account
from inventory_web.context import EXTENSION
from inventory_web.db.schema import upgrade_all
from inventory_web.jobs import runner
from inventory_web.roles import Role
from tests.replication.mysql.servers import APP, MONITOR, ROOT, MySQLServer, ReplicaSet
from tests.web.browser import PASSWORD

SECRET = "a key of tests, long and random 0123456789"
DATABASE = "instances"
Behind = Callable[[], Any]


@pytest.fixture(scope="session")
def schema(replica_set: ReplicaSet, ca_file: Path) -> str:
    """The name of a database at the current schema, with an operator."""
    replica_set.source.query(f"CREATE DATABASE {DATABASE}")
    replica_set.source.query(f"GRANT ALL ON {DATABASE}.* TO {APP.user}")
    # Triggers need more rights than the application has.
    administrator = address(replica_set.source, ca_file).set(username=ROOT.user, password=ROOT.password)
    sessions = SingleDatabase.from_url(administrator)
    upgrade_all(sessions.engine)
    add_account(Inventory(sessions), name="olga", role=Role.OPERATOR, password=PASSWORD)
    sessions.close()
    replica_set.catch_up()
    return DATABASE


@pytest.fixture
def settings(servers: ReplicaSet, schema: str, ca_file: Path) -> Settings:
    """What an operator writes into the environment."""
    assert schema == DATABASE
    source, *replicas = (address(each, ca_file).render_as_string(hide_password=False) for each in servers.servers)
    return Settings(
        database_url=SecretStr(source),
        replica_urls=tuple(replicas),
        monitor_user=MONITOR.user,
        monitor_password=SecretStr(MONITOR.password),
        secret_key=SecretStr(SECRET),
    )


@pytest.fixture
def make_app(settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Make an instance; each has connections and a monitor of its own."""
    with ExitStack() as opened:

        def make(**changes: Any) -> Flask:
            app = create_app(settings.model_copy(update=changes))
            opened.callback(app.extensions[EXTENSION].inventory.sessions.close)
            # Before that: a worker that is not through would open connections, and a monitor, anew.
            opened.callback(app.extensions[runner.EXTENSION].stop)
            return app

        yield make


@pytest.fixture
def behind(servers: ReplicaSet) -> Behind:
    """Lets the replicas stand still for a while."""

    @contextmanager
    def stand_still() -> Iterator[None]:
        with ExitStack() as stack:
            for replica in servers.replicas:
                replica.query("STOP REPLICA SQL_THREAD")
                stack.callback(replica.query, "START REPLICA SQL_THREAD")
            yield

    return stand_still


def address(server: MySQLServer, ca_file: Path) -> URL:
    """As a setting holds it."""
    options = {"ssl_ca": str(ca_file)}
    return URL.create("mysql+pymysql", APP.user, APP.password, "127.0.0.1", server.port, DATABASE, options)
