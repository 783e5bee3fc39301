"""Server certificates: every client verifies them, and an impostor receives no password."""

import re
import shlex
from pathlib import Path

import pytest

from tests.stack.drills import all_is_well, mode, well_before_and_after
from tests.stack.system import REPOSITORY, System, eventually
from tests.stack.visitor import Visitor

pytestmark = pytest.mark.stack

FOLDER = "/var/lib/mysql-certificates"
OTHER_AUTHORITY = f"""
mkdir /tmp/other
inventory-replication certificates --authority /tmp/other --into /tmp/other
cp /tmp/other/db.pem {FOLDER}/db.pem
"""
CHANNEL = (
    "SELECT SSL_ALLOWED, SSL_CA_FILE, SSL_VERIFY_SERVER_CERTIFICATE, SERVICE_STATE "
    "FROM performance_schema.replication_connection_configuration "
    "JOIN performance_schema.replication_connection_status USING (CHANNEL_NAME)"
)
CONNECTIONS = (
    "SELECT DISTINCT PROCESSLIST_USER, CONNECTION_TYPE FROM performance_schema.threads "
    "WHERE PROCESSLIST_USER IN ('app', 'monitor', 'replication') ORDER BY 1"
)
STATUS = ("run", "--rm", "--no-deps", "provision", "inventory-replication", "status")
SERVERS = ("db", "db-replica")
CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
DOCUMENTS = ("operating-containers.md", "operating-containers.es.md")


def renewal(document: str) -> list[str]:
    """The commands of a document that renew the certificates while the servers run."""
    text = (REPOSITORY / "docs" / document).read_text("utf-8")
    (block,) = [
        block for block in re.findall("^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE) if "RELOAD TLS" in block
    ]
    return str(block).splitlines()


def certificate_in(text: str) -> str:
    """The first certificate of a text."""
    found = CERTIFICATE.search(text)
    assert found, text
    return found[0]


def shown_certificate(system: System, server: str, authority: Path) -> str:
    """What a server shows to a program on this machine, which verifies it."""
    connect = ("openssl", "s_client", "-starttls", "mysql", "-connect", f"127.0.0.1:{system.port(server, 3306)}")
    verify = ("-CAfile", str(authority), "-verify_hostname", "localhost", "-verify_return_error")
    return certificate_in(system.run(*connect, *verify).stdout)


def certificate_file(system: System, server: str) -> str:
    """Return the content of a server's file."""
    return certificate_in(system.compose("exec", "-T", server, "cat", f"{FOLDER}/{server}.pem").stdout)


def test_the_replica_verifies_the_certificate_and_the_host_of_its_source(system: System) -> None:
    assert system.query("db-replica", CHANNEL).split("\t") == ["YES", f"{FOLDER}/ca.pem", "YES", "ON"]


def test_every_connection_to_the_source_is_encrypted_with_its_own_certificate(system: System, admin: Visitor) -> None:
    assert admin.get("/inventory").status == 200
    found = [line.split("\t") for line in system.query("db", CONNECTIONS).splitlines()]
    file = system.query("db", "SELECT @@ssl_cert")

    assert found == [["app", "SSL/TLS"], ["monitor", "SSL/TLS"], ["replication", "SSL/TLS"]]
    assert file == f"{FOLDER}/db.pem"


@pytest.mark.parametrize("service", ["web1", "provision", "migrate", "guard"])
def test_only_the_servers_can_read_the_private_keys_of_certificates(system: System, service: str) -> None:
    inside = ("run", "--rm", "--no-deps", service, "sh", "-c")
    system.compose(
        *inside, f"test -r {FOLDER}/ca.pem && test ! -r {FOLDER}/db.pem && test ! -e /var/lib/mysql-authority/ca.pem"
    )
    system.compose("exec", "-T", "db", "sh", "-c", f"test -r {FOLDER}/db.pem && test ! -w {FOLDER}/db.pem")
    system.compose("exec", "-T", "db", "sh", "-c", "test ! -e /var/lib/mysql-authority")


def test_a_server_with_a_certificate_of_another_authority_is_refused_by_all(system: System, admin: Visitor) -> None:
    with well_before_and_after(system):
        system.compose("run", "--rm", "--no-deps", "certificates", "sh", "-euc", OTHER_AUTHORITY)
        try:
            system.compose("restart", "db")
            eventually("the impostor runs", lambda: system.health("db") == "healthy")
            eventually("no instance uses the impostor", lambda: mode(admin) != "normal")
            refusal = system.compose(*STATUS, fails=True)
            admin.get("/inventory")
            served = admin.get("/products/new").status
            receiver = system.query(
                "db-replica",
                "SELECT SERVICE_STATE, LAST_ERROR_MESSAGE FROM performance_schema.replication_connection_status",
            )
            connected = system.query("db", CONNECTIONS)
        finally:
            renewed = system.compose("up", "--detach", "--no-deps", "certificates")
            system.compose("restart", "db")
    assert renewed.returncode == 0
    (line,) = [line for line in (refusal.stdout + refusal.stderr).splitlines() if "db (" in line]
    assert "shows a certificate that is not trusted" in line
    assert served in {200, 503}
    assert receiver.startswith("CONNECTING")
    assert "certificate verify failed" in receiver
    assert connected == ""
    assert all_is_well(system)


def test_servers_show_renewed_certificates_without_a_restart(system: System, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    system.compose("cp", f"db:{FOLDER}/ca.pem", str(authority))
    started = {name: system.containers()[name]["State"]["StartedAt"] for name in SERVERS}
    before = {name: shown_certificate(system, name, authority) for name in SERVERS}
    # What is missing is made again, as what ends soon is.
    system.compose("run", "--rm", "certificates", "rm", *(f"{FOLDER}/{name}.pem" for name in SERVERS))
    password = f"--password={system.root_password()}"
    with well_before_and_after(system):
        for command in renewal(DOCUMENTS[0]):
            system.run(*(password if word == "--password" else word for word in shlex.split(command)))
        after = {name: shown_certificate(system, name, authority) for name in SERVERS}

    assert after == {name: certificate_file(system, name) for name in SERVERS}
    assert not set(after.values()) & set(before.values())
    assert {name: system.containers()[name]["State"]["StartedAt"] for name in SERVERS} == started


def test_renewal_has_the_same_commands_in_both_languages() -> None:
    assert renewal(DOCUMENTS[0]) == renewal(DOCUMENTS[1])


def test_a_new_image_makes_no_certificates_anew_and_restarts_no_server(system: System) -> None:
    before = {name: (found["Id"], found["State"]["StartedAt"]) for name, found in system.containers().items()}
    system.run("docker", "tag", system.image, f"{system.image}-next")
    try:
        system.compose("run", "--rm", "migrate", changed={"INVENTORY_IMAGE": f"{system.image}-next"})
        containers = system.containers()
        log = system.compose("logs", "certificates").stdout
    finally:
        system.up()
        system.run("docker", "image", "rm", f"{system.image}-next")

    assert {name: (containers[name]["Id"], containers[name]["State"]["StartedAt"]) for name in SERVERS} == {
        name: before[name] for name in SERVERS
    }
    assert containers["certificates"]["Id"] != before["certificates"][0]
    assert "nothing to do" in log
