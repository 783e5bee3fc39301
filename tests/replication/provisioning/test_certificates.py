"""Certificates of the servers: issued once, renewed in time, and believed by clients that know the authority."""

import json
import ssl
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from inventory_replication.errors import ConfigurationError
from inventory_replication.mysql.tls import client_tls
from inventory_replication.provisioning import cli
from inventory_replication.provisioning.certificates import (
    AUTHORITY_FILE,
    AUTHORITY_KEY_FILE,
    AUTHORITY_LIFETIME,
    RENEW_BEFORE,
    SERVER_LIFETIME,
    issue_certificates,
)

SERVERS = {"db": ("db",), "db-replica": ("db-replica", "10.0.0.7")}
NOW = datetime.now(UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return _made(tmp_path / "authority")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return _made(tmp_path / "certificates")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def handshake(client: ssl.SSLContext, server_file: Path, host: str) -> None:
    """Connect in memory; raises what the client thinks of the certificate."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(server_file)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends: list[Iterator[None]] = [
        _shake(client.wrap_bio(to_client, to_server, server_hostname=host)),
        _shake(server.wrap_bio(to_server, to_client, server_side=True)),
    ]
    for _ in range(4):
        for end in ends:
            next(end, None)


def _shake(end: ssl.SSLObject) -> Iterator[None]:
    while True:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            yield
        else:
            return


def contents(*folders: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for folder in folders for file in folder.iterdir()}


def end_of(file: Path) -> datetime:
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc


def test_certificates_are_issued_once_and_then_kept(authority: Path, folder: Path) -> None:
    written = issue_certificates(authority, folder, SERVERS)
    before = contents(authority, folder)

    assert written == tuple(
        map(str, (authority / "ca.pem", folder / "ca.pem", folder / "db.pem", folder / "db-replica.pem"))
    )
    assert issue_certificates(authority, folder, SERVERS) == ()
    assert contents(authority, folder) == before
    assert len(before) == 5


def test_private_keys_of_certificates_are_for_their_owner_alone(authority: Path, folder: Path) -> None:
    issue_certificates(authority, folder, SERVERS)
    modes = {file: stat.S_IMODE(file.stat().st_mode) for each in (authority, folder) for file in each.iterdir()}

    assert modes.pop(authority / "ca.pem") == modes.pop(folder / "ca.pem") == 0o644
    assert set(modes.values()) == {0o600}
    assert set(modes) == {authority / "ca-key.pem", folder / "db.pem", folder / "db-replica.pem"}


@pytest.mark.parametrize(
    ("name", "host"), [("db", "db"), ("db", "localhost"), ("db", "127.0.0.1"), ("db-replica", "10.0.0.7")]
)
def test_a_client_with_the_authority_believes_certificates(authority: Path, folder: Path, name: str, host: str) -> None:
    issue_certificates(authority, folder, SERVERS)
    client = client_tls(folder / "ca.pem", verify_host=True)
    client.verify_flags |= ssl.VERIFY_X509_STRICT

    handshake(client, folder / f"{name}.pem", host)


def test_a_client_refuses_certificates_of_another_host_or_authority(
    authority: Path, folder: Path, tmp_path: Path
) -> None:
    issue_certificates(authority, folder, SERVERS)
    other = _made(tmp_path / "other")
    issue_certificates(other, other, SERVERS)
    client = client_tls(folder / "ca.pem", verify_host=True)

    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(client, folder / "db-replica.pem", "db")
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        handshake(client, other / "db.pem", "db")


def test_certificates_are_renewed_before_they_end(authority: Path, folder: Path) -> None:
    issue_certificates(authority, folder, SERVERS)
    public = (folder / "ca.pem").read_bytes()
    later = NOW + SERVER_LIFETIME - RENEW_BEFORE + timedelta(days=2)
    written = issue_certificates(authority, folder, SERVERS, now=later)

    assert written == (str(folder / "db.pem"), str(folder / "db-replica.pem"))
    assert end_of(folder / "db.pem") > later + RENEW_BEFORE
    assert (folder / "ca.pem").read_bytes() == public
    assert issue_certificates(authority, folder, SERVERS, now=later) == ()


def test_a_renewed_authority_still_vouches_for_certificates_in_use(
    authority: Path, folder: Path, tmp_path: Path
) -> None:
    issue_certificates(authority, folder, SERVERS)
    in_use = tmp_path / "in-use.pem"
    in_use.write_bytes((folder / "db.pem").read_bytes())
    issue_certificates(authority, folder, SERVERS, now=NOW + AUTHORITY_LIFETIME - RENEW_BEFORE + timedelta(days=2))

    assert end_of(folder / "ca.pem") > NOW + AUTHORITY_LIFETIME + timedelta(days=2)
    renewed = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    x509.load_pem_x509_certificate(in_use.read_bytes()).verify_directly_issued_by(renewed)


def test_a_new_server_changes_no_certificates_of_others(authority: Path, folder: Path) -> None:
    issue_certificates(authority, folder, SERVERS)
    written = issue_certificates(authority, folder, {**SERVERS, "db-replica-2": ("db-replica-2",)})

    assert written == (str(folder / "db-replica-2.pem"),)
    assert issue_certificates(authority, folder, SERVERS) == ()
    assert (folder / "db-replica-2.pem").exists()


def test_certificates_follow_a_server_to_another_host(authority: Path, folder: Path) -> None:
    issue_certificates(authority, folder, SERVERS)

    assert issue_certificates(authority, folder, {**SERVERS, "db": ("db.test",)}) == (str(folder / "db.pem"),)
    handshake(client_tls(folder / "ca.pem", verify_host=True), folder / "db.pem", "db.test")


def test_damaged_certificates_are_issued_again(authority: Path, folder: Path) -> None:
    issue_certificates(authority, folder, SERVERS)
    file = folder / "db.pem"
    half = file.read_bytes().partition(b"-----BEGIN PRIVATE KEY-----")[0]
    swapped = half + (folder / "db-replica.pem").read_bytes()
    for damaged in (b"", b"nonsense", half, swapped):
        file.write_bytes(damaged)
        assert issue_certificates(authority, folder, SERVERS) == (str(file),)
        handshake(client_tls(folder / "ca.pem", verify_host=True), file, "db")


def test_without_the_authority_all_certificates_are_issued_again(authority: Path, folder: Path) -> None:
    issue_certificates(authority, folder, SERVERS)
    for name in (AUTHORITY_FILE, AUTHORITY_KEY_FILE):
        (authority / name).unlink()

    assert len(issue_certificates(authority, folder, SERVERS)) == 4
    handshake(client_tls(folder / "ca.pem", verify_host=True), folder / "db.pem", "db")


def test_an_interrupted_first_run_of_certificates_is_continued(authority: Path, folder: Path) -> None:
    issue_certificates(authority, folder, SERVERS)
    (authority / AUTHORITY_FILE).unlink()
    (folder / "db-replica.pem").unlink()
    issue_certificates(authority, folder, SERVERS)

    for name in SERVERS:
        handshake(client_tls(folder / "ca.pem", verify_host=True), folder / f"{name}.pem", name)


def test_a_damaged_key_of_the_authority_of_certificates_is_reported(authority: Path, folder: Path) -> None:
    (authority / AUTHORITY_KEY_FILE).write_text("nonsense", "ascii")

    with pytest.raises(ConfigurationError, match="is not a private key: remove it"):
        issue_certificates(authority, folder, SERVERS)
    assert contents(folder) == {}


def test_the_command_certificates_reports_files_and_missing_folders(
    authority: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["certificates", "--server", "db=db", "--peer-address", "db=10.0.0.1:3306", "--authority", str(authority)]
    with pytest.raises(SystemExit) as done:
        cli.main([*command, "--into", str(folder), "--json"])
    answer = json.loads(capsys.readouterr().out)
    with pytest.raises(SystemExit) as refused:
        cli.main([*command, "--into", str(folder / "missing")])

    assert (done.value.code, refused.value.code) == (0, 2)
    assert answer == {
        "ok": True,
        "written": [str(authority / "ca.pem"), str(folder / "ca.pem"), str(folder / "db.pem")],
    }
    handshake(client_tls(folder / "ca.pem", verify_host=True), folder / "db.pem", "10.0.0.1")
    (line,) = capsys.readouterr().err.splitlines()
    assert str(folder / "missing") in line
    assert "cannot be read or written" in line
