"""Queries on one server that provisioning needs in addition to the monitor's probe."""

import ssl
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from pymysql.err import Error

from inventory_replication.config import Credentials, Server
from inventory_replication.decisions.snapshot import RECORD_SCHEMA
from inventory_replication.mysql.diagnostics import explain
from inventory_replication.mysql.probes import seconds_ahead
from inventory_replication.provisioning.server_admin import ServerAdmin, connect

SETTINGS = (
    "gtid_mode",
    "enforce_gtid_consistency",
    "log_bin",
    "log_replica_updates",
    "binlog_format",
    "replica_preserve_commit_order",
    "relay_log_recovery",
    "log_bin_trust_function_creators",
    "session_track_gtids",
    "version",
)
SYSTEM_SCHEMAS = frozenset({"mysql", "sys", "information_schema", "performance_schema"})
ADMIN_PRIVILEGES = (
    "SELECT",
    "INSERT",
    "CREATE",
    "CREATE USER",
    "RELOAD",
    "REPLICATION CLIENT",
    "BACKUP_ADMIN",
    "CLONE_ADMIN",
    "CONNECTION_ADMIN",
    "SYSTEM_VARIABLES_ADMIN",
    "PERSIST_RO_VARIABLES_ADMIN",
    "REPLICATION SLAVE ADMIN".replace(" ", "_"),
)
"""Global privileges that the administrative account needs. Whether it may grant others shows when it does."""

_WRONG_PASSWORD = frozenset({1045, 1524, 1698, 2059})

_OBJECTS = """
SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES
UNION ALL SELECT ROUTINE_SCHEMA, ROUTINE_NAME FROM information_schema.ROUTINES
UNION ALL SELECT EVENT_SCHEMA, EVENT_NAME FROM information_schema.EVENTS
"""

_OTHERS = """
SELECT CONCAT(user, '@', host) FROM mysql.user
WHERE user NOT LIKE 'mysql.%%' AND user <> 'root' AND user <> SUBSTRING_INDEX(CURRENT_USER(), '@', 1)
"""

_RIGHTS = """
SELECT PRIVILEGE_TYPE, '', '', IS_GRANTABLE FROM information_schema.USER_PRIVILEGES
  WHERE GRANTEE = %s AND PRIVILEGE_TYPE <> 'USAGE'
UNION ALL SELECT PRIVILEGE_TYPE, TABLE_SCHEMA, '', IS_GRANTABLE FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = %s
UNION ALL SELECT PRIVILEGE_TYPE, TABLE_SCHEMA, TABLE_NAME, IS_GRANTABLE FROM information_schema.TABLE_PRIVILEGES
  WHERE GRANTEE = %s
"""


class Login(NamedTuple):
    """Whether an account can log in.

    Args:
        refusal: Why not, with the fix; empty if it can.
        wrong_password: Because of its password or authentication plugin.
    """

    refusal: str
    wrong_password: bool


def try_login(server: Server, account: Credentials, tls: ssl.SSLContext | None) -> Login:
    """Log in with that account and disconnect."""
    try:
        connect(server, account, tls).close()
    except (Error, ValueError) as fault:
        number = fault.args[0] if fault.args else 0
        return Login(explain(fault, server, account).why, number in _WRONG_PASSWORD)
    return Login("", wrong_password=False)


def settings(admin: ServerAdmin) -> dict[str, str]:
    """Return the relevant global variables, as text."""
    row = admin.rows("SELECT " + ", ".join(f"@@GLOBAL.{name}" for name in SETTINGS))[0]
    return dict(zip(SETTINGS, map(str, row), strict=True))


def persisted(admin: ServerAdmin) -> dict[str, str]:
    """Return the persisted variables."""
    return dict(admin.rows("SELECT VARIABLE_NAME, VARIABLE_VALUE FROM performance_schema.persisted_variables"))


def objects(admin: ServerAdmin) -> frozenset[str]:
    """Return ``schema.name`` of every table, view, routine and event outside of the system schemas."""
    own = SYSTEM_SCHEMAS | {RECORD_SCHEMA}
    return frozenset(f"{schema}.{name}" for schema, name in admin.rows(_OBJECTS) if schema not in own)


def schemas(admin: ServerAdmin) -> frozenset[str]:
    """Return the schemas other than the system's."""
    found = admin.rows("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")
    return frozenset(str(row[0]) for row in found) - SYSTEM_SCHEMAS


def has_first_log(admin: ServerAdmin) -> bool:
    """Return whether the oldest binary log is the first that was ever written; true if there are none."""
    if not int(admin.value("SELECT @@GLOBAL.log_bin")):
        return True
    logs = admin.rows("SHOW BINARY LOGS")
    return not logs or int(str(logs[0][0]).rpartition(".")[2]) == 1


def clone_plugin(admin: ServerAdmin) -> bool:
    """Return whether the clone plugin is active."""
    statement = "SELECT COUNT(*) FROM information_schema.PLUGINS WHERE PLUGIN_NAME='clone' AND PLUGIN_STATUS='ACTIVE'"
    return bool(admin.value(statement))


def offers_tls(admin: ServerAdmin) -> bool:
    """Return whether the server accepts encrypted connections."""
    return bool(
        admin.value(
            "SELECT COUNT(*) FROM performance_schema.tls_channel_status "
            "WHERE CHANNEL='mysql_main' AND PROPERTY='Enabled' AND VALUE='Yes'"
        )
    )


def clock_ahead(admin: ServerAdmin) -> float:
    """Return how far the server's clock is ahead of this machine's, in seconds; 0 if the query's duration could explain it."""
    sent = time.time()
    shown = float(admin.value("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))")) / 1e6
    answered = time.time()
    return seconds_ahead(shown, sent, answered)


def closed_since_start(admin: ServerAdmin) -> bool:
    """Return whether the server refuses writes because of its start-up settings, unchanged since."""
    refusing = bool(admin.value("SELECT @@GLOBAL.super_read_only OR @@GLOBAL.read_only"))
    set_since = admin.value(
        "SELECT COUNT(*) FROM performance_schema.variables_info "
        "WHERE VARIABLE_NAME IN ('super_read_only', 'read_only') AND VARIABLE_SOURCE = 'DYNAMIC'"
    )
    return refusing and not set_since


def missing_privileges(admin: ServerAdmin) -> tuple[str, ...]:
    """Return the privileges that the administrative account needs and does not have."""
    user, _, host = str(admin.value("SELECT CURRENT_USER()")).rpartition("@")
    held = {privilege for privilege, *_ in _rights(admin, user, host)}
    return tuple(privilege for privilege in ADMIN_PRIVILEGES if privilege not in held)


def channel(admin: ServerAdmin) -> tuple[Any, ...] | None:
    """Return user, encryption, CA file, auto-position and host verification of the default channel."""
    found = admin.rows(
        "SELECT USER, SSL_ALLOWED, SSL_CA_FILE, AUTO_POSITION, SSL_VERIFY_SERVER_CERTIFICATE "
        "FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME=''"
    )
    return found[0] if found else None


def other_accounts(admin: ServerAdmin, users: Sequence[str]) -> frozenset[str]:
    """Return ``user@host`` of all accounts except the system's, root's, the administrator's and these at any host."""
    return frozenset(str(row[0]) for row in admin.rows(_OTHERS) if row[0] not in {f"{user}@%" for user in users})


def account(admin: ServerAdmin, user: str) -> tuple[bool, tuple[tuple[str, str, str], ...]] | None:
    """Return whether ``user@%`` requires TLS, and its privileges (privilege, schema, table); ``None`` if it does not exist."""
    found = admin.rows("SELECT ssl_type FROM mysql.user WHERE user=%s AND host='%%'", user)
    if not found:
        return None
    kind = found[0][0]
    text = kind.decode() if isinstance(kind, bytes) else str(kind)
    return text != "", _rights(admin, user, "%")


def _rights(admin: ServerAdmin, user: str, host: str) -> tuple[tuple[str, str, str], ...]:
    grantee = f"'{user}'@'{host}'"
    rights: list[tuple[str, str, str]] = []
    for privilege, schema, table, grantable in admin.rows(_RIGHTS, grantee, grantee, grantee):
        place = (str(schema).replace(chr(92), "") if not table else str(schema), str(table))
        rights.append((str(privilege), *place))
        if grantable == "YES" and ("GRANT OPTION", *place) not in rights:
            rights.append(("GRANT OPTION", *place))
    return tuple(rights)
