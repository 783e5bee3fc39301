"""The TLS context that all connections share; creating one costs ten times as much as a connection."""

import ssl
from pathlib import Path


def client_tls(ca_file: str | Path | None = None, *, verify_host: bool = False) -> ssl.SSLContext:
    """Return a context for all connections of a process.

    Args:
        ca_file: CA certificates (PEM) of the servers. Without it, traffic is encrypted, but no server is verified. MySQL
            generates its own CA, ``ca.pem`` in its data directory, when it is initialised.
        verify_host: Also compare the host with the certificate. Certificates that MySQL generates contain no host.

    Raises:
        OSError: The file cannot be read or contains no certificate.
        ValueError: ``verify_host`` without ``ca_file``.
    """
    if ca_file is None and verify_host:
        raise ValueError("verify_host needs a ca_file: without one no certificate is verified at all")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = verify_host
    if ca_file is None:
        context.verify_mode = ssl.CERT_NONE
        return context
    # Certificates that MySQL generates lack extensions that the strict default of Python 3.13 requires.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_verify_locations(ca_file)
    return context
