"""Issues server certificates from a private CA, so that clients and replicas can verify the servers."""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inventory_replication.errors import ConfigurationError

AUTHORITY_FILE: Final = "ca.pem"
AUTHORITY_KEY_FILE: Final = "ca-key.pem"

AUTHORITY_LIFETIME: Final = timedelta(days=30 * 365)
SERVER_LIFETIME: Final = timedelta(days=10 * 365)
RENEW_BEFORE: Final = timedelta(days=2 * 365)
"""A certificate that ends sooner than this is replaced by the next run."""
CLOCK_TOLERANCE: Final = timedelta(days=1)

_PUBLIC, _PRIVATE = 0o644, 0o600
_LOCAL_NAMES: Final = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class _Authority:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def issue_certificates(
    authority: Path, folder: Path, servers: Mapping[str, tuple[str, ...]], *, now: datetime | None = None
) -> tuple[str, ...]:
    """Write ``ca.pem`` and one ``NAME.pem`` (certificate and private key) for each server; keep those that are still good.

    Retries are safe. Every file is replaced as a whole, so a server that starts meanwhile reads a matching pair. Only the owner
    can read private keys. A renewed authority keeps its key, so certificates that it signed stay valid.

    Args:
        authority: Folder of the authority: its certificate and its private key, which no server needs. It must exist.
        folder: Folder that servers and clients read. It must exist.
        servers: Hosts by which each server is reached, by the server's name.
        now: Time from which the lifetimes count; ``None``: the clock's.

    Returns:
        The files that were written, in this order.

    Raises:
        ConfigurationError: A file cannot be read or written.
    """
    now = now or datetime.now(UTC)
    written: list[str] = []
    try:
        signer, is_new = _authority(authority, now)
        if is_new:
            written.append(str(authority / AUTHORITY_FILE))
        public = _pem(signer.certificate)
        # Before the servers' certificates: a client must not meet one whose authority it cannot know yet.
        if _content(folder / AUTHORITY_FILE) != public:
            _replace(folder / AUTHORITY_FILE, public, _PUBLIC)
            written.append(str(folder / AUTHORITY_FILE))
        for name, hosts in servers.items():
            file = folder / f"{name}.pem"
            if not _is_good(file, signer, (*hosts, *_LOCAL_NAMES), now):
                _replace(file, _server_pem(signer, name, (*hosts, *_LOCAL_NAMES), now), _PRIVATE)
                written.append(str(file))
    except OSError as fault:
        raise ConfigurationError(f"{fault.filename} cannot be read or written: {fault.strerror}.") from fault
    return tuple(written)


def _authority(folder: Path, now: datetime) -> tuple[_Authority, bool]:
    """Return the authority, and whether its certificate was just written."""
    key_content, content = _content(folder / AUTHORITY_KEY_FILE), _content(folder / AUTHORITY_FILE)
    if key_content:
        key = _key(key_content)
        if key is None:
            raise ConfigurationError(
                f"{folder / AUTHORITY_KEY_FILE} is not a private key: remove it and {AUTHORITY_FILE}, run this command "
                "again, then restart the servers."
            )
    else:
        key = ec.generate_private_key(ec.SECP256R1())
        _replace(folder / AUTHORITY_KEY_FILE, _key_pem(key), _PRIVATE)
    certificate = _certificate(content)
    if (
        certificate is not None
        and certificate.public_key() == key.public_key()
        and certificate.not_valid_after_utc - now > RENEW_BEFORE
    ):
        return _Authority(key, certificate), False
    certificate = _authority_certificate(key, now)
    _replace(folder / AUTHORITY_FILE, _pem(certificate), _PUBLIC)
    return _Authority(key, certificate), True


def _authority_certificate(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # The name depends on the key: authorities of one name that differ make OpenSSL's errors misleading.
    name = _name(f"MySQL servers' authority {identifier.digest.hex()[:16]}")
    return (
        _builder(name, name, key, now, AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _server_pem(signer: _Authority, name: str, hosts: tuple[str, ...], now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name(name), signer.certificate.subject, key, now, SERVER_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_alternative_names(hosts)), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()),
            critical=False,
        )
        .sign(signer.key, hashes.SHA256())
    )
    return _pem(certificate) + _key_pem(key)


def _is_good(file: Path, signer: _Authority, hosts: tuple[str, ...], now: datetime) -> bool:
    content = _content(file)
    certificate, key = _certificate(content), _key(content)
    if certificate is None or key is None or certificate.public_key() != key.public_key():
        return False
    try:
        certificate.verify_directly_issued_by(signer.certificate)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return set(_alternative_names(hosts)) <= set(names) and certificate.not_valid_after_utc - now > RENEW_BEFORE


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(now + lifetime)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(hosts: tuple[str, ...]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys(hosts):
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate(content: bytes) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError:
        return None


def _key(content: bytes) -> ec.EllipticCurvePrivateKey | None:
    begin = content.find(b"-----BEGIN PRIVATE KEY-----")
    try:
        key = serialization.load_pem_private_key(content[max(begin, 0) :], password=None)
    except (ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _replace(file: Path, content: bytes, mode: int) -> None:
    """Write a file at once; it is on disk when this returns, and never readable by more accounts than ``mode`` says."""
    handle, new = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(handle)
        Path(new).chmod(mode)
        Path(new).replace(file)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(new).unlink()
        raise
