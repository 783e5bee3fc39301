"""What errors of the driver mean, and what to do about them."""

import ssl
from typing import Final

from pymysql.err import Error
from sqlalchemy.exc import DBAPIError

from inventory_replication.config import Credentials, Server
from inventory_replication.decisions.error_kinds import SYMBOLS, ErrorKind, classify_error
from inventory_replication.decisions.outcomes import PoolEffect, pool_effect
from inventory_replication.decisions.snapshot import NoAnswer


def classify_exception(fault: BaseException) -> ErrorKind | None:
    """Return the kind of an exception of PyMySQL, also inside one of SQLAlchemy; ``None`` for any other exception.

    PyMySQL reports an untrusted certificate as an unreachable server; here it is `ErrorKind.TLS`, because the server is alive.
    """
    if isinstance(fault, DBAPIError) and fault.orig is not None:
        fault = fault.orig
    if not isinstance(fault, Error):
        return None
    if isinstance(getattr(fault, "original_exception", None), ssl.SSLError):
        return ErrorKind.TLS
    number = fault.args[0] if fault.args and isinstance(fault.args[0], int) else 0
    text = str(fault.args[1]) if len(fault.args) > 1 else ""
    return classify_error(number, text)


_CURES: Final = {
    "ER_ACCESS_DENIED_ERROR": "refuses the account {user}: check its name, its password and the hosts that it may come from",
    "ER_DBACCESS_DENIED_ERROR": "refuses the account {user} the database: grant it",
    "ER_TABLEACCESS_DENIED_ERROR": (
        "accepts the account {user} but does not allow it to read what it needs: GRANT SELECT ON performance_schema.*"
    ),
    "ER_HOST_NOT_PRIVILEGED": "accepts no connection from this host: create the account {user} for it",
    "ER_HOST_IS_BLOCKED": "blocks this host after many failed connections: run TRUNCATE TABLE performance_schema.host_cache there",
    "ER_CON_COUNT_ERROR": "has no connection left: raise max_connections or make the pools smaller",
    "ER_TOO_MANY_USER_CONNECTIONS": (
        "has no connection left for the account {user}: raise its limit or make the pools smaller"
    ),
    "ER_USER_LIMIT_REACHED": "has reached a limit of the account {user}: raise it",
    "ER_BAD_DB_ERROR": "does not have the database: create it or correct its name",
    "ER_ACCOUNT_HAS_BEEN_LOCKED": "has locked the account {user}: unlock it",
    "ER_MUST_CHANGE_PASSWORD_LOGIN": "says that the password of the account {user} has expired: set a new one",
    "ER_SERVER_OFFLINE_MODE": "is in offline mode: SET GLOBAL offline_mode=OFF there when it may serve again",
    "ER_SECURE_TRANSPORT_REQUIRED": "accepts connections over TLS only: configure a TlsPolicy",
    "CR_SSL_CONNECTION_ERROR": "offers no TLS: switch it on there",
}
"""What to do, by MySQL's symbol of an error."""


def explain(fault: Exception, server: Server, account: Credentials) -> NoAnswer:
    """Turn an exception of the driver into one line that names the server and, if the cause is known, the fix."""
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
    kind = classify_exception(fault)
    # A server that answers is alive, unless it says that it is shutting down.
    alive = kind is not None and kind is not ErrorKind.TIMED_OUT and pool_effect(kind) is not PoolEffect.SERVER
    cure = _CURES.get(SYMBOLS.get(number, ""))
    if cure is not None:
        return NoAnswer(f"{beginning} {cure.format(user=account.user)} [{number}]", alive=alive)
    if kind is ErrorKind.UNREACHABLE and cause is not None:
        return NoAnswer(f"{beginning} cannot be reached: {cause}. Check that it runs, its address and the firewall")
    shown = f"{text} [{number}]" if number else text
    return NoAnswer(f"{beginning} did not answer: {shown}", alive=alive)
