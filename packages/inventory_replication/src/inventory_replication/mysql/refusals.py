"""Why a server gave no answer, said to the person who can mend it."""

import ssl
from typing import Final

from pymysql.constants import CR, ER

from inventory_replication.config import Credentials, Server
from inventory_replication.decisions.facts import NoAnswer

_OFFLINE_MODE: Final = 3032
_SECURE_TRANSPORT_REQUIRED: Final = 3159
_ACCOUNT_LOCKED: Final = 3118
_PASSWORD_EXPIRED: Final = 1862

_CURES: Final = {
    ER.ACCESS_DENIED_ERROR: "refuses the account {user}: check its name, its password and the hosts that it may come from",
    ER.DBACCESS_DENIED_ERROR: "refuses the account {user} the database: grant it",
    ER.TABLEACCESS_DENIED_ERROR: "lets the account {user} in but not read what it needs: GRANT SELECT ON performance_schema.*",
    ER.HOST_NOT_PRIVILEGED: "takes no connection from this host: create the account {user} for it",
    ER.HOST_IS_BLOCKED: "blocks this host after many failed connections: run TRUNCATE TABLE performance_schema.host_cache there",
    ER.CON_COUNT_ERROR: "has no connection left: raise max_connections or make the pools smaller",
    ER.TOO_MANY_USER_CONNECTIONS: "has no connection left for the account {user}: raise its limit or make the pools smaller",
    ER.USER_LIMIT_REACHED: "has reached a limit of the account {user}: raise it",
    ER.BAD_DB_ERROR: "does not have the database: create it or correct its name",
    _ACCOUNT_LOCKED: "has locked the account {user}: unlock it",
    _PASSWORD_EXPIRED: "says that the password of the account {user} has expired: set a new one",
    _OFFLINE_MODE: "is in offline mode: SET GLOBAL offline_mode=OFF there when it may serve again",
    _SECURE_TRANSPORT_REQUIRED: "takes connections over TLS only: give a TLS context (client_tls)",
    CR.CR_SSL_CONNECTION_ERROR: "offers no TLS: switch it on there",
}
"""Numbers of errors by which a server shows that it lives, and what to do about each."""


def explain(fault: Exception, server: Server, account: Credentials) -> NoAnswer:
    """Turn what the driver raised into one line that names the server and, where the cause is known, the cure."""
    number = fault.args[0] if fault.args and isinstance(fault.args[0], int) else 0
    text = str(fault.args[-1]) if fault.args else type(fault).__name__
    beginning = f"{server.name} ({server.address})"
    cause = getattr(fault, "original_exception", None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return NoAnswer(
            f"{beginning} shows a certificate that is not trusted ({getattr(cause, 'verify_message', cause)}): "
            "check the CA file and that this is the right server",
            alive=True,
        )
    if isinstance(cause, ssl.SSLError):
        return NoAnswer(f"{beginning} cannot agree on TLS with us: {cause}. Check the TLS versions of both", alive=True)
    if number in _CURES:
        return NoAnswer(f"{beginning} {_CURES[number].format(user=account.user)} [{number}]", alive=True)
    if number == CR.CR_CONN_HOST_ERROR and cause is not None:
        return NoAnswer(f"{beginning} cannot be reached: {cause}. Check that it runs, its address and the firewall")
    return NoAnswer(
        f"{beginning} did not answer: {text} [{number}]" if number else f"{beginning} did not answer: {text}"
    )
