"""New servers become a source and its replicas, and stay that, whatever happens to them."""

from contextlib import suppress

import pymysql
import pytest

from inventory_replication.config import Credentials, MonitorPolicy
from inventory_replication.mysql.probes import Probe, ServerReport
from inventory_replication.provisioning.apply import provision
from inventory_replication.provisioning.plan.desired_state import Role
from inventory_replication.provisioning.plan.findings import ChecksFailed
from inventory_replication.provisioning.plan.steps import Follow, Step
from inventory_replication.provisioning.server_admin import AdminError, LockLost
from tests.replication.mysql.servers import MySQLServer, eventually
from tests.replication.provisioning.trial import (
    ACCOUNTS,
    READ_ONLY,
    Trial,
    fill,
    in_step,
    launch,
    purge,
    rows,
    trace,
)

pytestmark = pytest.mark.mysql

CREATE = "CREATE TABLE inventory.made (id INT PRIMARY KEY)"


def number(server: MySQLServer, role: Role, statement: str) -> int:
    """The server's error number for a statement of that role; 0: none."""
    connection = server.connect(ACCOUNTS[role], database=None)
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute(statement)
        except pymysql.err.Error as error:
            return int(error.args[0])
    return 0


def test_two_new_servers_become_a_source_and_its_replica(trial: Trial) -> None:
    outcome = trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)

    assert (outcome.answer["source"], outcome.codes) == ("one", [])
    assert rows(trial.two) == 3
    assert trial.one.value("SELECT @@super_read_only") == 0
    assert trial.two.value("SELECT @@super_read_only") == 1
    settings = trial.two.query(
        "SELECT HOST, USER, AUTO_POSITION, SSL_ALLOWED, SSL_CA_FILE, GTID_ONLY, GET_PUBLIC_KEY "
        "FROM performance_schema.replication_connection_configuration"
    )[0]
    assert tuple(map(str, settings)) == ("one", "replication", "1", "YES", "/etc/mysql/authority.pem", "1", "NO")


def test_the_accounts_can_do_their_work_and_no_more(trial: Trial) -> None:
    trial.provision()

    assert number(trial.one, Role.MIGRATOR, CREATE) == 0
    assert number(trial.one, Role.APP, "INSERT INTO inventory.made VALUES (1)") == 0
    assert number(trial.one, Role.APP, "DELETE FROM inventory.made") == 0
    denied = {1044, 1142, 1227}
    assert number(trial.one, Role.APP, "DROP TABLE inventory.made") in denied
    assert number(trial.one, Role.APP, "SELECT * FROM mysql.user") in denied
    assert number(trial.one, Role.MIGRATOR, "CREATE SCHEMA other") in denied
    assert number(trial.one, Role.MONITOR, "SELECT * FROM inventory.made") in denied
    assert number(trial.one, Role.REPLICATION, "SELECT * FROM inventory.made") in denied
    assert number(trial.one, Role.MONITOR, "SET GLOBAL super_read_only = OFF") in denied


def test_the_monitor_may_run_every_query_of_a_probe_on_every_server(trial: Trial) -> None:
    trial.provision()
    in_step(trial.one, trial.two)
    for server in (trial.one, trial.two):
        probe = Probe(server.config, ACCOUNTS[Role.MONITOR], tls=server.tls, policy=MonitorPolicy(read_timeout=10.0))
        report = probe.query()
        probe.close()

        assert isinstance(report, ServerReport), report


def test_the_accounts_are_let_in_over_encrypted_connections_only(trial: Trial) -> None:
    trial.provision()
    for account in ACCOUNTS.values():
        with pytest.raises(pymysql.err.OperationalError, match=r"1045|3159"):
            trial.one.connect(account, ssl=None, ssl_disabled=True)


def test_a_replica_refuses_the_writes_of_the_application(trial: Trial) -> None:
    trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)

    assert number(trial.two, Role.APP, "INSERT INTO inventory.stock (note) VALUES ('b')") == READ_ONLY


def test_a_second_run_finds_nothing_to_do_and_touches_nothing(trial: Trial) -> None:
    trial.provision()
    before = trial.traces()
    second = trial.provision()

    assert second.steps == []
    assert trial.traces() == before


def test_a_plan_can_be_looked_at_without_being_carried_out(trial: Trial) -> None:
    before = trial.traces()
    planned = trial.provision("--dry-run")

    assert trial.traces() == before
    carried_out = trial.provision()
    assert planned.steps == carried_out.steps
    assert carried_out.steps[-1] == ("two", "Follow")


def test_after_a_restart_every_server_refuses_writes_until_the_source_is_opened(trial: Trial) -> None:
    trial.provision()
    fill(trial.one)
    for server in (trial.one, trial.two):
        server.kill()
    for server in (trial.two, trial.one):
        server.start()

    assert trial.two.value("SELECT @@super_read_only") == 1
    assert trial.two.value("SELECT @@relay_log_recovery") == 1
    assert trial.one.value("SELECT @@super_read_only") == 1
    assert trial.provision().steps == [("one", "SetReadOnly")]
    assert trial.one.value("SELECT @@super_read_only") == 0
    fill(trial.one)
    in_step(trial.one, trial.two)
    assert rows(trial.two) == 6


def test_a_second_replica_joins_from_the_first_log_on(trial: Trial) -> None:
    trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)
    before = trace(trial.two)
    joined = trial.provision(servers=("one", "two", "three"))

    assert {server for server, _ in joined.steps} == {"three"}
    assert [step for _, step in joined.steps][-3:] == ["EmptyNewServer", "SetReadOnly", "Follow"]
    assert rows(trial.three) == 3
    assert trace(trial.two) == before


def test_a_replica_is_copied_where_the_source_has_purged_its_logs(trial: Trial) -> None:
    trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)
    purge(trial.one)
    joined = trial.provision(servers=("one", "two", "three"))
    fill(trial.one)
    in_step(trial.one, trial.three)

    why = next(step["why"] for step in joined.answer["steps"] if step["step"] == "Clone")
    assert "no longer has all its binary logs" in why
    assert rows(trial.three) == 6
    assert trial.three.value("SELECT @@super_read_only") == 1
    assert trial.three.uuid not in {trial.one.uuid, trial.two.uuid}
    assert trial.provision(servers=("one", "two", "three")).steps == []


def test_a_copy_whose_restart_was_not_seen_is_made_a_replica_by_the_next_run(trial: Trial) -> None:
    fill(trial.one)
    purge(trial.one)
    trial.changed["wait"] = "0"
    failed = trial.run("provision")
    trial.two.wait_until_it_answers()
    trial.changed["wait"] = "20"

    assert failed.code == 1
    assert failed.answer["code"] == "REP-101"
    assert "two (127.0.0.1:" in failed.err
    assert "Start it, then run the same command again" in failed.err
    assert rows(trial.two) == 3
    assert trial.two.value("SELECT @@super_read_only") == 1
    assert trial.provision().steps == [("two", "Follow")]


def test_a_replica_that_lacks_purged_transactions_is_rebuilt_only_on_request(trial: Trial) -> None:
    trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)
    trial.two.query("STOP REPLICA")
    fill(trial.one)
    purge(trial.one)
    before = trial.traces()
    refused = trial.run("provision")

    assert (refused.code, refused.codes) == (1, ["logs_purged"])
    assert "--rebuild two" in refused.err
    assert trial.traces() == before
    trial.provision("--rebuild", "two")
    assert rows(trial.two) == 6


def test_a_changed_password_reaches_the_accounts_and_the_replica(trial: Trial) -> None:
    trial.provision()
    trial.changed |= {"replication_password": "another", "app_password": "third"}
    changed = trial.provision()

    assert changed.steps == [("one", "SecureAccount"), ("one", "SecureAccount"), ("two", "Follow")]
    assert trial.provision().steps == []
    trial.two.query("STOP REPLICA")
    trial.two.query("START REPLICA")
    fill(trial.one)
    in_step(trial.one, trial.two)


def test_rights_that_a_role_lacks_or_does_not_need_are_fixed(trial: Trial) -> None:
    trial.provision()
    trial.one.query("REVOKE DELETE ON inventory.* FROM app")
    trial.one.query("GRANT ALL ON other.* TO app")
    trial.one.query("GRANT SELECT ON mysql.user TO monitor WITH GRANT OPTION")
    found = trial.run("verify")

    assert (found.code, set(found.codes)) == (1, {"account_rights"})
    trial.provision()
    assert trial.run("verify").answer == {"ok": True, "findings": []}
    grants = {row[0] for row in trial.one.query("SHOW GRANTS FOR app")}
    assert grants == {
        "GRANT USAGE ON *.* TO `app`@`%`",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON `inventory`.* TO `app`@`%`",
    }


def test_the_application_updates_the_tables_that_are_named_and_only_adds_to_the_others(trial: Trial) -> None:
    trial.provision()
    trial.one.query("CREATE TABLE inventory.balance (id INT PRIMARY KEY)")
    trial.changed |= {"updatable_tables": "balance, not_yet"}
    changed = trial.provision()

    assert changed.steps == [("one", "GrantRights"), ("one", "RevokeRights")]
    assert trial.provision().steps == []
    assert {row[0] for row in trial.one.query("SHOW GRANTS FOR app")} == {
        "GRANT USAGE ON *.* TO `app`@`%`",
        "GRANT SELECT, INSERT ON `inventory`.* TO `app`@`%`",
        "GRANT UPDATE, DELETE ON `inventory`.`balance` TO `app`@`%`",
        "GRANT UPDATE, DELETE ON `inventory`.`not_yet` TO `app`@`%`",
    }


def test_the_account_that_migrates_creates_triggers(trial: Trial) -> None:
    trial.one.query("SET GLOBAL log_bin_trust_function_creators = OFF")
    trial.changed |= {"migrator_password": "migrator"}
    trial.provision()

    with trial.one.connect(Credentials("migrator", "migrator"), database="inventory") as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE ledger (id INT PRIMARY KEY)")
        cursor.execute("CREATE TRIGGER no_update BEFORE UPDATE ON ledger FOR EACH ROW SIGNAL SQLSTATE '45000'")
    assert trial.provision().steps == []


def test_a_replica_that_was_stopped_or_made_writable_is_fixed(trial: Trial) -> None:
    trial.provision()
    trial.two.query("STOP REPLICA")
    trial.two.query("SET GLOBAL super_read_only = OFF")
    mended = trial.provision()

    assert mended.steps == [("two", "SetReadOnly"), ("two", "StartReplica")]
    assert trial.provision().steps == []


def test_two_runs_at_once_do_not_meet(trial: Trial) -> None:
    trial.changed["wait"] = "0"
    with trial.admin() as admin:
        admin.lock()
        before = trial.traces()
        refused = trial.run("provision")

        assert (refused.code, refused.codes) == (1, ["busy"])
        assert trial.traces() == before
    eventually("the lock is given back", lambda: trial.run("provision").code == 0)


LOCK = "inventory_replication_provisioning"


def end_connections_of_runs(server: MySQLServer) -> None:
    """As a restart of the server or a firewall does it."""
    mine = "SELECT ID FROM performance_schema.processlist WHERE ID <> CONNECTION_ID() AND USER = 'root'"
    for (number,) in server.query(mine):
        server.query("KILL %s", number)


def test_the_lock_is_taken_again_after_the_connection_was_lost(trial: Trial) -> None:
    with trial.admin() as admin:
        admin.lock()
        end_connections_of_runs(trial.one)
        with suppress(AdminError):
            admin.server("one").value("SELECT 1")

        assert admin.server("one").value("SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", LOCK) == 1


def test_the_lock_that_another_run_took_meanwhile_ends_this_one_before_it_changes_anything(trial: Trial) -> None:
    other = trial.one.connect()
    with trial.admin() as admin, other, other.cursor() as cursor:
        admin.lock()
        end = [trial.one.value("SELECT IS_USED_LOCK(%s)", LOCK)]
        cursor.execute("KILL %s", end)
        cursor.execute("SELECT GET_LOCK(%s, 5)", (LOCK,))
        before = trial.traces()
        with suppress(AdminError):
            admin.server("one").value("SELECT 1")
        with pytest.raises(LockLost, match="another run may hold the lock now"):
            admin.server("one").create_schema("made_without_the_lock")
        with pytest.raises(ChecksFailed) as refusal:
            admin.gather()

        assert [(finding.code, finding.server) for finding in refusal.value.findings] == [("busy", "one")]
        assert trial.traces() == before


def test_the_lock_is_held_again_after_a_copy_has_restarted_the_server(trial: Trial) -> None:
    fill(trial.one)
    purge(trial.one)
    held: list[bool] = []

    def notify(step: Step) -> None:
        if isinstance(step, Follow):
            held.append(trial.two.value("SELECT IS_USED_LOCK(%s) IS NOT NULL", LOCK) == 1)

    with trial.admin() as admin:
        provision(admin, wait=60, notify=notify)

    assert held == [True]


def test_a_server_that_is_still_starting_is_waited_for(trial: Trial) -> None:
    trial.two.kill()
    trial.two = launch(trial.two)
    trial.provision()

    assert trial.two.value("SELECT @@super_read_only") == 1


def test_without_tls_a_replica_fetches_the_public_key_of_its_source(trial: Trial) -> None:
    trial.changed |= {"tls": "off", "source_ca": ""}
    trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)
    settings = trial.two.query(
        "SELECT SSL_ALLOWED, GET_PUBLIC_KEY FROM performance_schema.replication_connection_configuration"
    )

    assert settings == (("NO", "YES"),)
    assert trial.provision().steps == []
    trial.changed |= {"tls": "required", "source_ca": "/etc/mysql/authority.pem"}
    assert {step for _, step in trial.provision().steps} == {"SecureAccount", "Follow"}


def test_replicas_of_an_older_installation_begin_to_verify_the_host_of_their_source(trial: Trial) -> None:
    trial.changed["source_ca"] = ""
    trial.provision()
    trial.changed |= {"source_ca": "/etc/mysql/authority.pem", "source_verify_host": "yes"}
    upgraded = trial.provision()
    fill(trial.one)
    in_step(trial.one, trial.two)
    settings = trial.two.query(
        "SELECT SSL_ALLOWED, SSL_CA_FILE, SSL_VERIFY_SERVER_CERTIFICATE "
        "FROM performance_schema.replication_connection_configuration"
    )

    assert upgraded.steps == [("two", "Follow")]
    assert settings == (("YES", "/etc/mysql/authority.pem", "YES"),)
    assert trial.provision().steps == []
    assert trial.run("verify").code == 0


def test_a_replica_does_not_follow_a_source_whose_certificate_holds_another_host(trial: Trial) -> None:
    host = str(trial.one.value("SELECT @@hostname"))
    trial.changed |= {"peer_addresses": f"one={host}:3306,two=two:3306", "source_verify_host": "yes", "wait": "5"}
    refused = trial.run("provision")
    receiver = trial.two.value("SELECT SERVICE_STATE FROM performance_schema.replication_connection_status")
    trial.changed["source_verify_host"] = "no"

    assert (refused.code, refused.codes) == (1, ["receiver"])
    (finding,) = refused.answer["findings"]
    assert "certificate verify failed" in finding["what"]
    assert "check the certificates" in finding["cure"]
    assert receiver == "CONNECTING"
    assert trial.provision().steps == [("two", "Follow")]
