"""A page that is being read when its replica falls silent comes from the source, long before a time-out."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import URL, text

from inventory_replication import ConnectionLimits, ReplicatedCluster
from inventory_web import Settings, create_app
from inventory_web.db.replicas import ReplicatedDatabase, servers_of_request
from inventory_web.roles import public
from tests.replication.faults.watching import WATCHFUL, served_by
from tests.replication.mysql.servers import BOUND, ReplicaSet, eventually
from tests.replication.runtime.clusters import configured, placed

SECRET = SecretStr("a key of tests, long and random 0123456789")
ASLEEP = "SELECT COUNT(*) FROM performance_schema.processlist WHERE STATE = 'User sleep'"


@pytest.mark.mysql
def test_a_page_under_way_on_a_replica_that_freezes_comes_from_the_source(servers: ReplicaSet, ca_file: Path) -> None:
    config = configured(
        servers,
        ca_file,
        servers=placed(servers)[:2],
        monitor=WATCHFUL,
        limits=ConnectionLimits(read_timeout=600.0),
    )
    with ReplicatedCluster(config) as cluster, ThreadPoolExecutor(1) as browser:
        sessions = ReplicatedDatabase(cluster, URL.create("mysql+pymysql"))
        app = create_app(Settings(secret_key=SECRET), sessions=sessions)
        seconds = iter((120, 0))

        @public
        def page() -> str:
            with sessions.reader() as session:
                session.execute(text(f"SELECT SLEEP({next(seconds)})").execution_options(read_only=True))
            return " ".join(servers_of_request(sessions))

        def get() -> tuple[int, str]:
            with closing(app.test_client().get("/slow")) as answer:
                return answer.status_code, answer.text

        app.add_url_rule("/slow", "slow", page)
        eventually("the replica serves", lambda: served_by(cluster) == {"replica1"})
        page_under_way = browser.submit(get)
        eventually("the page is under way", lambda: servers.replica1.value(ASLEEP) == 1)
        with servers.replica1.frozen():
            reported = page_under_way.result(BOUND)

        assert reported == (200, "replica1 source")
