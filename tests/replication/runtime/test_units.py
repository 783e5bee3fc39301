"""Units of work on the real servers."""

import pytest
from sqlalchemy.orm import Session

from inventory_replication import ReplicatedCluster
from tests.replication.runtime.clusters import put, stored

pytestmark = pytest.mark.mysql


def test_a_reader_is_served_by_a_replica_and_a_write_by_the_source(
    cluster: ReplicatedCluster[Session], table: str
) -> None:
    with cluster.causal() as context:
        assert cluster.write(put(table, 1)) == 1
        with cluster.reader() as session:
            assert stored(session, table) == [1]

    assert [each.role for each in context.served] == ["source", "replica"]
    assert context.token is None or context.token.startswith("c1.")


def test_status_names_the_source(cluster: ReplicatedCluster[Session]) -> None:
    status = cluster.status()

    assert (status.mode, status.source) == ("normal", "source")
    assert [each.role for each in status.servers] == ["source", "replica", "replica"]
