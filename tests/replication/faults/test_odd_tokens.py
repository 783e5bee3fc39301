"""Unusual valid tokens: with tags, holes, several origins, and transactions that no server has."""

import uuid
from time import time

import pytest

from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.tokens import CausalToken, TokenCodec
from inventory_replication.errors import LostWriteDetected
from tests.replication.faults.watching import Cluster
from tests.replication.mysql.servers import DATABASE, ReplicaSet, eventually
from tests.replication.runtime.clusters import KEYS, ClusterFor, put, stored

pytestmark = pytest.mark.mysql
INSERT = "INSERT INTO {t} VALUES (%s, 'a')"
NOBODY = "cccccccc-0000-11f0-8000-000000000000"


def token(gtids: str) -> str:
    """Signed like every other."""
    return TokenCodec(KEYS, "tests").encode(CausalToken("tests").with_commit(GtidSet.parse(gtids), time()))


def written_as(servers: ReplicaSet, table: str, row: int, gtid: str) -> None:
    """Store a row under a GTID of the test's choice."""
    with servers.source.connect(database=DATABASE) as connection, connection.cursor() as cursor:
        cursor.execute("SET GTID_NEXT = %s", (gtid,))
        cursor.execute(INSERT.replace("{t}", table), (row,))
        cursor.execute("SET GTID_NEXT = AUTOMATIC")


def newly(servers: ReplicaSet, table: str, *gtids: str) -> str:
    """Rows from 1 on, each under its GTID; the set of them as the source has it."""
    before = GtidSet.parse(servers.source.executed())
    for row, gtid in enumerate(gtids, 1):
        written_as(servers, table, row, gtid)
    return (GtidSet.parse(servers.source.executed()) - before).compact()


FOREIGN = str(uuid.uuid4())
ODD = {
    "a tag": ("AUTOMATIC:odd",),
    "holes": (f"{FOREIGN}:3", f"{FOREIGN}:7", f"{FOREIGN}:5"),
    "several origins": ("AUTOMATIC", f"{uuid.uuid4()}:20", f"{uuid.uuid4()}:odd:4"),
}


@pytest.mark.parametrize("gtids", ODD.values(), ids=ODD)
def test_an_odd_token_is_kept_like_any_other(
    gtids: tuple[str, ...], cluster_for: ClusterFor, servers: ReplicaSet, table: str
) -> None:
    rows = list(range(1, len(gtids) + 1))
    text = token(newly(servers, table, *gtids))
    cluster = cluster_for()
    with cluster.causal(text) as context, cluster.reader() as session:
        assert stored(session, table) == rows
    assert context.rejected is None
    servers.catch_up()

    def from_a_replica() -> bool:
        with cluster.causal(text) as later, cluster.reader() as session:
            assert stored(session, table) == rows
        return later.served[0].role == "replica"

    eventually("a replica is known to have it", from_a_replica)


def test_a_token_for_what_no_server_has_is_reported_as_lost_once_and_not_waited_for_again(
    cluster: Cluster, table: str
) -> None:
    cluster.write(put(table, 1))
    with cluster.causal(token(f"{NOBODY}:1-3")) as context:
        with pytest.raises(LostWriteDetected) as caught, cluster.reader():
            pass
        with cluster.reader(from_source=True) as session:
            assert stored(session, table) == [1]
    assert caught.value.gtids == f"{NOBODY}:1-3"
    assert context.token is None
