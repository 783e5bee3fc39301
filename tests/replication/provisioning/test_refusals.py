"""What must not be touched is refused with one line that names the server and the cure, and no server is changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replication.mysql.certificates import Certificates
from tests.replication.provisioning.trial import Outcome, Trial, fill, in_step

pytestmark = pytest.mark.mysql


def refusal(trial: Trial, *arguments: str, servers: tuple[str, ...] = ()) -> Outcome:
    """Of `provision`; `verify` finds the same, and neither changes anything."""
    before = trial.traces()
    refused = trial.run("provision", *arguments, servers=servers)

    assert refused.code == 1, refused
    assert "Traceback" not in refused.err
    assert trial.traces() == before
    if not arguments:
        assert trial.run("verify", servers=servers).codes == refused.codes
    return refused


def shown(outcome: Outcome, code: str, server: str, *words: str) -> bool:
    """Whether one line names this server and these words, the cure among them, under that code."""
    lines = [line for line in outcome.err.splitlines() if f"[{code}]" in line]
    return len(lines) == 1 and all(word in lines[0] for word in (f"{server} (127.0.0.1:", "REP-009", *words))


def test_a_wrong_password_names_each_server_that_refuses_it(trial: Trial) -> None:
    trial.changed["admin_password"] = "wrong"
    refused = refusal(trial)

    assert refused.codes == ["no_access", "no_access"]
    assert "one (127.0.0.1:" in refused.err
    assert "two (127.0.0.1:" in refused.err
    assert "check its name, its password" in refused.err
    assert "wrong" not in refused.err


def test_a_certificate_of_another_authority_is_not_believed(trial: Trial, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(Certificates.make("one").authority, "ascii")
    trial.changed["ca_file"] = str(other)
    refused = refusal(trial)

    assert refused.codes == ["no_access", "no_access"]
    assert "shows a certificate that is not trusted" in refused.err
    assert "check the CA file" in refused.err


def test_a_certificate_of_another_host_is_refused_if_the_host_is_verified(trial: Trial) -> None:
    trial.changed["verify_host"] = "yes"
    trial.changed["servers"] = f"one=localhost:{trial.one.port},two=127.0.0.1:{trial.two.port}"
    before = trial.traces()
    refused = trial.run("provision")

    assert refused.codes == ["no_access"]
    assert "one (localhost:" in refused.err
    assert trial.traces() == before


def test_a_host_that_cannot_be_reached_stops_all_before_the_first_change(trial: Trial) -> None:
    trial.changed |= {"wait": "0", "servers": f"one=127.0.0.1:{trial.one.port},two=127.0.0.1:1"}
    before = trial.traces()
    refused = trial.run("provision")

    assert refused.codes == ["no_answer"]
    assert shown(refused, "no_answer", "two", "Check that it runs, its address and the firewall")
    assert trial.traces() == before


def test_a_stalled_server_times_out(trial: Trial) -> None:
    trial.changed["wait"] = "0"
    with trial.two.frozen():
        refused = trial.run("provision")

    assert shown(refused, "no_answer", "two")
    assert trial.one.value("SELECT COUNT(*) FROM mysql.user WHERE user = 'app'") == 0


@pytest.fixture
def without_gtids(trial: Trial) -> Iterator[Trial]:
    trial.two.query("SET GLOBAL gtid_mode = ON_PERMISSIVE")
    yield trial
    trial.two.query("SET GLOBAL gtid_mode = ON")


def test_a_server_without_gtids_is_refused(without_gtids: Trial) -> None:
    refused = refusal(without_gtids)

    assert refused.codes == ["no_gtids"]
    assert shown(refused, "no_gtids", "two", "gtid_mode=ON_PERMISSIVE", "in its option file and restart it")


@pytest.fixture
def one_server_id(trial: Trial) -> Iterator[Trial]:
    before = trial.two.value("SELECT @@server_id")
    trial.two.query("SET GLOBAL server_id = %s", trial.one.value("SELECT @@server_id"))
    yield trial
    trial.two.query("SET GLOBAL server_id = %s", before)


def test_equal_server_ids_are_refused(one_server_id: Trial) -> None:
    refused = refusal(one_server_id)

    assert shown(refused, "same_server_id", "two", "one (127.0.0.1:", "(11)", "give each server its own server_id")


def test_one_server_listed_twice_is_refused(trial: Trial) -> None:
    port = trial.one.port
    trial.changed["servers"] = f"one=127.0.0.1:{port},two=localhost:{port}"
    refused = refusal(trial)

    assert set(refused.codes) == {"same_server_id", "same_server_uuid"}


def test_a_replica_of_another_source_is_refused(trial: Trial) -> None:
    trial.provision(servers=("three", "two"))
    fill(trial.three)
    in_step(trial.three, trial.two)
    refused = refusal(trial)

    assert refused.codes == ["other_source"]
    assert shown(refused, "other_source", "two", "three:3306", trial.three.uuid, "--rebuild two")


def test_a_replica_that_never_met_its_other_source_is_refused(trial: Trial) -> None:
    trial.two.query("CHANGE REPLICATION SOURCE TO SOURCE_HOST='elsewhere', SOURCE_USER='x', SOURCE_AUTO_POSITION=1")
    refused = refusal(trial)

    assert shown(refused, "other_source", "two", "elsewhere:3306", "unknown")


def test_an_errant_transaction_is_refused_with_its_name(trial: Trial) -> None:
    trial.provision()
    in_step(trial.one, trial.two)
    trial.two.query("SET GLOBAL super_read_only = OFF")
    trial.two.query("CREATE TABLE inventory.rogue (id INT)")
    refused = refusal(trial)

    assert refused.codes == ["errant_transactions"]
    assert shown(refused, "errant_transactions", "two", f"{trial.two.uuid}:1", "save what exists only there")


def test_a_server_with_data_of_its_own_is_not_made_a_replica(trial: Trial) -> None:
    fill(trial.one)
    fill(trial.two)
    trial.changed["source"] = "one"
    refused = refusal(trial)

    assert refused.codes == ["errant_transactions"]


def test_data_without_gtids_is_not_overwritten(trial: Trial) -> None:
    fill(trial.two)
    trial.two.query("RESET BINARY LOGS AND GTIDS")
    trial.changed["source"] = "one"
    refused = refusal(trial)

    assert shown(refused, "foreign_data", "two", "inventory.stock", "--rebuild two")


def test_of_two_servers_with_data_none_is_guessed_to_be_the_source(trial: Trial) -> None:
    fill(trial.one)
    fill(trial.two)
    refused = refusal(trial)

    assert refused.codes == ["ambiguous_source"]
    assert "--source" in refused.err


def test_the_only_server_with_data_becomes_the_source_wherever_it_is_listed(trial: Trial) -> None:
    fill(trial.two)

    assert trial.provision().answer["source"] == "two"
    in_step(trial.two, trial.one)


def test_the_source_of_others_is_not_replaced_by_naming_another(trial: Trial) -> None:
    trial.provision()
    trial.changed["source"] = "two"
    refused = refusal(trial)

    assert shown(refused, "not_the_source", "two", "inventory-replication switchover two")


def test_the_source_is_not_rebuilt(trial: Trial) -> None:
    trial.provision()

    assert refusal(trial, "--rebuild", "one").codes == ["not_the_source"]


def test_the_missing_rights_of_the_admin_account_are_named(trial: Trial) -> None:
    for server in (trial.one, trial.two):
        server.query("CREATE USER weak IDENTIFIED BY 'weak-for-tests'")
        server.query("GRANT SELECT, RELOAD ON *.* TO weak")
    trial.changed |= {"admin_user": "weak", "admin_password": "weak-for-tests"}
    refused = refusal(trial)

    assert refused.codes == ["admin_rights", "admin_rights"]
    assert "CREATE USER" in refused.err
    assert "RELOAD" not in refused.err


def test_a_powerful_account_is_not_cut_down_to_a_role(trial: Trial) -> None:
    trial.one.query("CREATE USER app IDENTIFIED BY 'x'")
    trial.one.query("GRANT ALL ON *.* TO app")

    assert shown(refusal(trial), "privileged_account", "one", "app")


@pytest.mark.parametrize("setting", ["app_user", "replication_user"])
def test_the_administrators_account_gets_no_role(trial: Trial, setting: str) -> None:
    trial.changed[setting] = "root"
    before = trial.traces()
    refused = trial.run("provision")

    assert refused.code == 2
    assert "REP-001" in refused.err
    assert trial.traces() == before


def test_a_wrong_address_between_the_servers_is_reported_with_its_cure(trial: Trial) -> None:
    trial.changed |= {"wait": "1", "peer_addresses": "one=one:1,two=two:3306"}
    found = trial.run("provision")

    assert (found.code, found.codes) == (1, ["receiver"])
    assert "one:1" in found.answer["findings"][0]["what"]
    assert "--peer-address" in found.answer["findings"][0]["cure"]
