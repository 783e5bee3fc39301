"""A program may listen to the engines of a cluster; what readers must not do is judged before it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from inventory_replication import ReplicatedCluster
from inventory_replication.errors import ReadOnlyUnitError
from tests.replication.mysql.servers import ReplicaSet
from tests.replication.runtime.clusters import configured

pytestmark = pytest.mark.mysql


def test_each_engine_is_shown_before_its_first_connection(servers: ReplicaSet, ca_file: Path) -> None:
    shown: list[str] = []
    sent: list[str] = []

    def comment(engine: Engine) -> None:
        shown.append(str(engine.pool.status()))
        event.listen(
            engine,
            "before_cursor_execute",
            lambda _c, _k, statement, parameters, *_: (f"/* mine */ {statement}", parameters),
            retval=True,
        )
        event.listen(engine, "after_cursor_execute", lambda _c, _k, statement, *_: sent.append(statement))

    config = configured(servers, ca_file)
    with ReplicatedCluster(config, on_engine=comment) as cluster:
        cluster.write(lambda session: session.execute(text("DO 0")))
        with cluster.reader() as session:
            session.execute(text("SELECT 1").execution_options(read_only=True))
        with pytest.raises(ReadOnlyUnitError), cluster.reader() as session:
            session.execute(text("DO 0").execution_options(read_only=True))

    assert set(sent) == {"/* mine */ DO 0", "/* mine */ SELECT 1"}
    assert len(shown) >= 2
    assert all("Connections in pool: 0" in status for status in shown)
