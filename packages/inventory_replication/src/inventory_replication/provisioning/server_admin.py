"""Administrative statements on one server, with the operator's account."""

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from pymysql.err import Error

from inventory_replication.config import Credentials, Server
from inventory_replication.decisions.gtid import GtidSet
from inventory_replication.decisions.snapshot import RECORD_SCHEMA, RECORD_TABLE, NoAnswer, SourceRecord
from inventory_replication.errors import restore_error
from inventory_replication.mysql.connection import TRACKING_ASSIGNMENTS, TrackingConnection
from inventory_replication.mysql.diagnostics import explain

CONNECT_TIMEOUT_SECONDS = 3.0
READ_TIMEOUT_SECONDS = 20.0
WAIT_SLICE_SECONDS = 1.0
LOCK_TIMEOUT_SECONDS = 5
"""Time after which the server gives up on a statement that waits for locks of others."""
LOCK_NAME = "inventory_replication_provisioning"
RETRY_INTERVAL_SECONDS = 5
HEARTBEAT_PERIOD_SECONDS = 2
_IDENTIFIED = "%s@'%%' IDENTIFIED WITH caching_sha2_password BY %s"
RESTARTED_BY_CLONE = frozenset({2006, 2013, 3707})
"""Errors that end a connection when the server has received a copy and restarts, or waits to be started."""


class AdminError(Exception):
    """A server did not execute a statement, or cannot be reached.

    Args:
        server: Its name.
        answer: What it answered, with the server's name and the fix.
        number: MySQL's number, 0 if there is none.
    """

    def __init__(self, server: str, answer: NoAnswer, number: int) -> None:
        super().__init__(answer.why)
        self.server = server
        self.answer = answer
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return restore_error, (type(self), self.args), self.__dict__


class LockLost(AdminError):
    """The connection that held the lock was lost, and another run has the lock now."""

    def __init__(self, server: Server) -> None:
        what = f"{server.name} ({server.address}) ended the connection that held the lock of this command"
        cure = "another run may hold the lock now; wait for its end, then run this command again"
        super().__init__(server.name, NoAnswer(f"{what}: {cure}", alive=True), 0)


class ServerAdmin:
    """One connection to one server; opened at the first statement and reopened after a loss. Commits each statement.

    A reopened connection takes the lock again before anything else, if `take_lock` had succeeded.

    Args:
        server: The server.
        account: The account.
        tls: See `build_engine`.
        read_timeout: Seconds without a byte of an answer after which the server is given up; ``None``: never.
    """

    def __init__(
        self,
        server: Server,
        account: Credentials,
        *,
        tls: ssl.SSLContext | None,
        read_timeout: float | None = READ_TIMEOUT_SECONDS,
    ) -> None:
        self.server = server
        self.account = account
        self.tls = tls
        self._read_timeout = read_timeout
        self._connection: TrackingConnection | None = None
        self._locked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, which releases its lock."""
        self._locked = False
        self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Error):
                connection.close()

    def rows(self, statement: str, *arguments: object) -> tuple[tuple[Any, ...], ...]:
        """Execute a statement and return its rows.

        Raises:
            AdminError: The server refuses it or cannot be reached.
            LockLost: The connection was lost together with its lock, which another run holds now; nothing was executed.
        """
        try:
            with self._opened().cursor() as cursor:
                cursor.execute(statement, arguments or None)
                return tuple(cursor.fetchall())
        except (Error, ValueError) as fault:
            number = fault.args[0] if fault.args and isinstance(fault.args[0], int) else 0
            raise AdminError(self.server.name, explain(fault, self.server, self.account), number) from fault

    def _opened(self) -> TrackingConnection:
        if self._connection is None or not self._connection.open:
            self._connection = connect(self.server, self.account, self.tls, read_timeout=self._read_timeout)
            if self._locked and not _get_lock(self._connection, LOCK_TIMEOUT_SECONDS):
                self._disconnect()
                raise LockLost(self.server)
        return self._connection

    def value(self, statement: str, *arguments: object) -> Any:
        """Return the first column of the first row."""
        return self.rows(statement, *arguments)[0][0]

    def tracking_fault(self) -> str:
        """Return why the server does not report commits on this connection; empty if it does."""
        self.rows("DO 0")
        return (self._connection.tracking_fault if self._connection else None) or ""

    def take_lock(self) -> bool:
        """Keep other runs away from this server until `close`; return ``False`` if another one is active."""
        self._locked = bool(self.value("SELECT GET_LOCK(%s, 0)", LOCK_NAME))
        return self._locked

    def executed(self) -> GtidSet:
        """Return ``@@gtid_executed``."""
        return GtidSet.parse(str(self.value("SELECT @@GLOBAL.gtid_executed")))

    def count_missing(self, gtids: GtidSet, seconds: float) -> int:
        """Wait for transactions, and return how many are missing after ``seconds``; 0: none.

        Raises:
            AdminError: The query failed; raised within a few seconds even if the server hangs.
        """
        until = time.monotonic() + seconds
        with ServerAdmin(
            self.server, self.account, tls=self.tls, read_timeout=WAIT_SLICE_SECONDS + CONNECT_TIMEOUT_SECONDS
        ) as waiting:
            while True:
                slice_seconds = max(0.05, min(WAIT_SLICE_SECONDS, until - time.monotonic()))
                if waiting.value("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, %s)", gtids.compact(), slice_seconds) == 0:
                    return 0
                if time.monotonic() >= until:
                    return waiting.executed().count_missing(gtids)

    def create_schema(self, schema: str) -> None:
        """Create a schema with the character set of the inventory's tables."""
        self.rows(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)} CHARACTER SET utf8mb4")

    def create_account(self, account: Credentials, *, tls: bool) -> None:
        """Create an account without privileges; an existing one stays as it is."""
        self.rows(f"CREATE USER IF NOT EXISTS {_IDENTIFIED} {_require(tls=tls)}", account.user, account.password)

    def secure_account(self, account: Credentials, *, tls: bool) -> None:
        """Set password, plugin and encryption of an account."""
        self.rows(f"ALTER USER {_IDENTIFIED} {_require(tls=tls)}", account.user, account.password)

    def grant(self, user: str, privileges: Iterable[str], schema: str, table: str) -> None:
        """Grant privileges on a schema or table, which need not exist; an empty name means all."""
        desired = list(privileges)
        if table and not self._exists(schema, table):
            # Only together with CREATE are privileges granted on a table that does not exist.
            self.rows(f"GRANT {', '.join([*desired, 'CREATE'])} ON {_place(schema, table)} TO %s@'%%'", user)
            self.revoke(user, ["CREATE"], schema, table)
            return
        self.rows(f"GRANT {', '.join(desired)} ON {_place(schema, table)} TO %s@'%%'", user)

    def _exists(self, schema: str, table: str) -> bool:
        query = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
        return bool(self.value(query, schema, table))

    def revoke(self, user: str, privileges: Iterable[str], schema: str, table: str) -> None:
        """Revoke privileges on a schema or table; an empty name means all."""
        self.rows(f"REVOKE IF EXISTS {', '.join(privileges)} ON {_place(schema, table)} FROM %s@'%%'", user)

    def refuse_writes(self) -> None:
        """Refuse writes, now and after each restart. Waits for running commits, at most `LOCK_TIMEOUT_SECONDS`."""
        self.rows("SET PERSIST super_read_only=ON, PERSIST read_only=ON")

    def take_writes(self) -> None:
        """Accept writes until the next restart, which refuses them until the server is proved to be the source still."""
        self.refuse_writes_at_start()
        self.rows("SET GLOBAL super_read_only=OFF, GLOBAL read_only=OFF")

    def refuse_writes_at_start(self) -> None:
        """Refuse writes after each restart; changes nothing now."""
        self.rows("SET PERSIST_ONLY super_read_only=ON, PERSIST_ONLY read_only=ON")

    def record_source(self, record: SourceRecord) -> None:
        """Store a change of the source. Possible on a read-only server, and replicated from there."""
        with self.writable_for_admin():
            self.rows(f"CREATE SCHEMA IF NOT EXISTS {RECORD_SCHEMA}")
            self.rows(
                f"CREATE TABLE IF NOT EXISTS {RECORD_SCHEMA}.{RECORD_TABLE} (epoch BIGINT UNSIGNED PRIMARY KEY, "
                "server_uuid CHAR(36) CHARACTER SET ascii NOT NULL, "
                "recorded_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))"
            )
            self.rows(
                f"INSERT INTO {RECORD_SCHEMA}.{RECORD_TABLE} (epoch, server_uuid) VALUES (%s, %s)",  # noqa: S608 - constants
                record.epoch,
                record.server_uuid,
            )

    def persist(self, variable: str, value: str, *, now: bool) -> None:
        """Set a global variable for each restart and, with ``now``, immediately; replication pauses for it."""
        if not now:
            self.rows(f"SET PERSIST_ONLY {variable}={value}")
            return
        following = self.follows()
        if following:
            self.stop_replica()
        self.rows(f"SET PERSIST {variable}={value}")
        if following:
            self.start_replica()

    @contextmanager
    def writable_for_admin(self) -> Iterator[None]:
        """Allow only the administrator to change a read-only server; ``read_only`` still applies to all others."""
        refusing = bool(self.value("SELECT @@GLOBAL.super_read_only"))
        if refusing:
            self.rows("SET GLOBAL super_read_only=OFF")
        try:
            yield
        finally:
            if refusing:
                with suppress(AdminError):
                    self.rows("SET GLOBAL super_read_only=ON")

    def drop_empty_schemas(self, schemas: Iterable[str]) -> None:
        """Drop schemas without writing that to the binary log."""
        with self.writable_for_admin():
            self.rows("SET SESSION sql_log_bin=OFF")
            for schema in schemas:
                self.rows(f"DROP SCHEMA IF EXISTS {quote(schema)}")
            self.rows("SET SESSION sql_log_bin=ON")

    def forget_history(self) -> None:
        """Delete the binary logs and all GTIDs."""
        self.rows("RESET BINARY LOGS AND GTIDS")

    def load_clone_plugin(self) -> None:
        """Load the clone plugin; it stays loaded after restarts."""
        with self.writable_for_admin():
            self.rows("INSTALL PLUGIN clone SONAME 'mysql_clone.so'")

    def clone_from(self, host: str, port: int, account: Credentials, *, tls: bool) -> None:
        """Replace everything by a copy of the donor; returns when the server shuts down to restart with it."""
        self.rows("SET GLOBAL clone_valid_donor_list=%s", f"{host}:{port}")
        statement = f"CLONE INSTANCE FROM %s@%s:{port} IDENTIFIED BY %s REQUIRE {'SSL' if tls else 'NO SSL'}"
        with (
            self.writable_for_admin(),
            ServerAdmin(self.server, self.account, tls=self.tls, read_timeout=None) as cloning,
        ):
            try:
                cloning.rows(statement, account.user, host, account.password)
            except AdminError as failure:
                if failure.number not in RESTARTED_BY_CLONE:
                    raise

    def follow(
        self, host: str, port: int, account: Credentials, *, tls: bool, ca_file: str, verify_host: bool = False
    ) -> None:
        """Follow a source by GTID auto-position, from this server's position; the settings survive restarts."""
        self.stop_replica()
        security = "SOURCE_SSL=1, GET_SOURCE_PUBLIC_KEY=0" if tls else "SOURCE_SSL=0, GET_SOURCE_PUBLIC_KEY=1"
        verified = int(tls and verify_host)
        self.rows(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST=%s, SOURCE_PORT=%s, SOURCE_USER=%s, SOURCE_PASSWORD=%s, "
            f"{security}, SOURCE_SSL_CA=%s, SOURCE_SSL_VERIFY_SERVER_CERT={verified}, SOURCE_AUTO_POSITION=1, "
            f"REQUIRE_ROW_FORMAT=1, GTID_ONLY=1, "
            f"SOURCE_CONNECT_RETRY={RETRY_INTERVAL_SECONDS}, SOURCE_RETRY_COUNT=0, "
            f"SOURCE_HEARTBEAT_PERIOD={HEARTBEAT_PERIOD_SECONDS}",
            host,
            port,
            account.user,
            account.password,
            ca_file if tls else "",
        )
        self.start_replica()

    def follows(self) -> bool:
        """Return whether replication is running."""
        return bool(
            self.value(
                "SELECT COUNT(*) FROM performance_schema.replication_connection_status c "
                "JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME) "
                "WHERE c.SERVICE_STATE <> 'OFF' OR a.SERVICE_STATE <> 'OFF'"
            )
        )

    def stop_receiver(self) -> None:
        """Stop receiving; what was received is still applied."""
        self.rows("STOP REPLICA IO_THREAD")

    def received(self) -> GtidSet:
        """Return the transactions that were received from a source, applied or not."""
        rows = self.rows("SELECT RECEIVED_TRANSACTION_SET FROM performance_schema.replication_connection_status")
        received = GtidSet.parse("")
        for (text,) in rows:
            received |= GtidSet.parse(str(text))
        return received

    def start_replica(self) -> None:
        """Start receiver and applier, if they do not run."""
        self.rows("START REPLICA")

    def stop_replica(self) -> None:
        """Stop receiver and applier, if they run."""
        self.rows("STOP REPLICA")

    def forget_source(self) -> None:
        """Stop replication and delete its settings, including the password."""
        self.stop_replica()
        self.rows("RESET REPLICA ALL")


def connect(
    server: Server,
    account: Credentials,
    tls: ssl.SSLContext | None,
    *,
    read_timeout: float | None = READ_TIMEOUT_SECONDS,
) -> TrackingConnection:
    """Return a connection that commits each statement.

    Raises:
        Error: As the driver raises it.
    """
    security: dict[str, Any] = {"ssl_disabled": True} if tls is None else {"ssl": tls}
    return TrackingConnection(
        host=server.host,
        port=server.port,
        user=account.user,
        password=account.password,
        charset="utf8mb4",
        autocommit=True,
        init_command=f"SET SESSION {TRACKING_ASSIGNMENTS}, lock_wait_timeout={LOCK_TIMEOUT_SECONDS}",
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout,
        write_timeout=READ_TIMEOUT_SECONDS,
        program_name="inventory-replication",
        **security,
    )


def _get_lock(connection: TrackingConnection, seconds: float) -> bool:
    # The server may notice only after a moment that the connection with the lock is gone.
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s)", (LOCK_NAME, seconds))
        row = cursor.fetchone()
    return bool(row and row[0])


def quote(name: str) -> str:
    """Return a name as a quoted identifier."""
    return "`" + name.replace("`", "``") + "`"


def _require(*, tls: bool) -> str:
    return "REQUIRE SSL" if tls else "REQUIRE NONE"


def _place(schema: str, table: str) -> str:
    if not schema:
        return "*.*"
    if not table:
        # In a grant on a schema the name is a pattern.
        return f"{quote(schema.replace('_', chr(92) + '_'))}.*"
    return f"{quote(schema)}.{quote(table)}"
