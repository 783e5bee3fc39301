"""The report of the command on running servers, which changes nothing."""

import threading
from collections.abc import Iterator

import pytest

from inventory_replication.provisioning import row_checksums
from tests.replication.mysql.servers import MySQLServer, eventually
from tests.replication.provisioning.trial import Trial, fill, in_step

pytestmark = pytest.mark.mysql


@pytest.fixture
def pair(trial: Trial) -> Iterator[Trial]:
    trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)
    yield trial
    trial.two.query("STOP REPLICA")


def test_status_names_the_source_and_how_far_its_replicas_are(pair: Trial) -> None:
    found = pair.run("status")
    source, replica = found.answer["servers"]

    assert (found.code, found.answer["mode"], found.answer["source"]) == (0, "normal", "one")
    assert (source["state"], source["staleness_seconds"]) == ("source", None)
    assert (replica["state"], replica["transactions_behind"]) == ("replica", 0)
    assert 0 < replica["staleness_seconds"] < 30


def test_status_uses_the_monitor_account_if_its_password_is_set(pair: Trial) -> None:
    pair.changed["admin_password"] = "wrong"

    assert pair.run("status").code == 0


def test_status_counts_what_a_replica_lacks_and_proves_no_staleness_that_it_cannot(pair: Trial) -> None:
    pair.two.query("STOP REPLICA SQL_THREAD")
    fill(pair.one)
    fill(pair.one)
    found = pair.run("status", "--watch", "0.3")
    replica = found.answer["servers"][1]

    assert found.code == 1
    assert (replica["state"], replica["transactions_behind"], replica["staleness_seconds"]) == ("stalled", 4, None)


def test_status_reports_two_servers_that_take_writes(pair: Trial) -> None:
    pair.two.query("SET GLOBAL super_read_only = OFF")
    pair.two.query("SET GLOBAL read_only = OFF")
    found = pair.run("status")

    assert (found.code, found.answer["source"]) == (1, None)
    assert "all accept writes" in found.answer["reason"]


def test_verify_finds_nothing_where_all_is_well(pair: Trial) -> None:
    before = pair.traces()

    assert pair.run("verify").answer == {"ok": True, "findings": []}
    assert pair.traces() == before


def test_verify_reports_why_an_applier_stopped(pair: Trial) -> None:
    pair.two.query("SET GLOBAL super_read_only = OFF")
    connection = pair.two.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_log_bin = OFF")
        cursor.execute("DROP TABLE inventory.stock")
    pair.two.query("SET GLOBAL super_read_only = ON")
    pair.one.query("INSERT INTO inventory.stock (note) VALUES ('b')")
    eventually(
        "the applier stops",
        lambda: pair.two.value("SELECT SERVICE_STATE FROM performance_schema.replication_applier_status") == "OFF",
    )
    pair.changed["wait"] = "0"
    found = pair.run("provision")

    assert (found.code, found.codes) == (1, ["applier"])
    assert "(1146: " in found.answer["findings"][0]["what"]
    assert "--rebuild two" in found.answer["findings"][0]["cure"]
    pair.changed["wait"] = "30"
    pair.provision("--rebuild", "two")


def test_verify_finds_tables_that_came_without_a_gtid(pair: Trial) -> None:
    connection = pair.one.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_log_bin = OFF")
        cursor.execute("CREATE TABLE inventory.unlogged (id INT)")
    found = pair.run("verify")

    assert (found.code, found.codes) == (1, ["tables_differ"])
    assert "inventory.unlogged" in found.answer["findings"][0]["what"]


def without_logging(server: MySQLServer, *statements: str) -> None:
    """Change a server and nothing that replicates, as a crash of its disk or a careless person would."""
    connection = server.connect()
    server.query("SET GLOBAL super_read_only = OFF")
    with connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_log_bin = OFF")
        for statement in statements:
            cursor.execute(statement)
    server.query("SET GLOBAL super_read_only = ON")


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM inventory.stock WHERE id = 2",
        "UPDATE inventory.stock SET note = 'b' WHERE id = 2",
        "UPDATE inventory.stock SET note = NULL WHERE id = 3",
        "INSERT INTO inventory.stock VALUES (99, 'more')",
    ],
)
def test_verify_finds_rows_that_differ_on_a_replica(pair: Trial, change: str) -> None:
    without_logging(pair.two, change)
    found = pair.run("verify")

    assert (found.code, found.codes) == (1, ["rows_differ"])
    assert "inventory.stock" in found.answer["findings"][0]["what"]
    assert pair.run("verify", "--skip-rows").codes == []


def test_verify_compares_keys_of_several_columns_and_tables_without_a_key_in_parts(
    pair: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_checksums, "CHUNK_ROWS", 2)
    pair.one.query("CREATE TABLE inventory.paired (a VARCHAR(9), b VARBINARY(9), c JSON, PRIMARY KEY (a, b))")
    pair.one.query("CREATE TABLE inventory.keyless (a INT, b DOUBLE)")
    values = ", ".join(f"('{a}', 0x{b:02X}, '{{}}')" for a in "Añz" for b in (0, 127, 255))
    pair.one.query(f"INSERT INTO inventory.paired VALUES {values}")  # noqa: S608 - of this test
    pair.one.query("INSERT INTO inventory.keyless VALUES (1, 0.1), (1, NULL), (2, 1e300)")
    in_step(pair.one, pair.two)
    healthy = pair.run("verify")
    without_logging(
        pair.two,
        "UPDATE inventory.paired SET c = '[]' WHERE a = 'z' AND b = 0xFF",
        "UPDATE inventory.keyless SET b = 0.2 WHERE a = 2",
    )
    found = pair.run("verify").answer["findings"]

    assert healthy.codes == []
    assert [(each["code"], each["what"].split(" than ")[0].rpartition(" ")[2]) for each in found] == [
        ("rows_differ", "inventory.keyless"),
        ("rows_differ", "inventory.paired"),
    ]
    assert "in 1 of 5 parts" in found[1]["what"]


def test_verify_compares_rows_while_they_change(pair: Trial) -> None:
    end = threading.Event()

    def write() -> None:
        connection = pair.one.connect()
        with connection, connection.cursor() as cursor:
            while not end.is_set():
                cursor.execute("UPDATE inventory.stock SET note = LEFT(UUID(), 30) WHERE id = 1")
                end.wait(0.2)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = pair.run("verify")
    finally:
        end.set()
        writer.join()

    assert set(found.codes) <= {"rows_not_compared"}


@pytest.fixture
def tracked_everywhere(pair: Trial) -> Iterator[Trial]:
    pair.two.query("SET GLOBAL session_track_gtids = OWN_GTID")
    yield pair
    pair.two.query("SET GLOBAL session_track_gtids = OFF")


def test_verify_warns_of_tracking_for_all_sessions(tracked_everywhere: Trial) -> None:
    assert tracked_everywhere.run("verify").codes == ["tracking_everywhere"]


def test_verify_reports_an_account_that_was_locked(pair: Trial) -> None:
    pair.one.query("ALTER USER monitor ACCOUNT LOCK")
    found = pair.run("verify")

    assert found.codes == ["account_refused"]
    assert "has locked the account monitor" in found.answer["findings"][0]["what"]
