"""A connection knows the GTIDs of exactly its own commits, or says that it does not know them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
import pytest
from pymysql.constants import CLIENT
from pymysql.cursors import SSCursor

from inventory_replication.config import ConnectionLimits, Credentials
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.mysql.connection import MAX_TRACKED_GTIDS, GtidSource, TrackingConnection
from inventory_replication.mysql.engines import session_statement
from tests.replication.mysql.fault_proxy import FaultProxy
from tests.replication.mysql.servers import APP, DATABASE, ROOT, MySQLServer, ReplicaSet

pytestmark = pytest.mark.mysql

NOTHING = GtidSet.parse("")
INSERT = "INSERT INTO {t} VALUES (1, 'a')"
INSERT_AND_UPDATE = "INSERT INTO {t} VALUES (1, 'a'); UPDATE {t} SET note = 'b'"
CREATE_FUNCTION = (
    "CREATE FUNCTION {t}_f() RETURNS INT NOT DETERMINISTIC MODIFIES SQL DATA "
    "BEGIN INSERT INTO {t} VALUES (50, 'function'); RETURN 1; END"
)
CREATE_PROCEDURE = (
    "CREATE PROCEDURE {t}_p() BEGIN INSERT INTO {t} VALUES (60, 'procedure'); "
    "SELECT 1; DELETE FROM {t} WHERE id = 60; END"
)
TOUCH = "UPDATE {t} SET note = UUID()"


def tracked(server: MySQLServer, account: Credentials = ROOT, **options: Any) -> TrackingConnection:
    settings: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": server.port,
        "database": DATABASE,
        "ssl": server.tls,
        "read_timeout": 20,
        "init_command": session_statement(ConnectionLimits(), read_only=False),
        **options,
    }
    return TrackingConnection(user=account.user, password=account.password, **settings)


@contextmanager
def true_commits(server: MySQLServer) -> Iterator[Callable[[], GtidSet]]:
    """Return what the server has committed since the block began; there are no other writers."""
    before = GtidSet.parse(server.executed())
    yield lambda: GtidSet.parse(server.executed()) - before


def run(connection: TrackingConnection, *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            cursor.fetchall()


def tracks(connection: TrackingConnection) -> bool:
    return connection.tracking_fault is None


def taken(connection: TrackingConnection) -> GtidSet:
    commits = connection.pop_committed_gtids()
    assert commits.gtid_source is GtidSource.REPORTED
    return GtidSet.parse(commits.gtids)


REPORTED_WITHOUT_AUTOCOMMIT: dict[str, tuple[str, ...]] = {
    "commit after an insert": (INSERT, "COMMIT"),
    "two transactions": (INSERT, "COMMIT", "INSERT INTO {t} VALUES (2, 'a')", "COMMIT"),
    "table definition inside a transaction": (INSERT, "ALTER TABLE {t} ADD extra INT"),
    "second begin": ("BEGIN", INSERT, "BEGIN"),
    "autocommit switched on": (INSERT, "SET autocommit = 1"),
    "function that writes, then commit": ("SELECT {t}_f()", "COMMIT"),
    "prepared statement": ("PREPARE p FROM 'INSERT INTO {t} VALUES (1, ''a'')'", "EXECUTE p", "COMMIT"),
    "savepoint kept": (INSERT, "SAVEPOINT s", "INSERT INTO {t} VALUES (2, 'a')", "COMMIT"),
    "locked table": ("LOCK TABLES {t} WRITE", INSERT, "COMMIT", "UNLOCK TABLES"),
    "account created": ("CREATE USER '{t}'", "GRANT SELECT ON inventory.* TO '{t}'", "DROP USER '{t}'"),
    "two-phase commit": (
        "XA START '{t}'",
        INSERT,
        "XA END '{t}'",
        "XA PREPARE '{t}'",
        "XA COMMIT '{t}'",
    ),
    "tagged": ("SET SESSION gtid_next = 'AUTOMATIC:app'", INSERT, "COMMIT"),
    "procedure with a result set": ("CALL {t}_p()", "COMMIT"),
}

NOTHING_TO_REPORT: dict[str, tuple[str, ...]] = {
    "reads only": ("SELECT * FROM {t}", "COMMIT"),
    "rolled back": (INSERT, "ROLLBACK"),
    "update that changes nothing": ("UPDATE {t} SET note = 'b' WHERE id = 99", "COMMIT"),
    "savepoint alone": ("SAVEPOINT s", "COMMIT"),
    "rolled back to a savepoint": ("SAVEPOINT s", INSERT, "ROLLBACK TO s", "COMMIT"),
    "not written to the binary log": ("SET SESSION sql_log_bin = 0", INSERT, "ROLLBACK"),
}

REPORTED_WITH_AUTOCOMMIT: dict[str, tuple[str, ...]] = {
    "insert": (INSERT,),
    "several": ("DELETE FROM {t}", INSERT, "UPDATE {t} SET id = 2", INSERT),
    "procedure with a result set": ("CALL {t}_p()",),
    "transaction begun by hand, with a read": ("BEGIN", "SELECT {t}_f()", "COMMIT"),
}

NEVER_REPORTED: dict[str, tuple[bool, tuple[str, ...]]] = {
    "function that writes, under autocommit": (True, ("SELECT {t}_f()",)),
    "ANALYZE TABLE": (False, ("ANALYZE TABLE {t}",)),
    "OPTIMIZE TABLE": (False, ("OPTIMIZE TABLE {t}",)),
    "OPTIMIZE TABLE under autocommit": (True, ("OPTIMIZE TABLE {t}",)),
}


@pytest.fixture
def routines(servers: ReplicaSet, table: str) -> Iterator[str]:
    """A table with a function and a procedure that write to it."""
    servers.source.query(CREATE_FUNCTION.format(t=table), database=DATABASE)
    servers.source.query(CREATE_PROCEDURE.format(t=table), database=DATABASE)
    yield table
    servers.source.query(f"DROP FUNCTION {table}_f", database=DATABASE)
    servers.source.query(f"DROP PROCEDURE {table}_p", database=DATABASE)
    servers.catch_up()


@pytest.mark.parametrize("case", REPORTED_WITHOUT_AUTOCOMMIT)
def test_commits_of_explicit_and_implicit_transactions_are_reported_exactly(
    case: str, servers: ReplicaSet, routines: str
) -> None:
    statements = [statement.format(t=routines) for statement in REPORTED_WITHOUT_AUTOCOMMIT[case]]
    with tracked(servers.source) as connection, true_commits(servers.source) as truth:
        run(connection, *statements)

        assert taken(connection) == truth() != NOTHING


@pytest.mark.parametrize("case", REPORTED_WITH_AUTOCOMMIT)
def test_commits_under_autocommit_are_reported_exactly(case: str, servers: ReplicaSet, routines: str) -> None:
    with tracked(servers.source, autocommit=True) as connection, true_commits(servers.source) as truth:
        connection.reset_tracking()
        for statement in REPORTED_WITH_AUTOCOMMIT[case]:
            with connection.cursor() as cursor:
                cursor.execute(statement.format(t=routines))
                while cursor.nextset():
                    pass
        commits = connection.pop_committed_gtids()

        assert GtidSet.parse(commits.gtids) >= truth() != NOTHING
        assert commits.gtid_source is (GtidSource.EXECUTED if "CALL" in statement else GtidSource.REPORTED)


@pytest.mark.parametrize("case", NOTHING_TO_REPORT)
def test_where_nothing_was_committed_nothing_is_reported(case: str, servers: ReplicaSet, table: str) -> None:
    with tracked(servers.source) as connection, true_commits(servers.source) as truth:
        run(connection, *[statement.format(t=table) for statement in NOTHING_TO_REPORT[case]])

        assert taken(connection) == truth() == NOTHING


@pytest.mark.parametrize("case", NEVER_REPORTED)
def test_commits_that_the_server_never_reports_are_read_from_it(case: str, servers: ReplicaSet, routines: str) -> None:
    autocommit, statements = NEVER_REPORTED[case]
    with tracked(servers.source, autocommit=autocommit) as connection, true_commits(servers.source) as truth:
        connection.reset_tracking()
        run(connection, *[statement.format(t=routines) for statement in statements])
        commits = connection.pop_committed_gtids()

        assert commits.gtid_source is GtidSource.EXECUTED
        assert truth() != NOTHING
        assert truth() <= GtidSet.parse(commits.gtids)


def test_statements_sent_together_are_reported_together(servers: ReplicaSet, table: str) -> None:
    with (
        tracked(servers.source, client_flag=CLIENT.MULTI_STATEMENTS, autocommit=True) as connection,
        true_commits(servers.source) as truth,
        connection.cursor() as cursor,
    ):
        cursor.execute(INSERT_AND_UPDATE.format(t=table))
        while cursor.nextset():
            pass

        assert taken(connection) == truth()
        assert truth().count() == 2


def test_an_unbuffered_cursor_reports_too(servers: ReplicaSet, table: str) -> None:
    with (
        tracked(servers.source, cursorclass=SSCursor) as connection,
        true_commits(servers.source) as truth,
        connection.cursor() as cursor,
    ):
        cursor.execute(INSERT.format(t=table))
        connection.commit()

        assert taken(connection) == truth() != NOTHING


def test_commits_are_taken_once(servers: ReplicaSet, table: str) -> None:
    with tracked(servers.source) as connection:
        run(connection, INSERT.format(t=table))
        connection.commit()

        assert taken(connection) != NOTHING
        assert taken(connection) == NOTHING


def test_a_connection_that_commits_very_often_stays_small_and_safe(servers: ReplicaSet, table: str) -> None:
    with tracked(servers.source, autocommit=True) as connection, true_commits(servers.source) as truth:
        run(connection, INSERT.format(t=table))
        run(connection, *[TOUCH.format(t=table)] * MAX_TRACKED_GTIDS)
        commits = connection.pop_committed_gtids()

        assert commits.gtid_source is GtidSource.EXECUTED
        assert truth() <= GtidSet.parse(commits.gtids)


def test_an_ordinary_account_may_track(servers: ReplicaSet, table: str) -> None:
    with tracked(servers.source, APP) as connection, true_commits(servers.source) as truth:
        run(connection, INSERT.format(t=table))
        connection.commit()

        assert taken(connection) == truth() != NOTHING


def test_tracking_that_a_user_switches_off_is_noticed_and_replaced(servers: ReplicaSet, table: str) -> None:
    with tracked(servers.source) as connection, true_commits(servers.source) as truth:
        assert tracks(connection)

        run(connection, "SET SESSION session_track_gtids = OFF", INSERT.format(t=table))
        connection.commit()
        commits = connection.pop_committed_gtids()

        assert connection.tracking_fault == "session_track_gtids is OFF in this session"
        assert commits.gtid_source is GtidSource.EXECUTED
        assert truth() <= GtidSet.parse(commits.gtids)


def test_a_gap_in_the_tracking_is_not_forgotten_when_it_is_switched_on_again(servers: ReplicaSet, table: str) -> None:
    with tracked(servers.source) as connection, true_commits(servers.source) as truth:
        run(connection, "SET SESSION session_track_gtids = OFF", INSERT.format(t=table), "COMMIT")
        run(connection, "SET SESSION session_track_gtids = OWN_GTID")
        commits = connection.pop_committed_gtids()

        assert tracks(connection)
        assert commits.gtid_source is GtidSource.EXECUTED
        assert truth() <= GtidSet.parse(commits.gtids)


def test_without_the_capability_the_position_is_read_after_the_commit(
    servers: ReplicaSet, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a proxy that does not offer session tracking."""
    greet = TrackingConnection._get_server_information  # noqa: SLF001

    def masked(self: TrackingConnection) -> None:
        greet(self)
        self.server_capabilities &= ~CLIENT.SESSION_TRACK

    monkeypatch.setattr(TrackingConnection, "_get_server_information", masked)
    with tracked(servers.source) as connection, true_commits(servers.source) as truth:
        run(connection, INSERT.format(t=table))
        connection.commit()
        commits = connection.pop_committed_gtids()

        assert connection.tracking_fault is not None
        assert "does not offer session tracking" in connection.tracking_fault
        assert commits.gtid_source is GtidSource.EXECUTED
        assert NOTHING != truth() <= GtidSet.parse(commits.gtids)


@pytest.mark.parametrize("part", ["_read_ok_packet", "_read_query_result", "_request_authentication"])
def test_a_driver_that_no_longer_calls_what_is_overridden_is_noticed(
    part: str, servers: ReplicaSet, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(TrackingConnection, part)
    with tracked(servers.source) as connection, true_commits(servers.source) as truth:
        run(connection, INSERT.format(t=table))
        connection.commit()
        commits = connection.pop_committed_gtids()

        assert commits.gtid_source is GtidSource.EXECUTED
        assert NOTHING != truth() <= GtidSet.parse(commits.gtids)


def test_a_position_that_cannot_be_had_is_said_to_be_unknown(servers: ReplicaSet, table: str) -> None:
    with FaultProxy(servers.source.address) as proxy, tracked(servers.source, port=proxy.port) as connection:
        run(connection, INSERT.format(t=table), "COMMIT", f"ANALYZE TABLE {table}")
        proxy.cut()

        assert connection.pop_committed_gtids().gtid_source is GtidSource.UNKNOWN


def test_a_tracked_commit_takes_one_round_trip_and_not_a_byte_more_to_the_server(
    servers: ReplicaSet, table: str
) -> None:
    def cost(proxy: FaultProxy, connection: pymysql.connections.Connection) -> tuple[int, int]:
        with connection.cursor() as cursor:
            cursor.execute(TOUCH.format(t=table))
        sent = proxy.bytes_to_server
        with proxy.counting() as round_trips:
            connection.commit()
            if isinstance(connection, TrackingConnection):
                assert taken(connection) != NOTHING
            return round_trips(), proxy.bytes_to_server - sent

    servers.source.query(INSERT.format(t=table), database=DATABASE)
    with FaultProxy(servers.source.address) as proxy:
        with pymysql.connect(
            host="127.0.0.1",
            port=proxy.port,
            user=APP.user,
            password=APP.password,
            database=DATABASE,
            ssl=servers.source.tls,
        ) as untracked:
            without = cost(proxy, untracked)
        with tracked(servers.source, APP, port=proxy.port) as connection:
            with_tracking = cost(proxy, connection)

        assert with_tracking == without
        assert with_tracking[0] == 1
