"""What the command tells of running servers without changing them."""

from collections.abc import Iterator

import pytest

from tests.replication.mysql.servers import eventually
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


def test_status_asks_with_the_monitors_account_where_it_is_given(pair: Trial) -> None:
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


def test_status_tells_of_two_servers_that_take_writes(pair: Trial) -> None:
    pair.two.query("SET GLOBAL super_read_only = OFF")
    pair.two.query("SET GLOBAL read_only = OFF")
    found = pair.run("status")

    assert (found.code, found.answer["source"]) == (1, None)
    assert "all accept writes" in found.answer["reason"]


def test_verify_finds_nothing_where_all_is_well(pair: Trial) -> None:
    before = pair.traces()

    assert pair.run("verify").answer == {"ok": True, "findings": []}
    assert pair.traces() == before


def test_verify_tells_why_an_applier_stopped(pair: Trial) -> None:
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


@pytest.fixture
def tracked_everywhere(pair: Trial) -> Iterator[Trial]:
    pair.two.query("SET GLOBAL session_track_gtids = OWN_GTID")
    yield pair
    pair.two.query("SET GLOBAL session_track_gtids = OFF")


def test_verify_warns_of_tracking_for_all_sessions(tracked_everywhere: Trial) -> None:
    assert tracked_everywhere.run("verify").codes == ["tracking_everywhere"]


def test_verify_tells_of_an_account_that_was_locked(pair: Trial) -> None:
    pair.one.query("ALTER USER monitor ACCOUNT LOCK")
    found = pair.run("verify")

    assert found.codes == ["account_refused"]
    assert "has locked the account monitor" in found.answer["findings"][0]["what"]
