"""What MySQL's error numbers mean for a unit of work. Numbers that are not listed concern the statement alone."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ErrorKind(StrEnum):
    """What an error says about the server, the connection or the transaction."""

    UNREACHABLE = "unreachable"
    """No connection could be made."""
    LOST = "lost"
    """The connection is gone, or its state cannot be trusted."""
    TIMED_OUT = "timed_out"
    """No answer in time: the server may be dead or busy with a long statement."""
    SHUTTING_DOWN = "shutting_down"
    OFFLINE = "offline"
    """Offline mode: the server refuses ordinary accounts."""
    READ_ONLY = "read_only"
    """The server is not the source (any more)."""
    READ_ONLY_UNIT = "read_only_unit"
    """The transaction is read-only: a bug in the program."""
    NO_ROOM = "no_room"
    """All connections are in use; the server is alive."""
    ACCESS = "access"
    """Account, privileges, password or database; the server is alive."""
    TLS = "tls"
    """Certificate or encryption; the server is alive."""
    CONFLICT = "conflict"
    """The transaction was rolled back, or must be, because of another one."""
    LOCK_WAIT = "lock_wait"
    """A lock timeout: the statement was rolled back, the transaction is still open."""
    INTERRUPTED = "interrupted"
    """The statement was cancelled or reached its time limit."""
    COMMIT_IN_DOUBT = "commit_in_doubt"
    """An error within the commit, after which the change may be stored."""
    STATEMENT = "statement"
    """Everything else: the statement or its data is wrong."""


_NUMBERS: Final[Mapping[ErrorKind, Mapping[int, str]]] = {
    ErrorKind.UNREACHABLE: {
        2002: "CR_CONNECTION_ERROR",
        2003: "CR_CONN_HOST_ERROR",
        2005: "CR_UNKNOWN_HOST",
        1129: "ER_HOST_IS_BLOCKED",
    },
    ErrorKind.LOST: {
        2006: "CR_SERVER_GONE_ERROR",
        2013: "CR_SERVER_LOST",
        2014: "CR_COMMANDS_OUT_OF_SYNC",
        2027: "CR_MALFORMED_PACKET",
        2055: "CR_SERVER_LOST_EXTENDED",
        1152: "ER_ABORTING_CONNECTION",
        1158: "ER_NET_READ_ERROR",
        1159: "ER_NET_READ_INTERRUPTED",
        1160: "ER_NET_ERROR_ON_WRITE",
        1161: "ER_NET_WRITE_INTERRUPTED",
        1184: "ER_NEW_ABORTING_CONNECTION",
        3169: "ER_SESSION_WAS_KILLED",
        4031: "ER_CLIENT_INTERACTION_TIMEOUT",
    },
    ErrorKind.SHUTTING_DOWN: {
        1053: "ER_SERVER_SHUTDOWN",
        1077: "ER_NORMAL_SHUTDOWN",
        1079: "ER_SHUTDOWN_COMPLETE",
        3707: "ER_RESTART_SERVER_FAILED",
    },
    ErrorKind.OFFLINE: {3032: "ER_SERVER_OFFLINE_MODE"},
    ErrorKind.READ_ONLY: {1836: "ER_READ_ONLY_MODE"},
    ErrorKind.READ_ONLY_UNIT: {1792: "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION"},
    ErrorKind.NO_ROOM: {
        1040: "ER_CON_COUNT_ERROR",
        1041: "ER_OUT_OF_RESOURCES",
        1135: "ER_CANT_CREATE_THREAD",
        1203: "ER_TOO_MANY_USER_CONNECTIONS",
        1226: "ER_USER_LIMIT_REACHED",
    },
    ErrorKind.ACCESS: {
        1044: "ER_DBACCESS_DENIED_ERROR",
        1045: "ER_ACCESS_DENIED_ERROR",
        1049: "ER_BAD_DB_ERROR",
        1130: "ER_HOST_NOT_PRIVILEGED",
        1142: "ER_TABLEACCESS_DENIED_ERROR",
        1143: "ER_COLUMNACCESS_DENIED_ERROR",
        1227: "ER_SPECIFIC_ACCESS_DENIED_ERROR",
        1251: "ER_NOT_SUPPORTED_AUTH_MODE",
        1524: "ER_PLUGIN_IS_NOT_LOADED",
        1698: "ER_ACCESS_DENIED_NO_PASSWORD_ERROR",
        1820: "ER_MUST_CHANGE_PASSWORD",
        1862: "ER_MUST_CHANGE_PASSWORD_LOGIN",
        2054: "CR_NOT_IMPLEMENTED",
        2059: "CR_AUTH_PLUGIN_CANNOT_LOAD",
        2061: "CR_AUTH_PLUGIN_ERR",
        3118: "ER_ACCOUNT_HAS_BEEN_LOCKED",
    },
    ErrorKind.TLS: {
        2026: "CR_SSL_CONNECTION_ERROR",
        3159: "ER_SECURE_TRANSPORT_REQUIRED",
    },
    ErrorKind.CONFLICT: {
        1213: "ER_LOCK_DEADLOCK",
        1613: "ER_XA_RBTIMEOUT",
        1614: "ER_XA_RBDEADLOCK",
        3058: "ER_USER_LOCK_DEADLOCK",
        3101: "ER_TRANSACTION_ROLLBACK_DURING_COMMIT",
    },
    ErrorKind.LOCK_WAIT: {
        1205: "ER_LOCK_WAIT_TIMEOUT",
        3572: "ER_LOCK_NOWAIT",
    },
    ErrorKind.INTERRUPTED: {
        1317: "ER_QUERY_INTERRUPTED",
        3024: "ER_QUERY_TIMEOUT",
    },
    ErrorKind.COMMIT_IN_DOUBT: {
        1180: "ER_ERROR_DURING_COMMIT",
        1598: "ER_BINLOG_LOGGING_IMPOSSIBLE",
        3100: "ER_RUN_HOOK_ERROR",
    },
}

ERROR_KINDS: Final[Mapping[int, ErrorKind]] = {number: kind for kind, named in _NUMBERS.items() for number in named}
"""Kind by number, except for 1290, which its text decides."""
SYMBOLS: Final[Mapping[int, str]] = {1290: "ER_OPTION_PREVENTS_STATEMENT"} | {
    number: symbol for named in _NUMBERS.values() for number, symbol in named.items()
}
"""MySQL's symbol by number, for status and logs."""

_OPTION_PREVENTS: Final = 1290
_READ_ONLY_PHRASE: Final = "read-only"
_NOT_CONNECTED: Final = 0
_TIME_OUT_PHRASES: Final = ("timed out", "timeout")


def classify_error(number: int, text: str = "", *, timed_out: bool = False) -> ErrorKind:
    """Return the kind of an error of the server or the driver.

    Args:
        number: MySQL's number; 0 if the driver has none (PyMySQL on a closed connection).
        text: The message. It decides for 1290, which many options share, and distinguishes a time-out from a broken connection.
        timed_out: The driver reports that it gave up waiting on an established connection.
    """
    if number == _OPTION_PREVENTS:
        return ErrorKind.READ_ONLY if _READ_ONLY_PHRASE in text else ErrorKind.STATEMENT
    if number == _NOT_CONNECTED:
        return ErrorKind.LOST
    kind = ERROR_KINDS.get(number, ErrorKind.STATEMENT)
    if kind is ErrorKind.LOST and (timed_out or any(phrase in text.lower() for phrase in _TIME_OUT_PHRASES)):
        return ErrorKind.TIMED_OUT
    return kind
