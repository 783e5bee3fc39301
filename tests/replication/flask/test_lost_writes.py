"""A write that went down with its source is reported to its browser once, and then forgotten."""

import pytest

from tests.replication.flask.instances import instance
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.servers import ReplicaSet, attach, eventually
from tests.replication.runtime.clusters import ClusterFor, placed
from tests.replication.runtime.test_failover import NOWHERE, promote, source_again

pytestmark = pytest.mark.mysql


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("page", ["/", "/exact"])
def test_a_lost_write_is_reported_once_through_cookies(
    cluster_for: ClusterFor, servers: ReplicaSet, table: str, replicas: int, page: str
) -> None:
    with FaultProxy(servers.source.address) as proxy, source_again(servers):
        cluster = cluster_for(servers=placed(servers, source=proxy)[: replicas + 1])
        browser = instance(cluster, table).test_client()
        assert browser.post("/1").status_code == 200
        servers.catch_up()
        for replica in servers.replicas:
            replica.query("STOP REPLICA IO_THREAD")
        assert browser.post("/2").status_code == 200
        upstream, proxy.upstream = proxy.upstream, NOWHERE
        proxy.cut()
        promote(servers.replica1)
        attach(servers.replica2, "replica1")
        eventually("it is the source", lambda: cluster.status().source == "replica1")

        answers = [browser.get(page) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [409, 200, 200]
        assert "REP-007" in answers[0].text
        assert answers[0].headers["X-Changed"] == "no"
        assert answers[1].json is not None
        assert answers[1].json["numbers"] == [1]
        proxy.upstream = upstream
        cluster.close()
