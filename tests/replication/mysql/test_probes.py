"""A server says who it is and how far it has come; one that does not answer is named, with the cure."""

import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inventory_replication.config import Credentials, MonitorPolicy, Server
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.snapshot import NoAnswer
from inventory_replication.mysql.probes import Probe, ServerReport
from inventory_replication.mysql.tls import client_tls
from tests.replication.mysql.certificates import Certificates
from tests.replication.mysql.fault_proxy import Fault, FaultProxy
from tests.replication.mysql.servers import APP, DATABASE, MONITOR, MySQLServer, ReplicaSet, create_accounts, eventually

pytestmark = pytest.mark.mysql

INSERT = "INSERT INTO {t} VALUES (1, 'a')"
QUICK = MonitorPolicy(connect_timeout=0.5, read_timeout=0.5)


@pytest.fixture
def probe(servers: ReplicaSet) -> Iterator[Callable[..., Probe]]:
    made: list[Probe] = []

    def build(server: Server | MySQLServer, account: Credentials = MONITOR, **options: Any) -> Probe:
        config = server if isinstance(server, Server) else server.config
        made.append(Probe(config, account, **{"tls": servers.tls, **options}))
        return made[-1]

    yield build
    for each in made:
        each.close()


def answer(probe: Probe) -> ServerReport:
    report = probe.query()
    assert isinstance(report, ServerReport), report
    return report


def refusal(probe: Probe) -> NoAnswer:
    refused = probe.query()
    assert isinstance(refused, NoAnswer), refused
    assert probe.server.name in refused.why
    assert probe.server.address in refused.why
    assert "\n" not in refused.why
    return refused


def test_the_source_answers_with_its_identity_and_position(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    report = answer(probe(servers.source))
    facts = report.facts

    assert (facts.server_uuid, facts.server_id) == (servers.source.uuid, 1)
    assert facts.writable
    assert facts.gtids_on
    assert facts.executed == GtidSet.parse(servers.source.executed())
    assert facts.channels == ()
    assert report.gtid_mode == "ON"
    assert re.match(r"\d+\.\d+\.\d+", report.version)
    assert report.semisync_source is None
    assert report.semisync_replica is None


def test_a_replica_answers_with_its_channel(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    report = answer(probe(servers.replica2))
    (channel,) = report.facts.channels

    assert report.facts.read_only
    assert report.facts.super_read_only
    assert not report.facts.writable
    assert channel.source_uuid == servers.source.uuid
    assert channel.source_address == "source:3306"
    assert channel.receiver_running
    assert channel.receiver_enabled
    assert channel.applier_running
    assert (channel.name, channel.receiver_error, channel.applier_error) == ("", "", "")
    assert report.without_auto_position == ()


def test_an_answer_takes_one_round_trip(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    with FaultProxy(servers.replica1.address) as proxy:
        requested = probe(Server("replica1", "127.0.0.1", proxy.port))
        answer(requested)
        with proxy.counting() as sent:
            answer(requested)

            assert sent() == 1


def test_the_position_grows_with_each_commit(servers: ReplicaSet, table: str, probe: Callable[..., Probe]) -> None:
    requested = probe(servers.source)
    before = answer(requested).facts.executed
    servers.source.query(INSERT.format(t=table), database=DATABASE)
    after = answer(requested).facts.executed

    assert before <= after
    assert (after - before).count() == 1


def test_a_stopped_receiver_is_seen(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    servers.replica1.query("STOP REPLICA IO_THREAD")
    (channel,) = answer(probe(servers.replica1)).facts.channels

    assert not channel.receiver_running
    assert not channel.receiver_enabled
    assert channel.applier_running


def test_a_stopped_applier_is_seen(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    servers.replica1.query("STOP REPLICA SQL_THREAD")
    (channel,) = answer(probe(servers.replica1)).facts.channels

    assert channel.receiver_running
    assert not channel.applier_running


def test_a_receiver_that_cannot_connect_is_seen_with_its_error(
    servers: ReplicaSet, probe: Callable[..., Probe]
) -> None:
    replica = servers.replica1
    replica.query("STOP REPLICA IO_THREAD")
    replica.query("CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = 'wrong'")
    replica.query("START REPLICA IO_THREAD")
    requested = probe(replica)
    eventually("the receiver's error is reported", lambda: answer(requested).facts.channels[0].receiver_error)
    (channel,) = answer(requested).facts.channels
    replica.query("STOP REPLICA IO_THREAD")
    replica.query("CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = 'replication-for-tests'")

    assert not channel.receiver_running
    assert channel.receiver_enabled
    assert "Access denied" in channel.receiver_error


def test_an_applier_that_failed_is_seen_with_its_error(
    servers: ReplicaSet, table: str, probe: Callable[..., Probe]
) -> None:
    """A row that is there already stops the applier; the receiver runs on."""
    replica = servers.replica1
    with replica.connect(database=DATABASE) as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL super_read_only = OFF")
        cursor.execute("SET SESSION sql_log_bin = 0")
        cursor.execute(INSERT.format(t=table))
        servers.source.query(INSERT.format(t=table), database=DATABASE)
        requested = probe(replica)
        eventually("the applier's error is reported", lambda: answer(requested).facts.channels[0].applier_error)
        (channel,) = answer(requested).facts.channels
        cursor.execute(f"TRUNCATE TABLE {table}")
        cursor.execute("SET GLOBAL super_read_only = ON")

    assert channel.receiver_running
    assert not channel.applier_running
    assert channel.applier_error.startswith(("1062", "13146"))


def test_semisynchronous_replication_is_reported_where_it_is_installed(
    servers: ReplicaSet, probe: Callable[..., Probe]
) -> None:
    requested = probe(servers.source)
    servers.source.query("INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
    try:
        assert answer(requested).semisync_source is False
        servers.source.query("SET GLOBAL rpl_semi_sync_source_enabled = ON")
        assert answer(requested).semisync_source is True
    finally:
        servers.source.query("SET GLOBAL rpl_semi_sync_source_enabled = OFF")
        servers.source.query("UNINSTALL PLUGIN rpl_semi_sync_source")
    assert answer(requested).semisync_source is None


def test_a_server_without_gtids_answers_and_says_so(spare: MySQLServer, probe: Callable[..., Probe]) -> None:
    create_accounts(spare)
    for mode in ("ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"):
        spare.query(f"SET GLOBAL gtid_mode = {mode}")
        report = answer(probe(spare))

        assert report.gtid_mode == mode
        assert not report.facts.gtids_on


def test_a_server_that_is_not_there_is_named(probe: Callable[..., Probe]) -> None:
    with FaultProxy(("127.0.0.1", 1)) as proxy:
        port = proxy.port
    refused = refusal(probe(Server("gone", "127.0.0.1", port)))

    assert "cannot be reached" in refused.why
    assert not refused.alive


def test_a_host_that_does_not_exist_is_named(probe: Callable[..., Probe]) -> None:
    refused = refusal(probe(Server("nowhere", "nowhere.invalid", 3306)))

    assert "cannot be reached" in refused.why
    assert not refused.alive


def test_a_wrong_password_is_not_a_sign_of_death(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    refused = refusal(probe(servers.source, Credentials("monitor", "wrong")))

    assert "check its name, its password" in refused.why
    assert "wrong" not in refused.why
    assert refused.alive


def test_an_account_without_rights_learns_what_it_needs(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    refused = refusal(probe(servers.source, APP))

    assert "GRANT SELECT ON performance_schema" in refused.why
    assert refused.alive


def test_a_certificate_of_another_authority_is_refused_before_the_password_is_sent(
    servers: ReplicaSet, probe: Callable[..., Probe], tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    other.write_text(Certificates.make("source").authority, "ascii")
    with FaultProxy(servers.source.address) as proxy:
        where = Server("source", "127.0.0.1", proxy.port)
        refused = refusal(probe(where, tls=client_tls(other)))

        assert not any(MONITOR.user.encode() in chunk for chunk in proxy.chunks_to_server)
    assert "certificate that is not trusted" in refused.why
    assert refused.alive


def test_a_certificate_for_another_host_is_refused(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    refused = refusal(probe(Server("source", "localhost", servers.source.port)))

    assert "certificate that is not trusted" in refused.why


def test_a_server_that_requires_tls_is_recognised(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    refused = refusal(probe(servers.source, tls=None))

    assert "over TLS only" in refused.why
    assert refused.alive


def test_a_connection_that_was_ended_between_two_questions_is_not_a_sign_of_death(
    servers: ReplicaSet, probe: Callable[..., Probe]
) -> None:
    requested = probe(servers.source)
    answer(requested)
    for (number,) in servers.source.query(
        "SELECT id FROM performance_schema.processlist WHERE user = %s", MONITOR.user
    ):
        servers.source.query("KILL %s", number)
    remaining = "SELECT COUNT(*) FROM performance_schema.processlist WHERE user = %s"
    eventually("it is ended", lambda: servers.source.value(remaining, MONITOR.user) == 0)

    assert answer(requested).facts.server_uuid == servers.source.uuid


def test_a_server_in_offline_mode_is_recognised(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    servers.replica1.query("SET GLOBAL offline_mode = ON")
    try:
        refused = refusal(probe(servers.replica1))
    finally:
        servers.replica1.query("SET GLOBAL offline_mode = OFF")

    assert "offline mode" in refused.why
    assert not refused.alive, "it serves nobody"


def test_a_server_that_is_full_is_recognised(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    with servers.replica1.connect() as kept, kept.cursor() as cursor:
        cursor.execute("SELECT @@max_connections")
        (before,) = cursor.fetchone() or (None,)
        cursor.execute("SET GLOBAL max_connections = 1")
        try:
            refused = refusal(probe(servers.replica1))
        finally:
            cursor.execute("SET GLOBAL max_connections = %s", (before,))

    assert "no connection left" in refused.why
    assert refused.alive


def test_a_frozen_server_times_out_and_is_found_again(servers: ReplicaSet, probe: Callable[..., Probe]) -> None:
    requested = probe(servers.replica1, policy=QUICK)
    answer(requested)
    with servers.replica1.frozen():
        assert not refusal(requested).alive
        assert not refusal(requested).alive

    answer(requested)


@pytest.mark.parametrize(
    "fault",
    [Fault(blackhole=True), Fault(after_bytes=5), Fault(bytes_per_second=10)],
    ids=["black hole", "cut", "slow bytes"],
)
def test_a_probe_abandons_a_bad_network_and_the_next_probe_reconnects(
    fault: Fault, servers: ReplicaSet, probe: Callable[..., Probe]
) -> None:
    with FaultProxy(servers.source.address) as proxy:
        requested = probe(Server("source", "127.0.0.1", proxy.port), policy=QUICK)
        answer(requested)
        with proxy.faulty(to_client=fault):
            assert not refusal(requested).alive

        assert answer(requested).facts.server_uuid == servers.source.uuid


def test_tls_without_an_authority_encrypts_and_believes_anyone(
    servers: ReplicaSet, probe: Callable[..., Probe]
) -> None:
    assert client_tls().verify_mode is ssl.CERT_NONE
    answer(probe(servers.source, tls=client_tls()))


def test_host_names_are_not_compared_without_an_authority() -> None:
    with pytest.raises(ValueError, match="ca_file"):
        client_tls(verify_host=True)
