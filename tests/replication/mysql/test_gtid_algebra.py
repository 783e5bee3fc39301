"""The algebra of GTID sets is the server's own."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymysql.connections import Connection

from inventory_replication.decisions.gtid import GtidSet
from tests.replication.mysql.servers import ReplicaSet

pytestmark = pytest.mark.mysql

UUIDS = (
    "3e11fa47-71ca-11e1-9e33-c80aa9429562",
    "3E11FA47-71CA-11E1-9E33-C80AA9429562",
    "00000000-0000-0000-0000-000000000001",
)
ORDINARY = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])

intervals = st.tuples(st.integers(1, 40), st.integers(0, 12)).map(
    lambda pair: str(pair[0]) if pair[1] == 0 else f"{pair[0]}-{pair[0] + pair[1]}"
)
far = st.integers(2**63 - 40, 2**63 - 2).map(str)
numbers = st.lists(st.one_of(intervals, intervals, far), min_size=1, max_size=5).map(":".join)
tagged = st.tuples(st.sampled_from(["app", "APP", "_x9", "a" * 32]), numbers).map(":".join)
parts = st.lists(st.one_of(numbers, tagged), min_size=1, max_size=3).map(":".join)
elements = st.tuples(st.sampled_from(UUIDS), parts).map(":".join)
texts = st.lists(elements, max_size=4).flatmap(
    lambda found: st.sampled_from([",", ", ", ",\n"]).map(lambda comma: comma.join(found))
)


@pytest.fixture
def server(servers: ReplicaSet) -> Iterator[Connection]:
    with servers.source.connect() as connection:
        yield connection


def query(server: Connection, question: str, *arguments: str) -> object:
    with server.cursor() as cursor:
        cursor.execute(question, arguments)
        row = cursor.fetchone()
    assert isinstance(row, tuple)
    return row[0]


@ORDINARY
@given(left=texts, right=texts)
def test_containment_is_that_of_gtid_subset(server: Connection, left: str, right: str) -> None:
    ours = GtidSet.parse(left) <= GtidSet.parse(right)

    assert ours == bool(query(server, "SELECT GTID_SUBSET(%s, %s)", left, right))


@ORDINARY
@given(left=texts, right=texts)
def test_difference_is_that_of_gtid_subtract(server: Connection, left: str, right: str) -> None:
    ours = GtidSet.parse(left) - GtidSet.parse(right)

    assert str(ours) == query(server, "SELECT GTID_SUBTRACT(%s, %s)", left, right)


@ORDINARY
@given(left=texts, right=texts)
def test_union_holds_both_and_nothing_else_by_the_servers_word(server: Connection, left: str, right: str) -> None:
    ours = str(GtidSet.parse(left) | GtidSet.parse(right))

    assert query(server, "SELECT GTID_SUBSET(%s, %s) AND GTID_SUBSET(%s, %s)", left, ours, right, ours) == 1
    assert query(server, "SELECT GTID_SUBTRACT(GTID_SUBTRACT(%s, %s), %s)", ours, left, right) == ""


@ORDINARY
@given(text=texts)
def test_the_text_of_a_set_is_the_servers_own(server: Connection, text: str) -> None:
    assert str(GtidSet.parse(text)) == query(server, "SELECT GTID_SUBTRACT(%s, '')", text)


@ORDINARY
@given(text=texts)
def test_the_compact_text_means_the_same_to_the_server(server: Connection, text: str) -> None:
    ours = GtidSet.parse(text).compact()

    assert query(server, "SELECT GTID_SUBSET(%s, %s) AND GTID_SUBSET(%s, %s)", text, ours, ours, text) == 1
