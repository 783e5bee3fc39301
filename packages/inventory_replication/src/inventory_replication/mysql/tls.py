"""The TLS context that every connection shares; making one per connection costs ten times the connection itself."""

import ssl
from pathlib import Path


def client_tls(ca_file: str | Path | None = None, *, verify_host: bool = False) -> ssl.SSLContext:
    """A context for all connections of a process.

    Args:
        ca_file: Certificates (PEM) that may have signed the servers'. Without it the traffic is encrypted, but any server is
            believed; MySQL makes a certificate of its own, ``ca.pem`` in its data directory, when it is initialised.
        verify_host: Also compare the name in the certificate with the host; those that MySQL makes hold no host.

    Raises:
        OSError: The file cannot be read or holds no certificate.
        ValueError: ``verify_host`` without ``ca_file``.
    """
    if ca_file is None and verify_host:
        raise ValueError("verify_host needs a ca_file: without one no certificate is verified at all")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = verify_host
    if ca_file is None:
        context.verify_mode = ssl.CERT_NONE
        return context
    # What MySQL signs by itself lacks the extensions that Python 3.13 asks for in its strict default.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_verify_locations(ca_file)
    return context
